"""Quoting of arguments for the two shells that scripts of ours run in; nothing else builds an argument.

Every function raises InputError for a text that cannot be passed safely, naming the text (never call these with a
secret: secrets travel through standard input).
"""

from asr_migrate.domain.errors import InputError

#: PowerShell ends a single-quoted string at any of these and doubles them to escape (about_Quoting_Rules).
POWERSHELL_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"


def _refuse(text: str, remedy: str) -> InputError:
    return InputError("argument of a host command", text, f"{text!r} cannot be passed safely", remedy=remedy)


def posix(text: str) -> str:
    """Return ``text`` as one word for a POSIX shell: always in single quotes, a single quote as ``'\\''``."""
    if "\0" in text:
        raise _refuse(text, "Take the NUL character out.")
    return "'" + text.replace("'", "'\\''") + "'"


def powershell(text: str) -> str:
    """Return ``text`` as a PowerShell literal string in single quotes; nothing in it is expanded."""
    if any(ord(character) < 32 for character in text):
        raise _refuse(text, "Take the line break or control character out.")
    for quote in POWERSHELL_SINGLE_QUOTES:
        text = text.replace(quote, quote * 2)
    return "'" + text + "'"


def native(*arguments: str) -> str:
    """Return arguments for a native Windows command, quoted for PowerShell 2 to 5.1, joined by blanks.

    These versions drop an empty argument, pass a double quote on unescaped, and put a text with blanks into double
    quotes without doubling a backslash before the closing one; so such texts are refused rather than sent wrong.
    """
    for argument in arguments:
        if not argument:
            raise _refuse(argument, "Give a text that is not empty.")
        if '"' in argument:
            raise _refuse(argument, "Windows PowerShell cannot pass a double quote to a program; take it out.")
        if " " in argument and argument.endswith("\\"):
            raise _refuse(argument, "Leave out the backslash at the end of a path with blanks.")
    return " ".join(powershell(argument) for argument in arguments)


def cmd_path(text: str) -> str:
    """Return a path for a command line of ``cmd /c``: it must be plain, because cmd has no reliable quoting.

    Allowed are letters, digits and ``:\\/._-*``; our own working paths are made so.
    """
    if not text or not all(
        character.isascii() and (character.isalnum() or character in ":\\/._-*") for character in text
    ):
        raise _refuse(text, "Use a path of letters, digits and : \\ . _ - only.")
    return text
