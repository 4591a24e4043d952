"""Whatever a Windows host's firewall, registry and services are, a restoration makes them what they were."""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.firewall import Rule
from asr_lab.hosts.windows.state import Host
from asr_migrate.hosts.prepare import ConnectionLostError

from . import windows_hosts
from .test_windows_restored import PARTITION_MANAGER, SYSTEM_POLICIES, TERMINAL_SERVER, W32TIME, Controller
from .windows_hosts import FLAVOURS

KEEP = "keep"
STARTS: tuple[dict[str, Any], ...] = (
    {"Start": 2},
    {"Start": 2, "DelayedAutostart": 1},
    {"Start": 2, "DelayedAutostart": 0},
    {"Start": 3},
    {"Start": 3, "DelayedAutostart": 0},
    {"Start": 3, "DelayedAutostart": 1},
    {"Start": 4},
    {"Start": 4, "DelayedAutostart": 1},
)
VALUES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    (TERMINAL_SERVER, "fDenyTSConnections", (KEEP, None, 0, 1, "1")),
    (PARTITION_MANAGER, "SanPolicy", (KEEP, None, 1, 2, 3, 4, "4", {"binary": "01"})),
    (SYSTEM_POLICIES, "LocalAccountTokenFilterPolicy", (KEEP, None, 0, 1, "0", {"expand": "%x%"}, ["a", "b"])),
)


def disguise(chance: random.Random, host: Host, rule: Rule) -> None:
    """Toggle, narrow or double a built-in rule, or take it away."""
    text = rule.text()
    if chance.random() < 0.4:
        text = text.replace(f"Active={rule.first('Active')}", f"Active={'FALSE' if rule.active else 'TRUE'}")
    kind = chance.random()
    if kind < 0.05:
        host.registry.remove_value(firewall.RULES, rule.name)
        return
    if kind < 0.2:
        host.registry.set(firewall.RULES, rule.name, _narrowed(text, "Private", "Public"))
        host.registry.set(firewall.RULES, f"{rule.name}-NoScope", _narrowed(text, "Domain"))
        return
    if kind < 0.4:
        text = _narrowed(text, *chance.sample(["Domain", "Private", "Public"], chance.randint(1, 2)))
    if kind > 0.8:
        text = text.replace("App=System|", "RA4=LocalSubnet|App=System|")
    host.registry.set(firewall.RULES, rule.name, text)


def _narrowed(text: str, *profiles: str) -> str:
    named = "".join(f"Profile={profile}|" for profile in profiles)
    return re.sub(r"\|(Dir=\w+)\|", rf"|\1|{named}", text)


def any_host(chance: random.Random, directory: Path) -> Host:
    """Return a host that somebody has worked on for years."""
    host = windows_hosts.make(chance.choice(FLAVOURS), directory)
    for rule in firewall.rules(host.registry):
        if rule.first("EmbedCtxt"):
            disguise(chance, host, rule)
    for key, name, choices in VALUES:
        value = chance.choice(choices)
        if value != KEEP:
            host.registry.write(key, {name: value})
    if chance.random() < 0.2:
        host.registry.remove(PARTITION_MANAGER)
    host.registry.write(W32TIME, chance.choice(STARTS))
    (host.services.running.add if chance.random() < 0.5 else host.services.running.discard)("w32time")
    apply_fault(host, {"domain": chance.choice([None, "corp.example"]), "language": chance.choice(["en-US", "de-DE"])})
    return host


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_host_was_is_what_it_is_afterwards(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    host = any_host(chance, tmp_path)
    before, controller = windows_hosts.state(host), Controller(host)
    controller.cut_after = chance.choice([None, *range(26)])
    try:
        controller.prepare(push=True)
    except ConnectionLostError:
        controller.prepare(push=True)
    controller.cut_after = None
    assert controller.prepare(push=True)["changed"] is False
    controller.restore(push=True)
    assert windows_hosts.state(host) == before
    assert controller.record == {}
