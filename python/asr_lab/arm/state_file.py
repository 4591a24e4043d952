"""The world in a file: written while the lab runs and when it ends, read when it starts again.

One line of text (what the file is, format, version of the package, checksum, and the shape of every record in it), then
a pickle of everything the world holds: resources, operations, what is due, faults, the tail of the log, the random
state, and the virtual time. What a running lab supplies anew is named in the pickle and not held by it: the world
itself, its hosts, its lock, and the objects that the caller names (``outside``).

Reading is strict. Only classes and functions of the simulated Azure and a few of Python's own are loaded; a file of
another format, another version, with a wrong checksum or with records that have other fields now is refused with
``StateFileUnusable``, which says what to do.
"""

import copyreg
import hashlib
import io
import json
import os
import pickle
import sys
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from functools import partial
from importlib import import_module, metadata
from operator import attrgetter
from pathlib import Path
from random import Random
from types import FunctionType
from typing import Any
from uuid import UUID

from asr_lab.arm.exchange_log import ExchangeLog
from asr_lab.arm.world import World

MAGIC = b"asr-lab-state "
FORMAT = 1
PROTOCOL = 5
LOG_TAIL = 1000
"""How many of the newest log entries are kept."""

_SUPPLIED = frozenset({"lock", "hosts"})
"""Attributes of a world that a running lab supplies anew."""

_PACKAGE = "asr_lab.arm."
_LEFT_OUT = ("admin", "certificates", "landing_zone", "server", "state_file", "web_page")
"""Modules of the package that no state needs, and that do more than remember."""

_PYTHON = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (
        *(bytearray, complex, dict, frozenset, list, object, set, slice, tuple),
        *(date, datetime, timedelta, timezone, partial, Random, UUID, Counter, OrderedDict, defaultdict, deque),
    )
}


class StateFileUnusable(Exception):
    """A state file cannot be used; ``path`` and ``reason`` say which and why, ``remedy`` what to do."""

    remedy = "begin anew with: lab up --fresh (it keeps the old file beside the new one, as world.state.old)"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}; {self.remedy}")
        self.path = path
        self.reason = reason


class StateNotKept(Exception):
    """The world holds something that no file can hold; the text names it."""


@dataclass(frozen=True)
class Saved:
    """What a file held beside the world: the virtual time, and what the caller had added by name."""

    now: datetime
    parts: dict[str, Any] = field(default_factory=dict)


def package_version() -> str:
    """Return the version of the package, or ``unknown`` when it runs without being installed."""
    try:
        return metadata.version("asr-migrate")
    except metadata.PackageNotFoundError:
        return "unknown"


