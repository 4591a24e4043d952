"""Windows Firewall: rules in the registry, in the text form Windows keeps them, and what they let in.

A rule is one value below ``FirewallRules``:
``v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=445|...|EmbedCtxt= @FirewallAPI.dll,-28502|``. Groups are
known by the resource identifier in ``EmbedCtxt``; ``netsh`` takes that or the English display name (see ``netsh``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asr_lab.hosts.windows.registry import Registry

POLICY = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
RULES = POLICY + r"\FirewallRules"
GROUP_POLICY_RULES = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules"
GROUP_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
NETWORKS = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles"
DYNAMIC_PORTS = 49152
"""The first TCP port that Windows gives to programs that ask for any."""
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


_ROW_FIELDS = {
    "lport": "LPort",
    "rport": "RPort",
    "icmp4": "ICMP4",
    "icmp6": "ICMP6",
    "ra4": "RA4",
    "app": "App",
    "svc": "Svc",
}
"""Keys of a flavour's row and the field of the registry text, in the order of the text."""


def compose(version: str, row: Mapping[str, Any]) -> Rule:
    """Return the rule of a flavour's row.

    Keys: ``id``, ``name`` and ``desc`` (text, or the number of a text in FirewallAPI.dll), ``group`` (a key of
    ``GROUPS``), ``dir``, ``active``, ``protocol``, ``profiles`` and those of ``_ROW_FIELDS``.
    """
    fields = [("Action", "Allow"), ("Active", "TRUE" if row.get("active") else "FALSE"), ("Dir", row.get("dir", "In"))]
    if row.get("protocol"):
        fields.append(("Protocol", str(row["protocol"])))
    fields += [("Profile", profile) for profile in row.get("profiles", ())]
    fields += [(field, str(row[key])) for key, field in _ROW_FIELDS.items() if row.get(key)]
    for key, field in (("name", "Name"), ("desc", "Desc")):
        if row.get(key):
            fields.append((field, f"@FirewallAPI.dll,{row[key]}" if isinstance(row[key], int) else str(row[key])))
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


def active_profile(registry: Registry) -> tuple[str, str]:
    """Return the profile of the network that the host is in, as key and as field: of a domain, private or public."""
    categories = [registry.number(f"{NETWORKS}\\{name}", "Category") for name in registry.subkeys(NETWORKS)]
    by_category = {2: PROFILES[0], 1: PROFILES[1]}
    return by_category.get(categories[0] or 0, PROFILES[2]) if categories else PROFILES[2]


def lets_in(registry: Registry, port: int) -> bool:
    """Return whether an inbound TCP connection to ``port`` passes: the firewall of the host's network is off, or a rule
    in force allows it and none forbids it. A group policy may say that the host's own rules do not count, and policy or
    host that no rule does (``DoNotAllowExceptions``).
    """
    key, profile = active_profile(registry)
    if registry.number(f"{POLICY}\\{key}", "EnableFirewall") == 0:
        return True
    if any(registry.number(f"{place}\\{key}", "DoNotAllowExceptions") for place in (GROUP_POLICY, POLICY)):
        return False
    by_policy = [parse(value.name, str(value.data)) for value in registry.values(GROUP_POLICY_RULES)]
    merged = registry.number(f"{GROUP_POLICY}\\{key}", "AllowLocalPolicyMerge") != 0
    chosen = [
        rule
        for rule in (*by_policy, *(rules(registry) if merged else ()))
        if rule.active and rule.first("Dir") == "In" and _in_profile(rule, profile) and _covers(rule, port)
    ]
    actions = {rule.first("Action") for rule in chosen}
    return "Allow" in actions and "Block" not in actions


def _in_profile(rule: Rule, profile: str) -> bool:
    named = [value for key, value in rule.fields if key == "Profile"]
    return not named or profile in named


def _covers(rule: Rule, port: int) -> bool:
    """Return whether a rule speaks of a TCP port; one for a program or service without a port has its dynamic ones."""
    if rule.first("Protocol", "6") != "6":
        return False
    ports = [word for key, value in rule.fields if key.startswith("LPort") for word in value.split(",")]
    if not ports:
        return port >= DYNAMIC_PORTS or not (rule.first("App") or rule.first("Svc"))
    return any(_is_in(port, word) for word in ports)


def _is_in(port: int, word: str) -> bool:
    """Return whether a word of ``LPort`` names the port: a number, a range, or a keyword."""
    if word in ("RPC", "RPC-EPMap"):
        return port >= DYNAMIC_PORTS if word == "RPC" else port == 135
    first, _, last = word.partition("-")
    return first.isdecimal() and int(first) <= port <= int(last or first)
