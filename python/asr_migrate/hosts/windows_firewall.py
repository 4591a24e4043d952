"""The rules of Windows Firewall as the registry holds them: groups, what a policy forbids, and how to name one rule.

A rule is one text: ``v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Domain|LPort=445|...|EmbedCtxt=@Firewall
API.dll,-28502|``. A field may come several times; no ``Profile`` means every profile. Groups are told by the number of
their name, which is the same in every display language. Source: Windows documentation, [MS-GPFAS] rule strings and
``netsh advfirewall firewall set rule``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from asr_migrate.hosts.windows_output import RegistryValue

FILE_SHARING = "-28502"
WMI = "-34251"
REMOTE_DESKTOP = "-28752"
GROUP_NAMES = {
    FILE_SHARING: "File and Printer Sharing",
    WMI: "Windows Management Instrumentation (WMI)",
    REMOTE_DESKTOP: "Remote Desktop",
}
#: The firewall groups that a push needs (Site Recovery documentation, push installation on Windows).
PUSH_GROUPS = (FILE_SHARING, WMI)
#: The rule that we add where the host's own rules do not let Remote Desktop in.
OUR_RULE = "asr-migrate Remote Desktop"

PROFILES = ("domain", "private", "public")
#: Keys below the policy's profiles that switch a whole exception on or off (Windows Firewall administrative template).
EXCEPTIONS = {
    FILE_SHARING: "services\\fileandprint",
    WMI: "remoteadminsettings",
    REMOTE_DESKTOP: "services\\remotedesktop",
}
_POLICY = "hkey_local_machine\\software\\policies\\microsoft\\windowsfirewall\\"
_POLICY_PROFILES = ("domainprofile", "standardprofile", "privateprofile", "publicprofile")
_TCP = "6"
_WITH_PORTS = {"6": "tcp", "17": "udp"}
_ICMP = {"1": ("icmpv4", "ICMP4"), "58": ("icmpv6", "ICMP6")}
#: What names a rule beside its group, in the order in which it is needed.
_ALWAYS = ("dir", "profile", "protocol", "localport")
_IF_NEEDED = ("service", "remoteip", "remoteport", "localip", "program")


@dataclass(frozen=True)
class Rule:
    """One rule; ``name`` is that of its registry value, ``text`` the value."""

    name: str
    text: str

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The fields in order, without the version in front."""
        split = (part.partition("=") for part in self.text.split("|")[1:] if part)
        return tuple((key, value.strip()) for key, _, value in split)

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(value for name, value in self.fields if name == key)

    def first(self, key: str) -> str:
        """Return the first value of a field; empty when the rule has none."""
        return next(iter(self.all(key)), "")

    @property
    def active(self) -> bool:
        """Whether the rule is in force."""
        return self.first("Active").upper() == "TRUE"

    @property
    def inbound(self) -> bool:
        """Whether the rule is about what comes in."""
        return self.first("Dir").lower() == "in"

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles that the rule is for, in the order of ``PROFILES``."""
        named = {value.lower() for value in self.all("Profile")}
        return tuple(profile for profile in PROFILES if profile in named or not named)

    def in_group(self, group: str) -> bool:
        """Return whether the rule belongs to a built-in group."""
        return self.first("EmbedCtxt").lower() == f"@firewallapi.dll,{group}"

    def is_like(self, other: str) -> bool:
        """Return whether ``other`` is the same rule; version and order are the firewall's own and do not count."""
        return sorted(self.fields) == sorted(Rule("", other).fields)

    def switched_on(self) -> Rule:
        """Return the rule as it is when it is in force."""
        return Rule(self.name, self.text.replace("|Active=FALSE|", "|Active=TRUE|"))

    def lets_in(self, port: int) -> bool:
        """Return whether the rule, when in force, allows TCP connections to Remote Desktop's ``port``."""
        if not self.inbound or self.first("Action").lower() != "allow" or self.first("Protocol") not in ("", _TCP):
            return False
        ports = [part for value in self.all("LPort") for part in value.split(",")]
        if not ports:
            return self.first("Svc").lower() == "termservice"
        return str(port) in ports


@dataclass(frozen=True)
class Group:
    """The inbound rules of one built-in group: how many there are, are off, and whether a policy denies them."""

    rules: int
    off: int
    denied: bool

    @property
    def state(self) -> str:
        """``enabled``, ``disabled`` (all off), ``partly enabled`` or ``missing``."""
        if not self.rules:
            return "missing"
        if not self.off:
            return "enabled"
        return "disabled" if self.off == self.rules else "partly enabled"


