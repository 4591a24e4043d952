"""``reg.exe``: query, add, copy and delete, with the output, texts and exit codes of the program."""

from collections.abc import Callable
from dataclasses import dataclass, field

from asr_lab.hosts.windows.registry import DEFAULT, TYPES, Data, Registry, Value, full_path
from asr_lab.hosts.windows.result import Result, failed, ok

_NOT_FOUND = "ERROR: The system was unable to find the specified registry key or value."
_FLAGS = {
    "query": {"/s", "/ve", "/k", "/reg:32", "/reg:64"},
    "add": {"/f", "/ve", "/reg:32", "/reg:64"},
    "copy": {"/s", "/f", "/reg:32", "/reg:64"},
    "delete": {"/f", "/ve", "/va", "/reg:32", "/reg:64"},
}
_OPTIONS = {"query": {"/v", "/f", "/t"}, "add": {"/v", "/t", "/d", "/s"}, "copy": set(), "delete": {"/v"}}


class _SyntaxError(Exception):
    """The command line is not one that reg.exe understands."""


@dataclass
class _Line:
    key: str
    flags: set[str] = field(default_factory=set)
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, verb: str, words: list[str]) -> "_Line":
        if not words:
            raise _SyntaxError
        try:
            line = cls(full_path(words[0]))
        except ValueError:
            raise _SyntaxError from None
        rest = iter(words[1:])
        for word in rest:
            name = word.lower()
            if name in _FLAGS[verb]:
                line.flags.add(name)
            elif name in _OPTIONS[verb]:
                value = next(rest, None)
                if value is None:
                    raise _SyntaxError
                line.options[name] = value
            else:
                raise _SyntaxError
        if "/reg:32" in line.flags:
            line.key = _redirected(line.key)
        return line

    @property
    def value_name(self) -> str | None:
        return DEFAULT if "/ve" in self.flags else self.options.get("/v")


def _redirected(key: str) -> str:
    software = r"HKEY_LOCAL_MACHINE\SOFTWARE"
    if key.lower().startswith(software.lower()) and "wow6432node" not in key.lower():
        return f"{software}\\Wow6432Node{key[len(software) :]}"
    return key


def reg(registry: Registry, words: list[str]) -> Result:
    """Answer ``reg query|add|copy|delete KEY ...``; exit code 0 or 1."""
    verb = words[0].lower() if words else ""
    acts: dict[str, Callable[[Registry, _Line], Result]] = {"query": _query, "add": _add, "delete": _delete}
    if verb == "copy" and len(words) > 2:
        return _copy(registry, words[1:])
    if verb not in acts:
        return failed(1, "ERROR: Invalid syntax.", 'Type "REG /?" for usage.')
    try:
        return acts[verb](registry, _Line.parse(verb, words[1:]))
    except _SyntaxError:
        return failed(1, "ERROR: Invalid syntax.", f'Type "REG {verb.upper()} /?" for usage.')


def _row(value: Value) -> str:
    return f"    {value.name or '(Default)'}    {value.kind}    {value.printed()}"


def _query(registry: Registry, line: _Line) -> Result:
    if not registry.has(line.key):
        return failed(1, _NOT_FOUND)
    if "/f" in line.options or "/t" in line.options:
        return _search(registry, line)
    if line.value_name is not None:
        return _query_value(registry, line, line.value_name)
    rows: list[str] = []
    keys = registry.below(line.key) if "/s" in line.flags else [line.key]
    for key in keys:
        values = registry.values(key)
        if values:
            rows += ["", key, *(_row(value) for value in values)]
    if "/s" not in line.flags:
        rows += ["", *(f"{line.key}\\{name}" for name in registry.subkeys(line.key))]
    else:
        rows.append("")
    return ok(*rows)


def _query_value(registry: Registry, line: _Line, name: str) -> Result:
    if "/s" in line.flags:
        rows: list[str] = []
        count = 0
        for key in registry.below(line.key):
            value = registry.value(key, name)
            if value:
                rows += ["", key, _row(value)]
                count += 1
        rows += ["", f"End of search: {count} match(es) found."]
        return Result(out=ok(*rows).out, code=0 if count else 1)
    value = registry.value(line.key, name)
    if value is None and name == DEFAULT:
        return ok("", line.key, "    (Default)    REG_SZ    (value not set)", "")
    if value is None:
        return failed(1, _NOT_FOUND)
    return ok("", line.key, _row(value), "")


