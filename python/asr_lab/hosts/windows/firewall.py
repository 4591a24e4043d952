"""Windows Firewall: rules in the registry, in the text form Windows keeps them, and ``netsh advfirewall``.

A rule is one value below ``FirewallRules``:
``v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=445|...|EmbedCtxt= @FirewallAPI.dll,-28502|``. Groups are
known by the resource identifier in ``EmbedCtxt``; ``netsh`` takes that or the English display name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.result import Result, failed, ok

POLICY = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
RULES = POLICY + r"\FirewallRules"
GROUP_POLICY_RULES = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules"
FILE_SHARING = "@FirewallAPI.dll,-28502"
WMI = "@FirewallAPI.dll,-34251"
REMOTE_DESKTOP = "@FirewallAPI.dll,-28752"
GROUP_NAMES = {
    FILE_SHARING: "File and Printer Sharing",
    WMI: "Windows Management Instrumentation (WMI)",
    REMOTE_DESKTOP: "Remote Desktop",
}
GROUPS = {"file_sharing": FILE_SHARING, "wmi": WMI, "remote_desktop": REMOTE_DESKTOP}
PROFILES = (("DomainProfile", "Domain"), ("StandardProfile", "Private"), ("PublicProfile", "Public"))


@dataclass(frozen=True)
class Rule:
    """One rule: value name, version mark and its fields in order (a field may come several times, as ``Profile``
    does).
    """

    name: str
    version: str
    fields: tuple[tuple[str, str], ...]

    def first(self, key: str, default: str = "") -> str:
        """Return the first field of that key."""
        return next((value for field, value in self.fields if field.lower() == key.lower()), default)

    @property
    def active(self) -> bool:
        """Return whether the rule is in force."""
        return self.first("Active").upper() == "TRUE"

    def text(self) -> str:
        """Return the rule as the registry holds it."""
        return "|".join([self.version, *(f"{key}={value}" for key, value in self.fields), ""])


def parse(name: str, text: str) -> Rule:
    """Return the rule that a registry text describes."""
    version, *fields = [part for part in text.split("|") if part]
    pairs = tuple((key, value) for key, _, value in (field.partition("=") for field in fields))
    return Rule(name, version, pairs)


def compose(version: str, row: Mapping[str, Any]) -> Rule:
    """Return the rule of a flavour's row.

    Keys: ``id``, ``name`` (text, or the number of a text in FirewallAPI.dll), ``group`` (a key of ``GROUPS``), ``dir``,
    ``active``, ``protocol``, ``profiles``, ``lport``, ``app``.
    """
    name = row["name"]
    fields = [("Action", "Allow"), ("Active", "TRUE" if row.get("active") else "FALSE"), ("Dir", row.get("dir", "In"))]
    if row.get("protocol"):
        fields.append(("Protocol", str(row["protocol"])))
    fields += [("Profile", profile) for profile in row.get("profiles", ())]
    if row.get("lport"):
        fields.append(("LPort", str(row["lport"])))
    if row.get("app"):
        fields.append(("App", row["app"]))
    fields.append(("Name", f"@FirewallAPI.dll,{name}" if isinstance(name, int) else str(name)))
    if row.get("group"):
        fields.append(("EmbedCtxt", GROUPS[row["group"]]))
    return Rule(str(row["id"]), version, tuple(fields))


def rules(registry: Registry) -> list[Rule]:
    """Return the host's own rules (not those of group policy)."""
    return [parse(value.name, str(value.data)) for value in registry.values(RULES)]


def store(registry: Registry, changed: Iterable[Rule]) -> None:
    """Write rules to the registry."""
    for rule in changed:
        registry.set(RULES, rule.name, rule.text(), "REG_SZ")


def of_group(registry: Registry, group: str) -> list[Rule]:
    """Return the rules of a group, named by its identifier or its English name."""
    wanted = {group.lower()} | {key.lower() for key, name in GROUP_NAMES.items() if name.lower() == group.lower()}
    return [rule for rule in rules(registry) if rule.first("EmbedCtxt").lower() in wanted]


def group_open(registry: Registry, group: str) -> bool:
    """Return whether every inbound rule of a group is in force, which is what enabling the group means."""
    inbound = [rule for rule in of_group(registry, group) if rule.first("Dir") == "In"]
    return bool(inbound) and all(rule.active for rule in inbound)


def set_active(registry: Registry, chosen: Iterable[Rule], active: bool) -> int:
    """Switch rules on or off; return how many there were."""
    word = "TRUE" if active else "FALSE"
    changed = [
        Rule(rule.name, rule.version, tuple((key, word if key == "Active" else value) for key, value in rule.fields))
        for rule in chosen
    ]
    store(registry, changed)
    return len(changed)


def lets_in(registry: Registry, port: int) -> bool:
    """Return whether an inbound TCP connection to ``port`` passes: a profile's firewall is off, or a rule in force
    allows it.
    """
    if all(registry.number(f"{POLICY}\\{key}", "EnableFirewall") == 0 for key, _ in PROFILES):
        return True
    return any(
        rule.active and rule.first("Dir") == "In" and rule.first("Protocol", "6") == "6" and _covers(rule, port)
        for rule in rules(registry)
    )


def _covers(rule: Rule, port: int) -> bool:
    ports = [value for key, value in rule.fields if key == "LPort"]
    if not ports:
        return rule.first("Protocol") == "6"
    return any(str(port) in text.split(",") or (text == "RPC-EPMap" and port == 135) for text in ports)


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
    if "group" in settings:
        return of_group(registry, settings["group"])
    name = settings.get("name", "").lower()
    return [rule for rule in rules(registry) if name in ("all", rule.first("Name").lower())]


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
    unknown = (set(settings) - {"group", "name", "dir", "profile"}) | (set(new) - {"enable"})
    if unknown or new.get("enable", "").lower() not in ("yes", "no"):
        return _bad(next(iter(sorted(unknown)), "enable"))
    chosen = _chosen(registry, settings)
    if "dir" in settings:
        chosen = [rule for rule in chosen if rule.first("Dir").lower() == settings["dir"].lower()]
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
        profiles = ",".join(value for key, value in rule.fields if key == "Profile") or "Domain,Private,Public"
        protocol = "TCP" if rule.first("Protocol") == "6" else rule.first("Protocol", "Any")
        rows += [
            "",
            f"Rule Name:                            {rule.first('Name')}",
            "-" * 70,
            f"Enabled:                              {'Yes' if rule.active else 'No'}",
            f"Direction:                            {rule.first('Dir')}",
            f"Profiles:                             {profiles}",
            f"Grouping:                             {GROUP_NAMES.get(group, group)}",
            f"Protocol:                             {protocol}",
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
    count = len(rules(registry))
    row = {
        "id": f"{{{count:08X}-0000-4000-8000-000000000000}}",
        "dir": settings["dir"].capitalize(),
        "active": settings.get("enable", "yes").lower() == "yes",
        "protocol": {"tcp": 6, "udp": 17}.get(settings.get("protocol", "any").lower()),
        "lport": settings.get("localport"),
        "name": settings["name"],
    }
    rule = compose("v2.10", row)
    if settings["action"].lower() == "block":
        rule = Rule(rule.name, rule.version, (("Action", "Block"), *rule.fields[1:]))
    store(registry, [rule])
    return ok("Ok.", "")


def _delete(registry: Registry, settings: dict[str, str]) -> Result:
    if set(settings) - {"name", "dir"} or "name" not in settings:
        return _bad(next(iter(sorted(set(settings) - {"name", "dir"})), "name"))
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
