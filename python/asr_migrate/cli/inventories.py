"""The inventory that a command is given: whether it is there, and which waves it has."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr_migrate.cli import processes
from asr_migrate.domain.errors import InputError

WAVE_GROUP = "wave_"
_LONG = ("--inventory", "--inventory-file")


def named(arguments: Sequence[str]) -> list[str]:
    """Return the inventories that arguments for Ansible name: ``-i X``, ``-iX``, ``--inventory X`` or ``=X``."""
    found: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-i" or word in _LONG:
            found += [value for value in (next(words, None),) if value]
        elif word.startswith("-i"):
            found.append(word[2:])
        elif word.startswith(tuple(f"{name}=" for name in _LONG)):
            found.append(word.partition("=")[2])
    return found


def require(arguments: Sequence[str]) -> None:
    """Raise InputError for an inventory in ``arguments`` that does not exist; a list of hosts holds a comma."""
    for name in named(arguments):
        if "," not in name and not Path(name).exists():
            raise InputError(
                "-i",
                name,
                f"there is no file or folder {name}",
                remedy="Give the path of your copy of inventory/example, seen from this folder.",
            )


def machines(arguments: Sequence[str], environment: Mapping[str, str], waves: Sequence[str]) -> dict[str, str]:
    """Return every machine of an inventory and its wave; ``waves`` limits them, none means all.

    ``arguments`` name the inventory as for Ansible. Raises InputError for a wave that the inventory does not have or
    that is empty, SetupError, quoting Ansible, when it cannot be read.
    """
    line = [processes.program("ansible-inventory"), *arguments, "--list"]
    listed = json.loads(processes.capture(line, environment, Path.cwd(), "reading the inventory"))
    known = {name.removeprefix(WAVE_GROUP): _hosts(listed, name) for name in listed if name.startswith(WAVE_GROUP)}
    if unknown := sorted(wave for wave in set(waves) if not known.get(wave)):
        have = ", ".join(sorted(name for name, hosts in known.items() if hosts)) or "none"
        raise InputError(
            "--wave",
            ", ".join(unknown),
            f"the inventory has no machine in {', '.join(WAVE_GROUP + wave for wave in unknown)}",
            remedy=f"The inventory has machines in these waves: {have}.",
        )
    return {host: wave for wave, hosts in known.items() if not waves or wave in waves for host in hosts}


def _hosts(listed: Mapping[str, Any], group: str) -> list[str]:
    found = [str(host) for host in listed.get(group, {}).get("hosts", [])]
    return found + [host for child in listed.get(group, {}).get("children", []) for host in _hosts(listed, child)]


def limit(waves: Sequence[str]) -> list[str]:
    """Return the arguments that keep Ansible to these waves, their appliances and the controller."""
    if not waves:
        return []
    groups = [name for wave in waves for name in (f"{WAVE_GROUP}{wave}", f"landing_zone_{wave}")]
    return ["--limit", ",".join([*groups, "localhost"])]
