"""``netsh advfirewall``: rules chosen by group, name or what they say, switched, added, deleted and shown."""

from collections.abc import Callable, Mapping
from uuid import NAMESPACE_DNS, uuid5

from asr_lab.hosts.windows.firewall import (
    GROUP_NAMES,
    POLICY,
    PROFILES,
    RULES,
    Rule,
    compose,
    of_group,
    rules,
    set_active,
    store,
)
from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.result import Result, failed, ok

PROTOCOLS = {"tcp": "6", "udp": "17", "icmpv4": "1", "icmpv6": "58"}
_NAMED = {"6": "TCP", "17": "UDP", "1": "ICMPv4", "58": "ICMPv6"}


def _of(field: str) -> Callable[[Rule], str]:
    return lambda rule: rule.first(field, "any").lower()


_SELECTORS: dict[str, Callable[[Rule], str]] = {
    "dir": _of("Dir"),
    "profile": lambda rule: profiles(rule),
    "protocol": lambda rule: protocol(rule),
    "localport": _of("LPort"),
    "remoteport": _of("RPort"),
    "localip": _of("LA4"),
    "remoteip": _of("RA4"),
    "program": _of("App"),
    "service": _of("Svc"),
}
"""What narrows a choice of rules, and the value that a rule has for it; a rule that says nothing has ``any``."""


def profiles(rule: Rule) -> str:
    """Return the profiles of a rule as netsh takes them: ``any``, or names with commas, domain before public."""
    named = {value.lower() for key, value in rule.fields if key == "Profile"}
    return ",".join(name for name in ("domain", "private", "public") if name in named) or "any"


def protocol(rule: Rule) -> str:
    """Return the protocol of a rule as netsh takes it: a number, for ICMP with its type (``icmpv4:8,any``)."""
    for field, name in (("ICMP4", "icmpv4"), ("ICMP6", "icmpv6")):
        if rule.first(field):
            return f"{name}:{rule.first(field).replace(':', ',').replace('*', 'any')}"
    return rule.first("Protocol", "any").lower()


def netsh(registry: Registry, words: list[str]) -> Result:
    """Answer ``netsh advfirewall``: ``firewall set|show|add|delete rule`` and ``show allprofiles [state]``."""
    lower = [word.lower() for word in words]
    if lower[:3] == ["advfirewall", "show", "allprofiles"] and lower[3:] in ([], ["state"]):
        return _show_profiles(registry)
    if lower[:2] == ["advfirewall", "firewall"] and lower[3:4] == ["rule"] and len(words) > 4:
        settings, sep, new = _split(words[4:])
        verb = lower[2]
        if verb == "set" and sep:
            return _set(registry, settings, new)
        if verb == "show" and not sep:
            return _show(registry, settings)
        if verb == "add" and not sep:
            return _add(registry, settings)
        if verb == "delete" and not sep:
            return _delete(registry, settings)
    return failed(1, f"The following command was not found: {' '.join(words)}.")


def _split(words: list[str]) -> tuple[dict[str, str], bool, dict[str, str]]:
    lower = [word.lower() for word in words]
    cut = lower.index("new") if "new" in lower else len(words)
    pairs = [
        {key.lower(): value for key, _, value in (word.partition("=") for word in part)}
        for part in (words[:cut], words[cut + 1 :])
    ]
    return pairs[0], cut < len(words), pairs[1]


def _chosen(registry: Registry, settings: Mapping[str, str]) -> list[Rule]:
    """Return the rules of a group or a name that have every other value that was given."""
    if "group" in settings:
        found = of_group(registry, settings["group"])
    else:
        name = settings.get("name", "").lower()
        found = [rule for rule in rules(registry) if name in ("all", rule.first("Name").lower())]
    wanted = {key: _usual(key, value) for key, value in settings.items() if key in _SELECTORS}
    return [rule for rule in found if all(_SELECTORS[key](rule) == value for key, value in wanted.items())]


def _usual(key: str, value: str) -> str:
    lower = value.lower()
    return PROTOCOLS.get(lower, lower) if key == "protocol" else lower


def _no_match() -> Result:
    return Result(out="\r\nNo rules match the specified criteria.\r\n\r\n", code=1)


