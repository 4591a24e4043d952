"""``cmd.exe /c``: the few things the lab's hosts do in it.

Understood: ``type``, ``mkdir``/``md``, ``del``, ``rmdir``/``rd``, ``move``, ``copy``, ``ren``, ``dir /b``, ``echo``,
``ver``, ``if [not] exist PATH (...) [else (...)]``, ``&``, ``&&``, ``||``, ``>nul``, ``2>nul``, ``%NAME%``, and the
native programs.
"""

import fnmatch
import ntpath
import re
from collections.abc import Callable

from asr_lab.hosts.windows import native, words
from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

ENVIRONMENT = {
    "programdata": r"C:\ProgramData",
    "programfiles": r"C:\Program Files",
    "programfiles(x86)": r"C:\Program Files (x86)",
    "systemdrive": "C:",
    "systemroot": r"C:\Windows",
    "windir": r"C:\Windows",
    "temp": r"C:\Users\Administrator\AppData\Local\Temp",
    "tmp": r"C:\Users\Administrator\AppData\Local\Temp",
    "userprofile": r"C:\Users\Administrator",
    "username": "Administrator",
}
_IF = re.compile(r'if\s+(not\s+)?exist\s+("[^"]*"|\S+)\s+(.*)', re.IGNORECASE)
_NUL = re.compile(r"\s*(1|2)?>\s*nul\b", re.IGNORECASE)
_JOIN = re.compile(r"&&|\|\||&")


def run(host: Host, line: str) -> Result:
    """Carry out a line of cmd.exe; unknown commands end with 1 and the text that cmd.exe prints."""
    expanded = re.sub(r"%([^%]+)%", lambda found: ENVIRONMENT.get(found.group(1).lower(), found.group()), line)
    if "\n" in expanded or "^" in expanded:
        return failed(255, "The syntax of the command is incorrect.")
    return _chain(host, expanded.strip())


def stripped(line: str) -> str:
    """Return what cmd.exe takes from behind ``/c``: without the outer quotes when there are any."""
    line = line.strip()
    return line[1:].rpartition('"')[0] if line.startswith('"') and line.count('"') >= 2 else line


def _chain(host: Host, line: str) -> Result:
    branch = _IF.match(line)
    if branch:
        return _branch(host, branch)
    cut = _outside(line, _JOIN)
    if cut is None:
        return _simple(host, line)
    first = _chain(host, line[: cut.start()].strip())
    go_on = {"&": True, "&&": first.code == 0, "||": first.code != 0}[cut.group()]
    if not go_on:
        return first
    second = _chain(host, line[cut.end() :].strip())
    return Result(first.out + second.out, first.err + second.err, second.code)


