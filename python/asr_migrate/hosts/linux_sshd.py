"""sshd's settings on a source: what is in effect for root, what stands in a push's way, and the block that we add.

sshd takes the first value of a keyword, so our block stands before everything else; a Match block still overrides it
for the connections it is about. Source: sshd_config(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from asr_migrate.hosts import linux_files
from asr_migrate.hosts.linux_files import HostFile

CONFIG = "/etc/ssh/sshd_config"
#: What a push needs (Site Recovery documentation, prerequisites for push installation on Linux).
WANTED = {"PermitRootLogin": "yes", "PasswordAuthentication": "yes"}
#: Either is enough: keys go on working beside the password.
METHODS = "publickey password keyboard-interactive"
PORT = "22"

_LINE = re.compile(r"\s*(?P<keyword>[A-Za-z]+)(?:\s*=\s*|\s+)(?P<value>.*?)\s*")
_ADD_UP = ("port", "listenaddress", "allowusers", "allowgroups", "denyusers", "denygroups")


@dataclass(frozen=True)
class Setting:
    """One line of the settings; ``match`` holds the criteria of the Match block it stands in, empty outside of one."""

    keyword: str
    value: str
    match: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """sshd's settings in the order in which sshd reads them."""

    lines: tuple[Setting, ...] = ()

    def values(self, keyword: str) -> tuple[str, ...]:
        """Return all values of a keyword outside of Match blocks."""
        return tuple(line.value for line in self.lines if line.keyword == keyword and not line.match)

    def first(self, keyword: str) -> str:
        """Return the value in effect outside of Match blocks; empty when sshd's own default holds."""
        return next(iter(self.values(keyword)), "")

    @property
    def sftp(self) -> str:
        """The command of the sftp subsystem; empty when there is none."""
        subsystems = (value.split(None, 1) for value in self.values("subsystem"))
        return next((words[1] for words in subsystems if len(words) == 2 and words[0] == "sftp"), "")

    @property
    def ports(self) -> tuple[str, ...]:
        """The ports that sshd listens on."""
        ports = self.values("port") or (PORT,)
        addresses = self.values("listenaddress")
        own = [found[1] for address in addresses if (found := re.search(r"(?:\]|^[^:]+):(\d+)(?:\s|$)", address))]
        return tuple(dict.fromkeys(own if addresses and len(own) == len(addresses) else (*ports, *own)))

    def shuts_out(self, groups: Iterable[str]) -> str:
        """Return the setting that keeps root out, or an empty text; ``groups`` are root's."""
        for keyword, names, wanted in (
            ("AllowUsers", ("root",), True),
            ("DenyUsers", ("root",), False),
            ("AllowGroups", tuple(groups) or ("root",), True),
            ("DenyGroups", tuple(groups) or ("root",), False),
        ):
            patterns = [word for value in self.values(keyword.lower()) for word in value.split()]
            hit = any(fnmatchcase(name, word.partition("@")[0]) for word in patterns for name in names)
            if patterns and hit is not wanted:
                return f"{keyword} {' '.join(patterns)}"
        return ""

    def overrides(self, groups: Iterable[str]) -> tuple[tuple[str, bool], ...]:
        """Return what Match blocks set against a push, and whether that is certain: about root from everywhere.

        ``groups`` are root's. A text is "PermitRootLogin no (Match Address ...)". Of all Match blocks that hold for a
        connection sshd takes a keyword's first value; what stands behind a certain one is therefore nothing.
        """
        refused = {"permitrootlogin": "PermitRootLogin", "passwordauthentication": "PasswordAuthentication"}
        found, settled = [], set[str]()
        for line in self.lines:
            about = _about_root(line.match, tuple(groups) or ("root",)) if line.match else False
            if line.keyword not in refused or line.keyword in settled or about is False:
                continue
            if about:
                settled.add(line.keyword)
            if line.value.lower() != "yes":
                found.append((f"{refused[line.keyword]} {line.value} (Match {' '.join(line.match)})", bool(about)))
        return tuple(found)


def _about_root(criteria: tuple[str, ...], groups: tuple[str, ...]) -> bool | None:
    """Return whether a Match block is about root: by its users and groups; None where another criterion decides."""
    if tuple(word.lower() for word in criteria) == ("all",):
        return True
    certain: bool | None = True
    for criterion, patterns in zip(criteria[::2], criteria[1::2], strict=False):
        names = {"user": ("root",), "group": groups}.get(criterion.lower())
        if names is None:
            certain = None
        elif not _hits(patterns, names):
            return False
    return certain


def _hits(patterns: str, names: tuple[str, ...]) -> bool:
    """Return whether a pattern list of sshd (ssh_config(5), PATTERNS) matches one of the names; a ! wins."""
    words = patterns.split(",")
    if any(word.startswith("!") and fnmatchcase(name, word[1:]) for word in words for name in names):
        return False
    return any(fnmatchcase(name, word) for word in words for name in names)


def read(files: Mapping[str, HostFile]) -> Settings:
    """Return the settings in effect by the files that a probe sent."""
    return Settings(tuple(_walk(CONFIG, files, (), 0)))


def _walk(path: str, files: Mapping[str, HostFile], match: tuple[str, ...], depth: int) -> Iterator[Setting]:
    if path not in files or depth > 16:
        return
    for raw in files[path].content.splitlines():
        found = _LINE.fullmatch(re.sub(r"(^|\s)#.*$", "", raw))
        if not found:
            continue
        keyword, value = found["keyword"].lower(), found["value"].replace('"', "")
        if keyword == "match":
            match = tuple(value.split())
        elif keyword == "include":
            for included in _included(value, files):
                yield from _walk(included, files, match, depth + 1)
        else:
            yield Setting(keyword, value, match)


def _included(value: str, files: Mapping[str, HostFile]) -> Iterator[str]:
    for pattern in value.split():
        whole = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
        yield from sorted(path for path in files if path.count("/") == whole.count("/") and fnmatchcase(path, whole))


def to_change(settings: Settings, sftp_server: str) -> dict[str, tuple[str, str]]:
    """Return what a push needs and is not so: by setting, the value in effect (empty: none) and the wanted one."""
    changes = {
        keyword: (settings.first(keyword.lower()), value)
        for keyword, value in WANTED.items()
        if settings.first(keyword.lower()).lower() != value
    }
    methods = settings.first("authenticationmethods")
    if methods and not any(way in ("any", "password") for way in methods.split()):
        changes["AuthenticationMethods"] = (methods, METHODS)
    if not settings.sftp:
        changes["Subsystem sftp"] = ("", sftp_server or "internal-sftp")
    return changes


def with_settings(content: str, changes: Mapping[str, tuple[str, str]]) -> str:
    """Return the settings with our block first; what an older block of ours gave beside the changes is kept."""
    kept = [
        line
        for line in linux_files.block(content).splitlines()
        if line.split(" ")[0] in ("AuthenticationMethods", "Subsystem") and not any(line.startswith(k) for k in changes)
    ]
    lines = [f"{keyword} {value}" for keyword, value in WANTED.items()] + kept
    lines += [f"{keyword} {value}" for keyword, (_, value) in changes.items() if keyword not in WANTED]
    return linux_files.with_block(content, "".join(f"{line}\n" for line in lines), first=True)
