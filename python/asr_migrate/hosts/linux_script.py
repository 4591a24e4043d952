"""The scripts that are sent to a Linux host, and the reading of their key<TAB>value lines.

A script travels on the standard input of ``sh`` (below sudo where the user is not root: ``linux_command``), so that
nothing of it stands in an argument list. It needs no Python and no bash on the host.
"""

from __future__ import annotations

import re
from importlib.resources import files

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.quoting import posix

SHELL = "sh"
#: Where only root can make anything, so that nobody else can have laid a trap at this name.
WORK_DIRECTORY = "/var/lib/asr-migrate"
#: Exit code of ``private_directory``.
NOT_PRIVATE = 92
#: A function of sh, in one line: make the directory $1 for its owner only, or refuse what stands there in its place.
PRIVATE_DIRECTORY = (
    'private_directory() { umask 077; mkdir "$1" 2>/dev/null || :; set -- "$1" $(ls -ldn "$1" 2>/dev/null || :); '
    'case "${2:-} ${4:-}" in "drwx------"*" $(id -u)") return 0 ;; esac; '
    f'echo "$1 is not a directory that root has for itself alone" >&2; return {NOT_PRIVATE}; }}'
)

HEAD = """set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
"""


#: The parts of a script, by the name under which it is asked for.
_PARTS = {"probe": ("probe_files", "probe_system", "probe_mobility", "probe")}


def script(name: str, **variables: str) -> str:
    """Return one of our scripts, ready to be sent, with its variables set before it."""
    return HEAD + body(name, **variables)


def body(name: str, **variables: str) -> str:
    """Return one of our scripts to be put behind another one, with its variables set before it."""
    directory = files(__package__).joinpath("scripts")
    parts = (directory.joinpath(f"{part}.sh").read_text(encoding="utf-8") for part in _PARTS.get(name, (name,)))
    return "".join(f"{key}={posix(value)}\n" for key, value in variables.items()) + "".join(parts)


def call(what: str, function: str, *arguments: str, stdin: str = "") -> str:
    """Return the line that runs a function of ``changes.sh`` on ``stdin``; the script ends there when that fails.

    printf is a builtin of sh and the function no program, so nothing shows in a process list. The line must stand
    alone: behind ``||`` or ``if`` a shell would not stop at what fails inside the function.
    """
    words = " ".join(posix(word) for word in (what, function, *arguments))
    return f"printf '%s' {posix(stdin)} | run_change {words}\n"


def to_send(text: str) -> bytes:
    """Return a script's bytes; content of a host's files keeps bytes that are no UTF-8 as lone surrogates."""
    return text.encode("utf-8", "surrogateescape")


class Lines(dict[str, list[str]]):
    """Values by key, in the order in which they were printed; a key that is not there has none."""

    def __missing__(self, key: str) -> list[str]:
        return []

    def first(self, key: str) -> str:
        """Return the first value of a key, or an empty text."""
        return next(iter(self[key]), "")


def lines(answer: Answer) -> Lines:
    """Read key<TAB>value lines; anything else, such as a banner of the host, is left out."""
    found = Lines()
    for line in answer.stdout.splitlines():
        key, tab, value = line.partition("\t")
        if tab:
            found.setdefault(key, []).append(value.strip())
    return found


def exit_codes(found: Lines, key: str = "rc") -> dict[str, int]:
    """Return the exit code of every step (``rc``) or change (``changed``) that a script told of, in order."""
    codes = {}
    for row in found[key]:
        name, _, code = row.partition("\t")
        codes[name] = int(code)
    return codes


def unreadable(answer: Answer) -> SetupError:
    """Return the error for a host whose script did not reach its end."""
    said = [line.strip() for line in (answer.stderr or answer.stdout).splitlines() if line.strip()]
    about_sudo = [line for line in said if re.search(r"\bsudo\b|password", line, re.IGNORECASE)]
    heard = (about_sudo or said or [f"nothing (exit code {answer.exit_code})"])[-1 if about_sudo else 0][:200]
    if about_sudo:
        cause, remedy = next(why for pattern, *why in _SUDO if re.search(pattern, "\n".join(said), re.IGNORECASE))
        return SetupError(
            f"the user that connects may not become root: {heard}", code="HostSudoRefused", cause=cause, remedy=remedy
        )
    return SetupError(
        f"the host did not answer as a Linux host: {heard}",
        code="HostNotReadable",
        cause="It is no Linux host, or its login shell prints something else or ends the session.",
        remedy="Check asr_os and the connection variables of this host; try ssh USER@HOST true.",
    )


_AS_ROOT = "or connect as root."
#: What sudo says (as a pattern), why it does, and what to do.
_SUDO = (
    (
        "tty|terminal to read",
        "sudo wants a terminal (requiretty), or asks for a password that was not given.",
        "Set '!requiretty' for the user in /etc/sudoers.d, and give ansible_become_password or 'NOPASSWD: ALL', "
        + _AS_ROOT,
    ),
    (
        "incorrect|try again|no password was provided",
        "sudo did not take the password in ansible_become_password; it was tried once.",
        f"Correct the password, {_AS_ROOT}",
    ),
    (
        "password is required",
        "sudo asks for a password and none was given.",
        f"Give ansible_become_password from a vault (or --ask-become-pass), allow 'NOPASSWD: ALL', {_AS_ROOT}",
    ),
    (
        "not found|no such file",
        "sudo is not installed.",
        f"Install sudo, {_AS_ROOT}",
    ),
    (
        "",
        "sudo does not let the user do everything.",
        f"Allow the user 'ALL' in /etc/sudoers.d, {_AS_ROOT}",
    ),
)
