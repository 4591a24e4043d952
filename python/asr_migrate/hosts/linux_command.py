"""The command line that runs something as root on a Linux host, and one that reads its standard input from a file.

The host itself says whether its user is root. Everything is one line, which any login shell understands, and a password
travels on standard input, before what the command reads there.
"""

from __future__ import annotations

from asr_migrate.hosts.quoting import posix

#: Where a connection that cannot send standard input puts it: below the home of the user who connects.
INBOX = "$HOME/.asr-migrate"
#: Stands between the password and the command's own input, because sudo reads the password only where it asks for one.
_MARK = "asr-migrate: the command's own input"


def as_root(command: str, *, sudo: bool | None, password: str = "") -> tuple[str, bytes]:
    """Return the line that runs ``command`` as root, and the bytes that go before its standard input.

    ``sudo`` None leaves it to the host: sudo is used unless the user's number is 0. ``password`` is what sudo asks the
    user for; without one sudo must not ask. sudo hears a wrong password once only, so that it locks nobody out.
    """
    if sudo is False:
        return command, b""
    if not password:
        asked = f"exec sudo -n {command}"
        return (asked.removeprefix("exec ") if sudo else _shell(f"{_unless_root(command)}{asked}")), b""
    skip = f'while IFS= read -r line && [ "$line" != "{_MARK}" ]; do :; done; exec {command}'
    told = (
        'printf "%s\\n" "$said" | sudo -S -p "" true || exit; '
        f'{{ printf "%s\\n" "$said" "{_MARK}"; cat; }} | sudo -S -p "" {_shell(skip)}'
    )
    head = "" if sudo else _unless_root(command)
    return _shell(f"IFS= read -r said; {head}{told}"), f"{password}\n".encode()


def _unless_root(command: str) -> str:
    return f'if [ "$(id -u)" = 0 ]; then exec {command}; fi; '


def make_inbox() -> str:
    """Return the line that makes an empty directory for its owner only and prints its path; what lay there is gone."""
    return _shell(f'umask 077; rm -rf "{INBOX}" && mkdir "{INBOX}" && printf "%s\\n" "{INBOX}"')


def clear_inbox() -> str:
    """Return the line that removes the directory."""
    return _shell(f'rm -rf "{INBOX}"')


def from_inbox(command: str, path: str) -> str:
    """Return the line that runs ``command`` on the content of ``path``; the directory is gone before it starts."""
    return _shell(f'exec <{posix(path)}; rm -rf "{INBOX}"; exec {command}')


def _shell(text: str) -> str:
    return f"sh -c {posix(text)}"
