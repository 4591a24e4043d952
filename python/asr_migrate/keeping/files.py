"""The store of prior values that is a directory of the controller: one file a host, for its owner only."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from asr_migrate.domain.errors import SetupError

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


class FileStore:
    """``<directory>/<host>.json``; what a file name cannot hold stands in it as %XX."""

    def __init__(self, directory: Path, host: str) -> None:
        self._path = directory / f"{quote(host, safe='')}.json"
        self._beside = self._path.with_name(f".{self._path.name}.new")
        self.place = str(self._path)

    def read(self) -> str | None:
        try:
            return self._path.read_bytes().decode("ascii", errors="surrogateescape")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from error

    def write(self, text: str) -> None:
        """Write beside the file, wait for the disk, and put it in the file's place; the directory is waited for too."""
        try:
            self._path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with os.fdopen(os.open(self._beside, flags, FILE_MODE), "wb") as file:
                os.fchmod(file.fileno(), FILE_MODE)
                file.write(text.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._beside, self._path)
            self._flush_directory()
        except OSError as error:
            raise self._failed("written", error) from error

    def delete(self) -> None:
        try:
            for path in (self._beside, self._path):
                path.unlink(missing_ok=True)
            if self._path.parent.is_dir():
                self._flush_directory()
        except OSError as error:
            raise self._failed("removed", error) from error

    def _flush_directory(self) -> None:
        handle = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _failed(self, done: str, error: OSError) -> SetupError:
        return SetupError(
            f"{self.place}, the record of what the host was before, cannot be {done} ({error.strerror})",
            code="PriorRecordUnwritable" if done != "read" else "PriorRecordUnreadable",
            cause=str(error),
            remedy=f"Give the user who runs the playbook the directory {self._path.parent}, or free its disk, or set "
            "asr_prior_dir to another; then run again. No host is changed without its record.",
        )
