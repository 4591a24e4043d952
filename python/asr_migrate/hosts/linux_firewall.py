"""Whether a Linux host's own firewall lets a TCP port in, by what nft and iptables list.

Only what is plain is judged: a chain that filters what comes in, drops or rejects the rest, and nowhere an accept for
the port or for everything. Any other construction counts as open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_NEUTRAL = re.compile(r"\b(ct state|icmp|icmpv6|l4proto)\b|iif(name)? \"?lo\b|--(ctstate|state)\b|-i lo\b|-p icmp")


def closes(rules: Iterable[str], port: str) -> bool:
    """Return whether the rules, as ``nft list ruleset`` or ``iptables -S`` print them, keep ``port`` out."""
    lines = [line.strip() for line in rules]
    legacy = [line for line in lines if line.startswith("-")]
    return _iptables(legacy, port) or _nft([line for line in lines if not line.startswith("-")], port)


def _names(port: str, ports: str) -> bool:
    """Return whether a list or range of ports ("22", "ssh", "{ 22, 80 }", "20:25", "1-1024") holds ``port``."""
    for word in re.findall(r"[\w:-]+", ports):
        low, _, high = re.sub(r":|-", " ", word).partition(" ")
        if word in (port, "ssh") or (low.isdigit() and high.isdigit() and int(low) <= int(port) <= int(high)):
            return True
    return False


def _lets_in(line: str, port: str) -> bool:
    """Return whether one rule accepts the port, or everything (not only answers, loopback or ICMP)."""
    if not re.search(r"\baccept\b|-j ACCEPT\b", line):
        return False
    named = re.search(r"dports? (\{[^}]*\}|[^ ]+)", line)
    if named:
        return named[1].startswith(("@", "vmap")) or _names(port, named[1])
    return not _NEUTRAL.search(line) and "udp" not in line


def _iptables(lines: list[str], port: str) -> bool:
    inbound = [line for line in lines if line.startswith(("-A INPUT", "-P INPUT"))]
    chains = _reached("INPUT", lines)
    shut = "-P INPUT DROP" in inbound or any(re.fullmatch(r"-A INPUT -j (DROP|REJECT).*", line) for line in inbound)
    rules = [line for line in lines if line.startswith("-A ") and line.split()[1] in chains]
    return shut and not any(_lets_in(line, port) for line in rules)


def _reached(first: str, lines: list[str]) -> set[str]:
    """Return a chain of iptables and all that it jumps to."""
    found, waiting = {first}, [first]
    while waiting:
        chain = waiting.pop()
        for line in lines:
            jump = re.match(rf"-A {re.escape(chain)} .*-[jg] (\S+)", line)
            if jump and jump[1] not in found:
                found.add(jump[1])
                waiting.append(jump[1])
    return found


def _nft(lines: list[str], port: str) -> bool:
    """Judge each table's input hooks; a table that shuts the port out shuts it out whatever the others say."""
    for chains in _tables(lines).values():
        hooks = [name for name, rules in chains.items() if any("hook input" in rule for rule in rules)]
        for name in hooks:
            rules = chains[name]
            policy = any(re.search(r"policy drop", rule) for rule in rules)
            last = bool(rules) and re.match(r"(counter( packets \d+ bytes \d+)? )?(drop|reject)", rules[-1]) is not None
            reached = [rule for chain in _reached_nft(name, chains) for rule in chains.get(chain, ())]
            if (policy or last) and not any(_lets_in(rule, port) for rule in reached if "hook " not in rule):
                return True
    return False


def _tables(lines: list[str]) -> dict[str, dict[str, list[str]]]:
    tables: dict[str, dict[str, list[str]]] = {}
    chains: dict[str, list[str]] = {}
    rules: list[str] = []
    for line in lines:
        if line.startswith("table "):
            chains = tables.setdefault(line, {})
        elif found := re.match(r"chain (\S+)", line):
            rules = chains.setdefault(found[1], [])
        elif line != "}":
            rules.append(line)
    return tables


def _reached_nft(first: str, chains: Mapping[str, list[str]]) -> list[str]:
    found, waiting = [first], [first]
    while waiting:
        for rule in chains.get(waiting.pop(), ()):
            for name in re.findall(r"(?:jump|goto) (\S+)", rule):
                name = name.rstrip(",}")
                if name not in found:
                    found.append(name)
                    waiting.append(name)
    return found