def _outside(line: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """Return the first match outside quotes and parentheses."""
    for found in pattern.finditer(line):
        before = line[: found.start()]
        if before.count('"') % 2 == 0 and before.count("(") == before.count(")"):
            return found
    return None


def _branch(host: Host, found: re.Match[str]) -> Result:
    negated, path, rest = found.group(1), found.group(2).strip('"'), found.group(3)
    holds = bool(_matching(host, path)) != bool(negated)
    blocks = re.fullmatch(r"\((.*?)\)(?:\s+else\s+\((.*)\))?", rest, re.IGNORECASE)
    chosen = rest if holds else ""
    if blocks:
        chosen = blocks.group(1) if holds else (blocks.group(2) or "")
    return _chain(host, chosen.strip()) if chosen.strip() else ok()


def _matching(host: Host, path: str) -> list[str]:
    folder, name = ntpath.split(path)
    if not any(mark in name for mark in "*?"):
        return [path] if host.files.exists(path) else []
    pattern = "*" if name == "*.*" else name
    return [
        node.path
        for node in host.files.children(folder)
        if fnmatch.fnmatchcase(ntpath.basename(node.path).lower(), pattern.lower())
    ]


def _simple(host: Host, line: str) -> Result:
    muted = {found.group(1) or "1" for found in _NUL.finditer(line)}
    line = _NUL.sub("", line).replace("2>&1", "").strip()
    if _outside(line, re.compile(r"[<>|]")):
        return failed(1, f"The lab's cmd.exe does not understand this redirection: {line}")
    name, _, rest = line.partition(" ")
    if name.startswith('"'):
        name, _, rest = line[1:].partition('"')
    try:
        result = _command(host, name, rest.strip())
    except ValueError as wrong:
        result = failed(1, f"The filename, directory name, or volume label syntax is incorrect. ({wrong})")
    return Result("" if "1" in muted else result.out, "" if "2" in muted else result.err, result.code)


def _command(host: Host, name: str, rest: str) -> Result:
    arguments = words.split(rest)
    builtin = BUILTINS.get(name.lower())
    if builtin is not None:
        return builtin(host, arguments)
    if name.lower() == "echo":
        return ok(rest)
    if name.lower() == "exit":
        return Result(code=int(arguments[-1]) if arguments and arguments[-1].lstrip("-").isdigit() else 0)
    program = native.find(host, name)
    if program is not None:
        return program(host, arguments)
    return failed(
        1, f"'{name}' is not recognized as an internal or external command,", "operable program or batch file."
    )


def _type(host: Host, names: list[str]) -> Result:
    if not names:
        return failed(1, "The syntax of the command is incorrect.")
    out, err = "", ""
    for name in names:
        found = [path for path in _matching(host, name) if not host.files.is_folder(path)]
        if not found:
            return Result(out, err + "The system cannot find the file specified.\r\n", 1)
        for path in found:
            if "*" in name or "?" in name or len(names) > 1:
                err += f"\r\n{path}\r\n\r\n\r\n"
            out += host.files.text(path) or ""
    return Result(out, err)


def _mkdir(host: Host, names: list[str]) -> Result:
    for name in names:
        if host.files.exists(name):
            return failed(1, f"A subdirectory or file {name} already exists.")
        host.files.make_folder(name)
    return ok() if names else failed(1, "The syntax of the command is incorrect.")


def _del(host: Host, names: list[str]) -> Result:
    switches, paths = _switches(names)
    if not paths or switches - {"/f", "/q", "/s", "/a"}:
        return failed(1, "The syntax of the command is incorrect.")
    missing = []
    for name in paths:
        found = [path for path in _matching(host, name) if not host.files.is_folder(path)]
        for path in found:
            host.files.remove(path)
        if not found:
            missing.append(f"Could Not Find {name}")
    return Result(err="".join(f"{row}\r\n" for row in missing))


def _rmdir(host: Host, names: list[str]) -> Result:
    switches, paths = _switches(names)
    if not paths or switches - {"/s", "/q"}:
        return failed(1, "The syntax of the command is incorrect.")
    for path in paths:
        if not host.files.is_folder(path):
            return failed(2, "The system cannot find the file specified.")
        if host.files.children(path) and "/s" not in switches:
            return failed(145, "The directory is not empty.")
        host.files.remove(path)
    return ok()


def _move(host: Host, names: list[str]) -> Result:
    switches, paths = _switches(names)
    if len(paths) != 2 or switches - {"/y"}:
        return failed(1, "The syntax of the command is incorrect.")
    found = _matching(host, paths[0])
    if not found:
        return failed(1, "The system cannot find the file specified.")
    for path in found:
        target = ntpath.join(paths[1], ntpath.basename(path)) if host.files.is_folder(paths[1]) else paths[1]
        host.files.move(path, target)
    return ok(f"        {len(found)} file(s) moved.")


def _copy(host: Host, names: list[str]) -> Result:
    switches, paths = _switches(names)
    if len(paths) != 2 or switches - {"/y", "/b"}:
        return failed(1, "The syntax of the command is incorrect.")
    found = [path for path in _matching(host, paths[0]) if not host.files.is_folder(path)]
    if not found:
        return failed(1, "The system cannot find the file specified.")
    for path in found:
        target = ntpath.join(paths[1], ntpath.basename(path)) if host.files.is_folder(paths[1]) else paths[1]
        host.files.write(target, host.files.read(path) or b"")
    return ok(f"        {len(found)} file(s) copied.")


def _ren(host: Host, names: list[str]) -> Result:
    if len(names) != 2 or "\\" in names[1]:
        return failed(1, "The syntax of the command is incorrect.")
    found = _matching(host, names[0])
    if len(found) != 1:
        return failed(1, "The system cannot find the file specified.")
    host.files.move(found[0], ntpath.join(ntpath.dirname(found[0]), names[1]))
    return ok()


def _dir(host: Host, names: list[str]) -> Result:
    switches, paths = _switches(names)
    if len(paths) != 1 or switches != {"/b"}:
        return failed(1, "The lab's cmd.exe lists folders with dir /b PATH only.")
    whole = host.files.is_folder(paths[0])
    found = [node.path for node in host.files.children(paths[0])] if whole else _matching(host, paths[0])
    return ok(*(ntpath.basename(path) for path in found)) if found or whole else failed(1, "File Not Found")


def _ver(host: Host, names: list[str]) -> Result:
    return (
        ok("", f"Microsoft Windows [Version {host.flavour.version}]")
        if not names
        else failed(1, "ver takes no argument")
    )


def _switches(names: list[str]) -> tuple[set[str], list[str]]:
    return {name.lower() for name in names if name.startswith("/")}, [
        name for name in names if not name.startswith("/")
    ]


BUILTINS: dict[str, Callable[[Host, list[str]], Result]] = {
    "type": _type,
    "mkdir": _mkdir,
    "md": _mkdir,
    "del": _del,
    "erase": _del,
    "rmdir": _rmdir,
    "rd": _rmdir,
    "move": _move,
    "copy": _copy,
    "ren": _ren,
    "dir": _dir,
    "ver": _ver,
}