def _search(registry: Registry, line: _Line) -> Result:
    pattern = line.options.get("/f", "*").lower()
    kinds = {kind.upper() for kind in line.options.get("/t", ",".join(TYPES)).split(",")}
    if kinds - set(TYPES):
        raise _SyntaxError
    rows: list[str] = []
    count = 0
    keys = list(registry.below(line.key)) if "/s" in line.flags else [line.key]
    for key in keys:
        found = [
            value
            for value in registry.values(key)
            if value.kind in kinds
            and "/k" not in line.flags
            and (pattern == "*" or pattern in value.name.lower() or pattern in value.printed().lower())
        ]
        named = "/t" not in line.options and key != line.key and pattern in key.rsplit("\\", 1)[1].lower()
        if found or named:
            rows += ["", key, *(_row(value) for value in found)]
            count += len(found) + int(named)
    rows += ["", f"End of search: {count} match(es) found."]
    return Result(out=ok(*rows).out, code=0 if count else 1)


def _parsed(kind: str, text: str) -> Data:
    if kind in ("REG_DWORD", "REG_QWORD"):
        try:
            number = int(text, 0)
        except ValueError:
            raise _SyntaxError from None
        if not 0 <= number < 1 << (32 if kind == "REG_DWORD" else 64):
            raise _SyntaxError
        return number
    if kind == "REG_MULTI_SZ":
        return text.split("\\0") if text else []
    if kind in ("REG_BINARY", "REG_NONE"):
        if len(text) % 2 or any(digit not in "0123456789abcdefABCDEF" for digit in text):
            raise _SyntaxError
        return text.upper()
    return text


def _add(registry: Registry, line: _Line) -> Result:
    if "/v" in line.options and "/ve" in line.flags:
        raise _SyntaxError
    if line.value_name is None:
        if {"/d", "/t"} & set(line.options):
            line.flags.add("/ve")
        else:
            registry.create(line.key)
            return ok("The operation completed successfully.", "")
    name = line.value_name or DEFAULT
    kind = line.options.get("/t", "REG_SZ").upper()
    if kind not in TYPES:
        raise _SyntaxError
    data = _parsed(kind, line.options.get("/d", "0" if kind in ("REG_DWORD", "REG_QWORD") else ""))
    if registry.value(line.key, name) and "/f" not in line.flags:
        return Result(out=f"Value {name or '(Default)'} exists, overwrite(Yes/No)? ", code=1)
    registry.set(line.key, name, data, kind)
    return ok("The operation completed successfully.", "")


def _copy(registry: Registry, words: list[str]) -> Result:
    """Answer ``reg copy KEY1 KEY2 [/s] [/f]``: its values, and with ``/s`` the keys below, over what is there."""
    try:
        line, target = _Line.parse("copy", [words[0], *words[2:]]), full_path(words[1])
    except (_SyntaxError, ValueError):
        return failed(1, "ERROR: Invalid syntax.", 'Type "REG COPY /?" for usage.')
    if not registry.has(line.key):
        return failed(1, _NOT_FOUND)
    if registry.has(target) and "/f" not in line.flags:
        return Result(out=f"{target} exists, overwrite(Yes/No/All)? ", code=1)
    for key in list(registry.below(line.key)) if "/s" in line.flags else [line.key]:
        place = target + key[len(line.key) :]
        registry.create(place)
        for value in registry.values(key):
            registry.set(place, value.name, value.data, value.kind)
    return ok("The operation completed successfully.", "")


def _delete(registry: Registry, line: _Line) -> Result:
    name = line.value_name
    if not registry.has(line.key) or (name is not None and registry.value(line.key, name) is None):
        return failed(1, _NOT_FOUND)
    if "/f" not in line.flags:
        what = f"the registry value {name}" if name is not None else f"the registry key {line.key}"
        return Result(out=f"Permanently delete {what} (Yes/No)? ", code=1)
    if name is not None:
        registry.remove_value(line.key, name)
    elif "/va" in line.flags:
        for value in registry.values(line.key):
            registry.remove_value(line.key, value.name)
    else:
        registry.remove(line.key)
    return ok("The operation completed successfully.", "")
