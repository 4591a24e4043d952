"""The files of a Windows host: a tree of Windows paths whose contents lie as files in the lab's state directory."""

import hashlib
import ntpath
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DRIVE_PATH = re.compile(r"^[A-Za-z]:\\")


@dataclass
class Node:
    """A file (``digest`` names its content) or a folder (``digest`` None)."""

    path: str
    digest: str | None
    size: int = 0


def normal(path: str) -> str:
    """Return an absolute Windows path in its usual form. Raises ValueError for a relative path."""
    tidy = ntpath.normpath(path.strip().replace("/", "\\"))
    if re.fullmatch(r"[A-Za-z]:", tidy):
        tidy += "\\"
    if not _DRIVE_PATH.match(tidy):
        raise ValueError(f"{path} is no absolute path of a drive")
    return tidy


class Files:
    """Files and folders; names are compared without regard to case. Contents are kept in ``blobs`` (each 0600)."""

    def __init__(self, blobs: Path) -> None:
        self._blobs = blobs
        self._nodes: dict[str, Node] = {}

    def exists(self, path: str) -> bool:
        """Return whether a file or folder of that name is there."""
        return self._node(path) is not None

    def is_folder(self, path: str) -> bool:
        """Return whether it is a folder."""
        node = self._node(path)
        return node is not None and node.digest is None

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, or None when there is no such file."""
        node = self._node(path)
        if node is None or node.digest is None:
            return None
        return (self._blobs / node.digest).read_bytes()

    def text(self, path: str) -> str | None:
        """Return the content of a text file (UTF-8 with or without a byte order mark), or None when it is not there."""
        data = self.read(path)
        return None if data is None else data.decode("utf-8-sig", errors="replace")

    def write(self, path: str, data: bytes) -> None:
        """Write a file and create the folders above it."""
        where = normal(path)
        self.make_folder(ntpath.dirname(where))
        digest = hashlib.sha256(data).hexdigest()
        blob = self._blobs / digest
        if not blob.exists():
            self._blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(blob, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
        self._nodes[where.lower()] = Node(where, digest, len(data))

    def append(self, path: str, text: str) -> None:
        """Add text to a file, as a log is written."""
        self.write(path, (self.read(path) or b"") + text.encode())

    def make_folder(self, path: str) -> None:
        """Create a folder and those above it."""
        where = normal(path)
        parts = where.rstrip("\\").split("\\")
        for count in range(1, len(parts) + 1):
            part = "\\".join(parts[:count]) if count > 1 else parts[0] + "\\"
            self._nodes.setdefault(part.lower(), Node(part, None))

    def remove(self, path: str) -> bool:
        """Remove a file, or a folder with all below it; return whether it was there. Content no longer named is
        deleted.
        """
        where = normal(path).lower()
        doomed = [key for key in self._nodes if key == where or key.startswith(where.rstrip("\\") + "\\")]
        gone = [self._nodes.pop(key) for key in doomed]
        named = {node.digest for node in self._nodes.values()}
        for node in gone:
            if node.digest and node.digest not in named:
                (self._blobs / node.digest).unlink(missing_ok=True)
        return bool(gone)

    def move(self, old: str, new: str) -> None:
        """Rename a file or a folder. Raises FileNotFoundError when ``old`` is not there."""
        source, target = normal(old), normal(new)
        moved = [key for key in self._nodes if key == source.lower() or key.startswith(source.lower() + "\\")]
        if not moved:
            raise FileNotFoundError(old)
        self.make_folder(ntpath.dirname(target))
        for key in moved:
            node = self._nodes.pop(key)
            where = target + node.path[len(source) :]
            self._nodes[where.lower()] = Node(where, node.digest, node.size)

    def children(self, path: str) -> list[Node]:
        """Return what lies directly in a folder, sorted by name."""
        prefix = normal(path).lower().rstrip("\\") + "\\"
        found = [node for key, node in self._nodes.items() if key.startswith(prefix) and "\\" not in key[len(prefix) :]]
        return sorted((node for node in found if node.path.lower() != prefix), key=lambda node: node.path.lower())

    def used_bytes(self, drive: str) -> int:
        """Return the bytes that the files of a drive (``C:``) take."""
        return sum(node.size for node in self if node.path[:2].upper() == drive.upper())

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self._nodes.values()))

    def dump(self) -> dict[str, list[Any]]:
        """Return the tree as JSON: path -> [digest or null, size]."""
        return {node.path: [node.digest, node.size] for node in self._nodes.values()}

    def load(self, data: Mapping[str, list[Any]]) -> None:
        """Take the tree that ``dump`` described."""
        self._nodes = {path.lower(): Node(path, digest, size) for path, (digest, size) in data.items()}

    def _node(self, path: str) -> Node | None:
        return self._nodes.get(normal(path).lower())