def _bad(word: str) -> Result:
    return failed(
        1,
        "",
        f"'{word}' is not a valid argument for this command.",
        "The syntax supplied for this command is not valid.",
        "",
    )


def _set(registry: Registry, settings: dict[str, str], new: dict[str, str]) -> Result:
    unknown = (set(settings) - {"group", "name", *_SELECTORS}) | (set(new) - {"enable"})
    if unknown or ("group" in settings and "name" in settings) or new.get("enable", "").lower() not in ("yes", "no"):
        return _bad(next(iter(sorted(unknown)), "enable"))
    chosen = _chosen(registry, settings)
    if not chosen:
        return _no_match()
    count = set_active(registry, chosen, new["enable"].lower() == "yes")
    return ok("", f"Updated {count} rule(s).", "Ok.", "")


def _show(registry: Registry, settings: dict[str, str]) -> Result:
    if set(settings) - {"name", "group", "dir", "verbose"}:
        return _bad(next(iter(sorted(set(settings) - {"name", "group", "dir", "verbose"}))))
    chosen = _chosen(registry, settings)
    if not chosen:
        return _no_match()
    rows: list[str] = []
    for rule in chosen:
        group = rule.first("EmbedCtxt")
        named = ",".join(value for key, value in rule.fields if key == "Profile") or "Domain,Private,Public"
        number = rule.first("Protocol", "Any")
        rows += [
            "",
            f"Rule Name:                            {rule.first('Name')}",
            "-" * 70,
            f"Enabled:                              {'Yes' if rule.active else 'No'}",
            f"Direction:                            {rule.first('Dir')}",
            f"Profiles:                             {named}",
            f"Grouping:                             {GROUP_NAMES.get(group, group)}",
            f"Protocol:                             {_NAMED.get(number, number)}",
            f"LocalPort:                            {rule.first('LPort', 'Any')}",
            f"Action:                               {rule.first('Action')}",
        ]
    return ok(*rows, "Ok.", "")


def _add(registry: Registry, settings: dict[str, str]) -> Result:
    known = {"name", "dir", "action", "protocol", "localport", "enable", "profile"}
    if set(settings) - known or not {"name", "dir", "action"} <= set(settings):
        return _bad(next(iter(sorted(set(settings) - known)), "name"))
    if settings["dir"].lower() not in ("in", "out") or settings["action"].lower() not in ("allow", "block"):
        return _bad("dir" if settings["dir"].lower() not in ("in", "out") else "action")
    named = settings.get("profile", "any").lower()
    if set(named.split(",")) - {"any", "domain", "private", "public"}:
        return _bad("profile")
    there = rules(registry)
    row = {
        "id": f"{{{uuid5(NAMESPACE_DNS, settings['name'] + str(len(there)))}}}".upper(),
        "dir": settings["dir"].capitalize(),
        "active": settings.get("enable", "yes").lower() == "yes",
        "protocol": PROTOCOLS.get(settings.get("protocol", "any").lower()),
        "profiles": [] if named == "any" else [name.capitalize() for name in named.split(",")],
        "lport": settings.get("localport"),
        "name": settings["name"],
    }
    rule = compose(there[0].version if there else "v2.10", row)
    if settings["action"].lower() == "block":
        rule = Rule(rule.name, rule.version, (("Action", "Block"), *rule.fields[1:]))
    store(registry, [rule])
    return ok("Ok.", "")


def _delete(registry: Registry, settings: dict[str, str]) -> Result:
    if set(settings) - {"name", *_SELECTORS} or "name" not in settings:
        return _bad(next(iter(sorted(set(settings) - {"name", *_SELECTORS})), "name"))
    chosen = _chosen(registry, settings)
    if not chosen:
        return _no_match()
    for rule in chosen:
        registry.remove_value(RULES, rule.name)
    return ok("", f"Deleted {len(chosen)} rule(s).", "Ok.", "")


def _show_profiles(registry: Registry) -> Result:
    rows: list[str] = []
    for key, name in PROFILES:
        state = "OFF" if registry.number(f"{POLICY}\\{key}", "EnableFirewall") == 0 else "ON"
        rows += ["", f"{name} Profile Settings: ", "-" * 70, f"State                                 {state}"]
    return ok(*rows, "", "Ok.", "")