def snapshot(
    world: World, now: datetime, *, outside: Mapping[str, object] | None = None, parts: Mapping[str, Any] | None = None
) -> bytes:
    """Return the content of a state file.

    ``outside`` names the objects that callbacks refer to and that the next lab makes anew; ``parts`` is plain data to
    keep beside the world. Raises StateNotKept.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=PROTOCOL)
    named = {"world": world, "hosts": world.hosts, **(outside or {})}
    pickler.dispatch_table = copyreg.dispatch_table.copy()
    for kind in {type(one) for one in named.values()}:
        pickler.dispatch_table[kind] = _Namer(named).reduce
    with world.lock:
        held = {name: value for name, value in vars(world).items() if name not in _SUPPLIED}
        held["log"] = _tail(world.log)
        try:
            pickler.dump({"now": now, "world": held, "parts": dict(parts or {})})
        except (pickle.PicklingError, AttributeError, TypeError, RecursionError) as error:
            raise StateNotKept(f"the world holds what no file can hold: {error}") from None
    content = buffer.getvalue()
    head = {
        "version": package_version(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "records": _shapes(),
    }
    return MAGIC + f"{FORMAT} {json.dumps(head, separators=(',', ':'))}\n".encode() + content


def write(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step; only its owner can read it."""
    new = path.with_name(path.name + ".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def restore(path: Path, world: World, *, outside: Mapping[str, object] | None = None) -> Saved:
    """Fill ``world`` with what the file holds and return the rest of it. Raises StateFileUnusable, OSError.

    The world is changed only when the whole file could be read.
    """
    head, content = _split(path)
    if head["version"] != package_version():
        reason = f"version {head['version']} of the package wrote it, this is version {package_version()}"
        raise StateFileUnusable(path, reason)
    if hashlib.sha256(content).hexdigest() != head["sha256"]:
        raise StateFileUnusable(path, "it is damaged: its checksum does not fit")
    named = {"world": world, "hosts": world.hosts, **(outside or {})}
    try:
        held = _Loader(io.BytesIO(content), named, head["records"]).load()
        kept, now, parts = dict(held["world"]), held["now"], dict(held["parts"])
        if not isinstance(now, datetime) or not kept.keys() >= vars(world).keys() - _SUPPLIED:
            raise _Unknown("it does not hold a whole world")
    except _Unknown as unknown:
        raise StateFileUnusable(path, str(unknown)) from None
    except Exception as error:
        raise StateFileUnusable(path, f"it cannot be read: {type(error).__name__}: {error}") from None
    with world.lock:
        vars(world).update({name: value for name, value in kept.items() if name not in _SUPPLIED})
    return Saved(now, parts)


def keep_aside(path: Path) -> Path | None:
    """Rename a state file to ``<name>.old``, in place of an older one, and return its new path; None without a file."""
    old = path.with_name(path.name + ".old")
    try:
        path.replace(old)
    except FileNotFoundError:
        return None
    return old


def _tail(log: ExchangeLog) -> ExchangeLog:
    """Return the newest exchanges as a log of their own, which counts as the whole one does."""
    newest = list(log)[-LOG_TAIL:]
    tail = ExchangeLog(kept=log.kept, seen=log.seen - len(newest), dropped=Counter(log.dropped))
    for entry in newest:
        tail.append(entry)
    return tail


def _split(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return the head and the pickle of a file of our format. Raises StateFileUnusable."""
    raw = path.read_bytes()
    line, _, content = raw.partition(b"\n")
    if not line.startswith(MAGIC):
        raise StateFileUnusable(path, "it is not a state file of the lab")
    number, _, told = line.removeprefix(MAGIC).partition(b" ")
    if number != str(FORMAT).encode():
        reason = f"its format is {number.decode(errors='replace')}, this version reads format {FORMAT}"
        raise StateFileUnusable(path, reason)
    try:
        head = json.loads(told)
        known = {"version": str, "sha256": str, "records": dict}
        if not all(isinstance(head[name], kind) for name, kind in known.items()):
            raise KeyError
    except (ValueError, KeyError, TypeError):
        raise StateFileUnusable(path, "it is damaged: its first line cannot be read") from None
    return head, content


class _Unknown(Exception):
    """The file holds what is not loaded; the text says what."""


class _Namer:
    """Writes the name of an object instead of the object."""

    def __init__(self, named: Mapping[str, object]) -> None:
        self._names = {id(one): name for name, one in named.items()}

    def reduce(self, one: object) -> str | tuple[Any, ...]:
        """Return how to find the object again; one that has no name is written like any other."""
        name = self._names.get(id(one))
        return one.__reduce_ex__(PROTOCOL) if name is None else (named_object, (name,))


def named_object(name: str) -> object:
    """Stand in the file for an object that the lab supplies; the loader puts its own function in this place."""
    raise LookupError(f"{name} is known to the loader only")


class _Loader(pickle.Unpickler):
    """Loads records of the simulated Azure and Python's own plain types, and nothing else."""

    def __init__(self, file: io.BytesIO, named: Mapping[str, object], shapes: Mapping[str, str]) -> None:
        super().__init__(file)
        self._named = named
        self._shapes = shapes

    def find_class(self, module: str, name: str) -> Any:
        """Return the class or function of this name. Raises _Unknown for all but those that a world is made of."""
        if (module, name) == (__name__, named_object.__name__):
            return self._supplied
        if (module, name) == ("builtins", "getattr"):
            return _method
        if (module, name) in _PYTHON:
            return _PYTHON[module, name]
        if not module.startswith(_PACKAGE) or module.removeprefix(_PACKAGE).split(".")[0] in _LEFT_OUT:
            raise _Unknown(f"it holds {module}.{name}, which is no part of the lab")
        try:
            found = attrgetter(name)(import_module(module))
        except (ImportError, AttributeError):
            raise _Unknown(f"it holds {module}.{name}, which this version does not have") from None
        if not isinstance(found, type | FunctionType) or found.__module__ != module:
            raise _Unknown(f"it holds {module}.{name}, which is no part of the lab")
        if isinstance(found, type) and is_dataclass(found) and self._shapes.get(_name(found)) != _shape(found):
            raise _Unknown(f"its records of {name} have other fields than this version's")
        return found

    def _supplied(self, name: str) -> object:
        if name not in self._named:
            raise _Unknown(f"it refers to '{name}', which this lab does not have")
        return self._named[name]


def _method(owner: object, name: str) -> Any:
    """Return a method of an object of the lab, or a member of one of its enumerations."""
    kind = owner if isinstance(owner, type) else type(owner)
    if name.startswith("__") or not kind.__module__.startswith("asr_lab."):
        raise _Unknown(f"it refers to {name} of {kind.__module__}.{kind.__qualname__}")
    return getattr(owner, name)


def _shapes() -> dict[str, str]:
    """Return a short sum of the field names of every record that the simulated Azure has loaded."""
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE):
            for one in vars(module).values():
                if isinstance(one, type) and is_dataclass(one) and one.__module__ == name:
                    found[_name(one)] = _shape(one)
    return found


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _shape(kind: Any) -> str:
    return f"{zlib.crc32(','.join(one.name for one in fields(kind)).encode()):08x}"