@dataclass(frozen=True)
class Firewall:
    """All rules of a host, and what its policy says: registry values by key below ``WindowsFirewall``, lower case."""

    rules: tuple[Rule, ...]
    policy: Mapping[str, Mapping[str, RegistryValue]]

    @property
    def policy_rules(self) -> tuple[Rule, ...]:
        """The rules that the policy brings."""
        return rules_of(self.policy.get("firewallrules", {}))

    def of_group(self, group: str) -> tuple[Rule, ...]:
        """Return the rules of a group, outbound ones too, because all of them are switched together."""
        return tuple(rule for rule in self.rules if rule.in_group(group))

    def named(self, display_name: str) -> tuple[Rule, ...]:
        """Return the rules that have a display name."""
        return tuple(rule for rule in self.rules if rule.first("Name") == display_name)

    def group(self, group: str) -> Group:
        """Return the state of a group."""
        mine = [rule for rule in self.of_group(group) if rule.inbound]
        return Group(len(mine), sum(not rule.active for rule in mine), self.denies(group))

    def denies(self, group: str) -> bool:
        """Return whether a policy blocks the group: by a rule, or by switching its exception off in a profile."""
        for rule in self.policy_rules:
            if rule.in_group(group) and rule.active and rule.first("Action").lower() == "block":
                return True
        return any(
            _number(self.policy, f"{profile}\\{EXCEPTIONS[group]}", "enabled") == 0 for profile in _POLICY_PROFILES
        )

    @property
    def ignores_local_rules(self) -> bool:
        """Whether a policy makes the host's own rules void in a profile."""
        return any(_number(self.policy, profile, "allowlocalpolicymerge") == 0 for profile in _POLICY_PROFILES)

    def closed_profiles(self, port: int, opened: Collection[Rule] = ()) -> tuple[str, ...]:
        """Return the profiles in which no rule lets Remote Desktop in, once the rules ``opened`` are in force."""
        helpful = [
            rule for rule in (*self.rules, *self.policy_rules) if rule.lets_in(port) and (rule.active or rule in opened)
        ]
        covered = {profile for rule in helpful for profile in rule.profiles}
        return tuple(profile for profile in PROFILES if profile not in covered)


def read(rules: Mapping[str, RegistryValue], policy: Mapping[str, Mapping[str, RegistryValue]]) -> Firewall:
    """Return the firewall from its rules' registry values and the policy's keys as printed."""
    below = {key.removeprefix(_POLICY): values for key, values in policy.items()}
    return Firewall(rules_of(rules), below)


def rules_of(values: Mapping[str, RegistryValue]) -> tuple[Rule, ...]:
    """Return the rules that registry values hold."""
    return tuple(Rule(value.name, value.data) for value in values.values() if "|" in value.data)


def _number(policy: Mapping[str, Mapping[str, RegistryValue]], key: str, name: str) -> int | None:
    value = policy.get(key, {}).get(name)
    return value.number if value else None


def group_of(rule: Rule) -> str:
    """Return the number of the rule's built-in group."""
    return rule.first("EmbedCtxt").rpartition(",")[2]


def selectors(rule: Rule) -> dict[str, str]:
    """Return all that ``netsh advfirewall firewall set rule`` can name a rule of a group by, in the order of need.

    What a rule does not restrict is left out: ``any`` might be understood as a value or as every value.
    """
    number = rule.first("Protocol")
    icmp = _ICMP.get(number)
    types = rule.first(icmp[1]) if icmp else ""
    protocol = f"{icmp[0]}:{types.replace(':', ',').replace('*', 'any')}" if icmp and types else number
    with_ports = number in _WITH_PORTS
    found = {
        "group": f"@FirewallAPI.dll,{group_of(rule)}",
        "dir": rule.first("Dir").lower(),
        "profile": ",".join(rule.profiles) if rule.all("Profile") else "",
        "protocol": _WITH_PORTS.get(number, protocol),
        "localport": ",".join(rule.all("LPort")) if with_ports else "",
        "service": rule.first("Svc"),
        "remoteip": _addresses(rule, "RA4", "RA6"),
        "remoteport": ",".join(rule.all("RPort")) if with_ports else "",
        "localip": _addresses(rule, "LA4", "LA6"),
        "program": rule.first("App"),
    }
    return {name: value for name, value in found.items() if value}


def _addresses(rule: Rule, *keys: str) -> str:
    return ",".join(dict.fromkeys(value for key in keys for value in rule.all(key)))


def switching_off(rules: Iterable[Rule], firewall: Firewall) -> tuple[list[dict[str, str]], tuple[Rule, ...]]:
    """Return selectors that switch exactly ``rules`` off, and those that nothing tells from one that must stay on.

    A whole group is named when none of its rules is to stay on.
    """
    wanted = list(rules)
    chosen: list[dict[str, str]] = []
    alike: list[Rule] = []
    for group in dict.fromkeys(group_of(rule) for rule in wanted):
        mine = [rule for rule in wanted if group_of(rule) == group]
        stay = [selectors(rule) for rule in firewall.of_group(group) if rule.active and rule not in mine]
        if not stay:
            chosen.append({"group": f"@FirewallAPI.dll,{group}"})
            continue
        for rule in mine:
            words = _telling(selectors(rule), stay)
            if words is None:
                alike.append(rule)
            elif words not in chosen:
                chosen.append(words)
    return chosen, tuple(alike)


def _telling(mine: Mapping[str, str], others: Iterable[Mapping[str, str]]) -> dict[str, str] | None:
    """Return the fewest selectors that match ``mine`` and none of ``others``, or None."""
    others = list(others)
    for needed in range(len(_IF_NEEDED) + 1):
        names = [name for name in ("group", *_ALWAYS, *_IF_NEEDED[:needed]) if name in mine]
        if all(any(_differs(name, mine[name], other.get(name, "")) for name in names) for other in others):
            return {name: mine[name] for name in names}
    return None


def _differs(name: str, mine: str, other: str) -> bool:
    """Return whether a selector leaves another rule out; profiles that overlap might both be matched."""
    if name == "profile":
        return bool(other) and not set(mine.split(",")) & set(other.split(","))
    return mine.lower() != other.lower()
