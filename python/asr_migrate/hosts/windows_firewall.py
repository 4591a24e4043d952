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
#: The TCP ports that a push comes in by; the last stands for those that programs are given (``LPort=RPC``).
PUSH_PORTS = (135, 139, 445, 49152)
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
_LOCAL = "hkey_local_machine\\system\\currentcontrolset\\services\\sharedaccess\\parameters\\firewallpolicy\\"
_POLICY_PROFILES = ("domainprofile", "standardprofile", "privateprofile", "publicprofile")
#: The keys that hold a profile's settings; the private profile was called the standard one.
_KEYS = {
    "domain": ("domainprofile",),
    "private": ("standardprofile", "privateprofile"),
    "public": ("publicprofile",),
}
_TCP = "6"
_DYNAMIC = 49152
_PORT_WORDS = {"rpc": range(_DYNAMIC, 65536), "rpc-epmap": range(135, 136)}
_SYSTEM_PORTS = (139, 445)
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

    def keeps_out(self, port: int, service: str = "") -> bool:
        """Return whether the rule is in force and blocks connections to TCP ``port``, on which ``service`` listens.

        A rule for one program or service and no port counts when that is the one which listens.
        """
        blocks = self.active and self.inbound and self.first("Action").lower() == "block"
        if not blocks or self.first("Protocol") not in ("", _TCP):
            return False
        ports = [part.strip() for key, value in self.fields if key.startswith("LPort") for part in value.split(",")]
        if ports:
            return any(port in _ports(word) for word in ports)
        if self.first("Svc"):
            return self.first("Svc").lower() == service.lower()
        program = self.first("App").lower()
        return not program or (program == "system" and port in _SYSTEM_PORTS)

    @property
    def narrowed(self) -> bool:
        """Whether the rule is for some remote addresses only."""
        return bool(self.all("RA4") or self.all("RA6"))


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
class Block:
    """What keeps connections out: ``what`` names it, ``profiles`` are where; ``narrowed``: not for everybody."""

    what: str
    profiles: tuple[str, ...]
    narrowed: bool = False

    @property
    def text(self) -> str:
        """What blocks, and where, in a few words."""
        some = " for some addresses" if self.narrowed else ""
        where = "" if self.profiles == PROFILES else f" in the profile {', '.join(self.profiles)}"
        return f"{self.what} blocks{some}{where}"


@dataclass(frozen=True)
class Firewall:
    """All rules of a host, and what its policy says: registry values by key below ``WindowsFirewall``, lower case.

    ``local`` holds the host's own settings of the profiles, by key below ``FirewallPolicy``.
    """

    rules: tuple[Rule, ...]
    policy: Mapping[str, Mapping[str, RegistryValue]]
    local: Mapping[str, Mapping[str, RegistryValue]]

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

    def blocks(self, port: int, service: str = "") -> tuple[Block, ...]:
        """Return what blocks connections to TCP ``port``, on which ``service`` listens, whatever else allows them.

        A rule that blocks wins against every rule that allows. Rules of a policy that belong to a built-in group are
        left to ``denies``. Source: Windows documentation, Windows Firewall rule precedence, DoNotAllowExceptions.
        """
        on = [profile for profile in PROFILES if self._setting(profile, "enablefirewall") != 0]
        own = [profile for profile in on if _first(self.policy, _KEYS[profile], "allowlocalpolicymerge") != 0]
        found = []
        for rules, counts in ((self.rules, own), (self.policy_rules, on)):
            for rule in rules:
                where = tuple(profile for profile in rule.profiles if profile in counts)
                if rules is self.rules or group_of(rule) not in GROUP_NAMES:
                    found += (
                        [Block(_called(rule), where, rule.narrowed)] if where and rule.keeps_out(port, service) else []
                    )
        shut = tuple(profile for profile in on if self._setting(profile, "donotallowexceptions") == 1)
        return (*found, *((Block("DoNotAllowExceptions = 1", shut),) if shut else ()))

    def blocked_profiles(self, port: int, service: str = "") -> tuple[str, ...]:
        """Return the profiles in which nobody can connect to TCP ``port``, because something blocks it."""
        shut = {profile for block in self.blocks(port, service) if not block.narrowed for profile in block.profiles}
        return tuple(profile for profile in PROFILES if profile in shut)

    def _setting(self, profile: str, name: str) -> int | None:
        """Return a setting of a profile; the policy's wins against the host's own."""
        by_policy = _first(self.policy, _KEYS[profile], name)
        return _first(self.local, _KEYS[profile], name) if by_policy is None else by_policy


def read(
    rules: Mapping[str, RegistryValue],
    policy: Mapping[str, Mapping[str, RegistryValue]],
    local: Mapping[str, Mapping[str, RegistryValue]] | None = None,
) -> Firewall:
    """Return the firewall from its rules' registry values, and the keys of policy and profiles as printed."""
    below = {key.removeprefix(_POLICY): values for key, values in policy.items()}
    return Firewall(rules_of(rules), below, {key.removeprefix(_LOCAL): values for key, values in (local or {}).items()})


def rules_of(values: Mapping[str, RegistryValue]) -> tuple[Rule, ...]:
    """Return the rules that registry values hold."""
    return tuple(Rule(value.name, value.data) for value in values.values() if "|" in value.data)


def _number(policy: Mapping[str, Mapping[str, RegistryValue]], key: str, name: str) -> int | None:
    value = policy.get(key, {}).get(name)
    return value.number if value else None


def _first(settings: Mapping[str, Mapping[str, RegistryValue]], keys: Iterable[str], name: str) -> int | None:
    numbers = (_number(settings, key, name) for key in keys)
    return next((number for number in numbers if number is not None), None)


def _ports(word: str) -> range:
    """Return the ports that a word of ``LPort`` names: a number, a range, or a keyword; none for other keywords."""
    first, _, last = word.partition("-")
    if first.isdecimal() and (last or first).isdecimal():
        return range(int(first), int(last or first) + 1)
    return _PORT_WORDS.get(word.lower(), range(0))


def _called(rule: Rule) -> str:
    """Return the rule's display name; the name of its registry value where that is a number of a text."""
    name = rule.first("Name")
    return f"the firewall rule '{rule.name if name.startswith('@') or not name else name}'"


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
