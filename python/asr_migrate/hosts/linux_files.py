"""Files of a Linux host as a probe sends them, and how one is replaced by content that was decided here.

Content is text in which every byte that is no UTF-8 stands as a lone surrogate ("surrogateescape"), so it goes both
ways unharmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts.linux_script import Lines, call

KIND = "file"
BEGIN, END = "# asr-migrate: begin\n", "# asr-migrate: end\n"
#: What a file's new content is called until it is in place.
COPY = ".asr-migrate-new"
#: What a file of ours gets.
NEW_MODE = "0644"

_MODE_BITS = {"r": 4, "w": 2, "x": 1, "s": 1, "t": 1, "S": 0, "T": 0, "-": 0}


@dataclass(frozen=True)
class HostFile:
    """One file: its path, where a symbolic link leads (``real``), and what it is.

    ``mode`` is octal with four digits ("0644"); ``links`` counts hard links; ``context`` is SELinux's, or None.
    """

    path: str
    real: str
    content: str
    mode: str
    uid: int
    gid: int
    links: int = 1
    context: str | None = None

    @property
    def value(self) -> dict[str, Any]:
        """The file as the value of a Prior."""
        value: dict[str, Any] = {"content": self.content, "mode": self.mode, "uid": self.uid, "gid": self.gid}
        return value | ({"context": self.context} if self.context else {})

    def with_content(self, content: str) -> dict[str, Any]:
        """Return the value of a Prior for the same file with other content."""
        return self.value | {"content": content}


def encoded(content: str) -> bytes:
    """Return a file's bytes."""
    return content.encode("utf-8", "surrogateescape")


def mode(listed: str) -> str:
    """Return ``-rw-r--r--`` as ``0644``; what follows the ten characters (``.`` of SELinux, ``+`` of ACLs) is left."""
    bits = listed[1:10]
    special = sum(bit for place, bit in ((2, 4), (5, 2), (8, 1)) if bits[place] in "sStT")
    return f"{special}" + "".join(str(sum(_MODE_BITS[c] for c in bits[at : at + 3])) for at in (0, 3, 6))


def cksum(data: bytes) -> str:
    """Return ``CRC SIZE`` as POSIX cksum prints them."""
    value = 0
    size = len(data)
    for byte in data + size.to_bytes((size.bit_length() + 7) // 8, "little"):
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return f"{value ^ 0xFFFFFFFF} {size}"


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC = _crc_table()


def read(found: Lines) -> dict[str, HostFile]:
    """Return the files of a probe by path; one that is not there is left out.

    Raises SetupError when a file changed while it was read, so that its bytes cannot be told from the next one's.
    """
    listed = {name: stat.split() for stat, _, name in (row.partition("\t") for row in found["stat"])}
    contexts = {name.strip(): context for context, _, name in (row.partition("\t") for row in found["context"])}
    data = bytes.fromhex("".join(found["hex"]))
    files: dict[str, HostFile] = {}
    at = 0
    for row in found["file"]:
        path, _, real = row.partition("\t")
        if real == "absent":
            continue
        stat = listed.get(real)
        if not stat or len(stat) != 5:
            raise _not_steady(path)
        content = data[at : at + int(stat[4])]
        at += int(stat[4])
        context = contexts.get(real)
        files[path] = HostFile(
            path=path,
            real=real,
            content=content.decode("utf-8", "surrogateescape"),
            mode=mode(stat[0]),
            uid=int(stat[2]),
            gid=int(stat[3]),
            links=int(stat[1]),
            context=context if context and context.count(":") >= 2 else None,
        )
    if at != len(data):
        raise _not_steady(", ".join(files))
    return files


def _not_steady(what: str) -> SetupError:
    return SetupError(
        f"{what} changed while it was read",
        code="HostFileChanged",
        cause="Somebody, or configuration management, wrote to the host in that moment.",
        remedy="Run the playbook again.",
    )


def with_block(content: str, lines: str, *, first: bool) -> str:
    """Return ``content`` with ``lines`` between our marks in place of an older block, at its beginning or its end."""
    rest = without_block(content)
    block = f"{BEGIN}{lines}{END}"
    if first:
        return block + rest
    return rest + ("" if not rest or rest.endswith("\n") else "\n") + block


def block(content: str) -> str:
    """Return the lines between our marks, or an empty text."""
    _, begin, after = content.partition(BEGIN)
    return after.partition(END)[0] if begin and END in after else ""


def without_block(content: str) -> str:
    """Return ``content`` without our marks and what stands between them; unchanged when it holds no whole block."""
    before, begin, after = content.partition(BEGIN)
    _, end, rest = after.partition(END)
    return before + rest if begin and end else content


def replace_call(what: str, now: HostFile | None, path: str, value: Mapping[str, Any] | None, then: str = "") -> str:
    """Return the script's line that makes the file ``path`` what ``value`` says, or removes it when that is None.

    ``now`` is what the probe saw; the host refuses when the file is something else by then. ``then`` is a function
    that makes a service take the file over ("sshd"); it may refuse it, which puts the old file back.
    """
    guard = cksum(encoded(now.content)) if now else "absent"
    if value is None:
        return call(what, "remove_file", path, guard)
    if "\0" in value["content"]:
        raise SetupError(
            f"{path} holds a NUL byte and cannot be changed",
            code="HostFileNotText",
            cause="The file is damaged, usually by a disk that was full or a host that lost power.",
            remedy="Put a sound copy of the file in its place, then run the playbook again.",
        )
    owner = f"{value['uid']}:{value['gid']}"
    real = now.real if now else path
    return call(
        what,
        "replace_file",
        real,
        guard,
        value["mode"],
        owner,
        value.get("context") or "",
        then,
        stdin=value["content"],
    )
