"""Secrets that are known to a story, the forms in which they could get out, and the places to look for them."""

import base64
import io
import json
import os
import re
import tarfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

#: A place and what lies there; places are named for people: ``journal/wave.jsonl``, ``db-rhel8:/etc/shadow``.
Place = tuple[str, bytes]
_BLANKS = bytes.maketrans(b"", b"")


@dataclass(frozen=True, order=True)
class Sighting:
    """A canary that was found: its name, where, and in which form."""

    canary: str
    place: str
    form: str


def base64_forms(data: bytes) -> list[bytes]:
    """Return what every base64 text shows that holds ``data`` somewhere: one form for each of the three alignments.

    The characters at both ends that also depend on neighbouring bytes are left out.
    """
    forms = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data)
        first, end = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        forms.append(coded[first:end])
    return forms


def forms(secret: str) -> dict[str, list[bytes]]:
    """Return the forms by name in which ``secret`` could stand somewhere, each one or several byte strings."""
    plain, wide = secret.encode(), secret.encode("utf-16-le")
    return {
        "plain": [plain],
        "JSON": [json.dumps(secret)[1:-1].encode(), json.dumps(json.dumps(secret))[3:-3].encode()],
        "URL": [quote(secret, safe="").encode(), quote(secret).encode(), quote_plus(secret).encode()],
        "XML": [escape(secret, {'"': "&quot;", "'": "&apos;"}).encode(), escape(secret).encode()],
        "shell": [secret.replace("'", "'\"'\"'").encode(), secret.replace("'", "'\\''").encode()],
        "PowerShell": [secret.replace("'", "''").encode()],
        "UTF-16": [wide],
        "base64": [form for text in base64_forms(plain) for form in (text, text.translate(_URL_SAFE))],
        "base64 of UTF-16": [form for text in base64_forms(wide) for form in (text, text.translate(_URL_SAFE))],
        "hexadecimal": [plain.hex().encode(), plain.hex().upper().encode(), wide.hex().encode()],
    }


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
#: Forms that programs break into lines or groups; they are looked for without the blanks between.
_BROKEN_UP = ("base64", "base64 of UTF-16", "hexadecimal")


def sightings(canaries: Mapping[str, str], places: Iterable[Place]) -> list[Sighting]:
    """Return every canary found, once for each place with the first form that matched, sorted."""
    wanted = {name: forms(secret) for name, secret in canaries.items()}
    found = set()
    for place, data in places:
        whole = data.translate(_BLANKS, b" \t\r\n")
        for name, by_form in wanted.items():
            seen = next((form for form, texts in by_form.items() if _holds(form, texts, data, whole)), None)
            if seen:
                found.add(Sighting(name, place, seen))
    return sorted(found)


def _holds(form: str, texts: list[bytes], data: bytes, whole: bytes) -> bool:
    return any(text in data or (form in _BROKEN_UP and text in whole) for text in texts)


# Places


def files_below(folder: Path, name: str, *, but: Iterable[str] = ()) -> Iterator[Place]:
    """Yield every file below ``folder`` with the place ``name/PATH``, except below the names ``but`` directly in it."""
    left_out = set(but)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if inside.parts[0] not in left_out and path.is_file() and not path.is_symlink():
            yield f"{name}/{inside}", path.read_bytes()


def files_of_archive(archive: bytes, name: str) -> Iterator[Place]:
    """Yield every file of a tar archive with the place ``name:/PATH``."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isreg() else None
            if content:
                yield f"{name}:/{member.name}", content.read()


def files_of_windows_host(directory: Path, name: str) -> Iterator[Place]:
    """Yield every file of a Windows host of the lab with the place ``name:C:\\PATH``, and its registry."""
    state = json.loads((directory / "state.json").read_text(encoding="utf-8"))
    for path, (digest, _size) in state["files"].items():
        if digest:
            yield f"{name}:{path}", (directory / "blobs" / digest).read_bytes()
    yield f"{name}:registry", json.dumps(state["registry"], ensure_ascii=False).encode()


_ENCODED = re.compile(rb"-EncodedCommand['\", ]+([A-Za-z0-9+/=]+)")


def windows_command_lines(log: bytes) -> list[Place]:
    """Return what a log of Ansible at its highest verbosity says was started on Windows hosts.

    Each command line is there twice: as it was sent, and with its encoded text in the clear.
    """
    lines = [line for line in log.splitlines() if b"WINRM EXEC" in line]
    places = [(f"Windows command line {number}", line) for number, line in enumerate(lines)]
    for number, line in enumerate(lines):
        for text in _ENCODED.findall(line):
            places.append((f"Windows command line {number}, decoded", base64.b64decode(text)))
    return places


# Processes

#: How many scans a process counts as young.
YOUNG = 100


@dataclass
class Watch:
    """Reads the command line and the environment of every process over and over while a block runs.

    ``scans`` counts the times that all processes were gone through, ``readings`` the command lines read. A command
    line is kept once; an environment as its variables, each with the programs that had it.
    """

    scans: int = 0
    readings: int = 0
    command_lines: set[bytes] = field(default_factory=set)
    variables: dict[tuple[bytes, bytes], set[str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._scanned = threading.Condition()
        self._known: set[tuple[str, bytes]] = set()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join()

    def scan_again(self) -> None:
        """Wait until every process that runs now has been looked at."""
        with self._scanned:
            enough = self.scans + 2
            self._scanned.wait_for(lambda: self.scans >= enough)

    def places(self) -> list[Place]:
        """Return the command lines as places."""
        return [(f"command line of {_program(line)}", line) for line in sorted(self.command_lines)]

    def ran(self, *words: str) -> bool:
        """Return whether a command line was seen that holds all these words."""
        return any(all(word.encode() in line for word in words) for line in self.command_lines)

    def _look(self) -> None:
        ages: dict[str, int] = {}
        while not self._end.wait(0.002):
            running = [name for name in os.listdir("/proc") if name.isdigit()]
            ages = {process: ages.get(process, 0) + 1 for process in running}
            for process, age in ages.items():
                # Programs start others, or become others, while they are young; an old one is looked at now and then.
                if age < YOUNG or age % YOUNG == 0:
                    self._read(process)
            with self._scanned:
                self.scans += 1
                self._scanned.notify_all()

    def _read(self, process: str) -> None:
        line = _bytes_of(f"/proc/{process}/cmdline")
        if not line:
            return
        self.readings += 1
        self.command_lines.add(line)
        if (process, line) in self._known:
            return
        environment = _bytes_of(f"/proc/{process}/environ")
        if environment:
            self._known.add((process, line))
        for variable in environment.split(b"\0"):
            name, _, value = variable.partition(b"=")
            self.variables.setdefault((name, value), set()).add(_program(line))


def _bytes_of(path: str) -> bytes:
    """Return a file of /proc; nothing when the process is gone or is somebody else's."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _program(line: bytes) -> str:
    return " ".join(word.decode(errors="replace") for word in line.split(b"\0")[:2])[:120]
