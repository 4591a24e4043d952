"""A Windows machine that is to be replicated: what its probe says, what stands in the way, and what is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, windows_facts, windows_probe
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker, warning
from asr_migrate.hosts.want import SourceWant, TimeService
from asr_migrate.hosts.windows_mobility import WindowsMobility, mobility_state

TOKEN_FILTER = "LocalAccountTokenFilterPolicy"
#: The firewall groups that a push needs, by the number of their name in FirewallAPI.dll.
PUSH_GROUPS = {"-28502": "File and Printer Sharing", "-34251": "Windows Management Instrumentation (WMI)"}

_PUSH = "Site Recovery documentation, prerequisites for push installation on Windows"
_ARTICLE = "migration article, prerequisites"


@dataclass(frozen=True)
class FirewallGroup:
    """The inbound rules of one built-in firewall group: how many there are, are off, and are denied by a policy."""

    rules: int
    off: int
    denied_by_policy: int

    @property
    def state(self) -> str:
        """``enabled``, ``disabled`` (all off), ``partly enabled`` or ``missing``."""
        if not self.rules:
            return "missing"
        if not self.off:
            return "enabled"
        return "disabled" if self.off == self.rules else "partly enabled"


@dataclass(frozen=True)
class SourceFacts:
    """What is known of a Windows source."""

    windows: windows_facts.WindowsFacts
    firmware: str | None
    virtualization: str | None
    storage_interface: str | None
    pv_driver: str
    token_filter: int | None
    firewall: Mapping[str, FirewallGroup]
    mobility: MobilityState
    reached: Mapping[tuple[str, int], bool | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result."""
        return {
            **self.windows.as_dict(),
            "firmware": self.firmware,
            "virtualization": self.virtualization,
            "storage_interface": self.storage_interface,
            "pv_driver": self.pv_driver,
            "token_filter_policy": self.token_filter,
            "firewall": {PUSH_GROUPS[group]: found.state for group, found in self.firewall.items()},
            "mobility": self.mobility.as_dict(),
            "reached": {f"{address}:{port}": answered for (address, port), answered in self.reached.items()},
        }


class WindowsSource:
    """The profile ``source`` on Windows."""

    def __init__(self, want: SourceWant) -> None:
        self._want = want
        self._mobility = WindowsMobility(want.mobility)
        self.settle_s = 600.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._mobility.secrets

    def probe(self) -> Exchange:
        return Exchange("probe", text.encoded(windows_probe.source(self._want.reach)))

    def read(self, answer: Answer) -> Reading:
        seen = self.facts(answer)
        return Reading(seen.as_dict(), seen)

    def facts(self, answer: Answer) -> SourceFacts:
        """Return what the probe's answer says."""
        common, found = windows_facts.read(answer)
        bios = output.registry_values(found["bios"])
        makers = " ".join((bios.get("systemmanufacturer", ""), bios.get("systemproductname", ""))).lower()
        firmware = output.number(output.registry_values(found["firmware"]), "PEFirmwareType")
        mine = output.registry_values(found["firewall"])
        policy = output.registry_values(found["firewall_policy"])
        return SourceFacts(
            windows=common,
            firmware=windows_facts.FIRMWARE.get(firmware or 0),
            virtualization="hvm" if any(maker in makers for maker in ("xen", "amazon")) else None,
            storage_interface=_storage_interface(common.installed),
            pv_driver=windows_facts.pv_driver(common.installed, output.registry_values(found["aws_pv"])),
            token_filter=output.number(dict(common.policies), TOKEN_FILTER),
            firewall={group: firewall_group(group, mine, policy) for group in PUSH_GROUPS},
            mobility=mobility_state(common, output.registry_values(found["mobility"])),
            reached=output.reached(found, self._want.reach),
        )

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(SourceFacts)
        findings = [*self._findings(seen), *self._mobility.findings(seen.windows.host_name, seen.mobility)]
        changes, commands, prior = self._host_changes(seen)
        exchanges = [self._apply(commands)] if commands else []
        mobility_changes, mobility_exchanges = self._mobility.steps(seen.mobility)
        return Plan(
            findings=tuple(findings),
            changes=(*changes, *mobility_changes),
            exchanges=(*exchanges, *mobility_exchanges),
            cleanup=self._mobility.cleanup() if mobility_exchanges else None,
            missing=self._mobility.missing() if mobility_exchanges else (),
            prior=prior,
        )

    def _findings(self, seen: SourceFacts) -> list[Finding]:
        host = seen.windows
        remedy = (
            "On the host run: w32tm /resync (and w32tm /config /syncfromflags:manual "
            "/manualpeerlist:169.254.169.123 on EC2)."
        )
        findings = checks.clock_findings(host.host_name, host.skew_s, self._want.time, remedy)
        findings += checks.reach_findings(host.host_name, seen.reached)
        if host.time_service != "running" and self._want.time_service is TimeService.REQUIRED:
            findings.append(time_service_stands_still(host.host_name, host.time_service))
        if not host.administrator:
            findings.append(
                blocker(
                    "windows.administrator",
                    f"the user that connects to {host.host_name} is no member of Administrators (95517)",
                    "Connect with a local or domain administrator; the push needs one too.",
                    _PUSH,
                )
            )
        if self._want.push:
            findings += self._push_findings(seen)
        return findings

    def _push_findings(self, seen: SourceFacts) -> list[Finding]:
        findings = []
        for group, found in seen.firewall.items():
            name = PUSH_GROUPS[group]
            if found.denied_by_policy:
                findings.append(
                    blocker(
                        "windows.firewall-by-policy",
                        f"a group policy denies the firewall group {name} on {seen.windows.host_name} (95105)",
                        f"Take the rule that blocks {name} out of the group policy; no local rule wins against it.",
                        _PUSH,
                    )
                )
            if found.state == "missing":
                findings.append(
                    warning(
                        "windows.firewall-group",
                        f"{seen.windows.host_name} has no rules of the firewall group {name}",
                        "Restore the default rules, or allow TCP 135, 139, 445 and 49152-65535 from the appliance "
                        "in your firewall.",
                        _PUSH,
                    )
                )
        free = seen.windows.free_bytes.get("c:")
        if free is not None and free < 600 * 2**20:
            findings.append(
                blocker(
                    "windows.free-space",
                    f"{seen.windows.host_name} has {free // 2**20} MiB free on C:; the push needs 100 MiB and the "
                    "installation 500 MiB (95524)",
                    "Free at least 600 MiB on C:.",
                    _PUSH,
                )
            )
        return findings

    def _host_changes(self, seen: SourceFacts) -> tuple[list[Change], list[str], dict[str, Any]]:
        """Return the changes, the lines that make them, and the values from before."""
        changes: list[Change] = []
        lines: list[str] = []
        prior: dict[str, Any] = {}
        if self._want.push and seen.token_filter != 1:
            before = None if seen.token_filter is None else str(seen.token_filter)
            changes.append(Change(TOKEN_FILTER, before, "1"))
            prior["token_filter_policy"] = seen.token_filter
            lines += _change(
                TOKEN_FILTER, *text.with_exit_code(text.reg_add_dword(windows_probe.SYSTEM_POLICIES, TOKEN_FILTER, 1))
            )
        for group, found in seen.firewall.items() if self._want.push else ():
            if found.state in ("disabled", "partly enabled"):
                what = f"firewall group {PUSH_GROUPS[group]}"
                changes.append(Change(what, found.state, "enabled"))
                prior.setdefault("firewall", {})[group] = found.state
                lines += _change(what, *text.with_exit_code(text.enable_firewall_group(group)))
        if self._want.time_service is TimeService.RUNNING and seen.windows.time_service != "running":
            changes.append(Change("service w32time", seen.windows.time_service, "running"))
            prior["time_service"] = seen.windows.time_service
            lines += _change("service w32time", *text.start_service(windows_probe.TIME_SERVICE))
        return changes, lines, prior

    def _apply(self, commands: list[str]) -> Exchange:
        return Exchange("change", text.encoded(text.lines(commands)), judge=judge_changes)


def _change(what: str, *commands: str) -> list[str]:
    return text.section(f"change {what}", *commands)


def _storage_interface(installed: frozenset[str]) -> str | None:
    """Return ``nvme`` or ``xen`` when only that kind of EC2 driver is installed; an image often carries both."""
    nvme, xen = windows_facts.NVME in installed, any(name in installed for name in windows_facts.XEN_PV)
    if nvme == xen:
        return None
    return "nvme" if nvme else "xen"


def firewall_group(group: str, rules: Mapping[str, str], policy: Mapping[str, str]) -> FirewallGroup:
    """Count the inbound rules of a group; a rule is one text such as ``v2.10|Action=Allow|Active=FALSE|Dir=In|...``."""
    mine = [rule for rule in rules.values() if f"EmbedCtxt=@FirewallAPI.dll,{group}|" in rule and "|Dir=In|" in rule]
    theirs = [rule for rule in policy.values() if f"EmbedCtxt=@FirewallAPI.dll,{group}|" in rule]
    off = sum("|Active=FALSE|" in rule for rule in mine)
    denied = sum("|Action=Block|" in rule and "|Active=TRUE|" in rule for rule in theirs)
    return FirewallGroup(len(mine), off, denied)


def time_service_stands_still(name: str, state: str) -> Finding:
    """Return the finding for a Windows Time service that does not run."""
    return blocker(
        "windows.time-service",
        f"the Windows Time service of {name} is {state}; its clock will drift until Site Recovery refuses it "
        "(ACS50008)",
        "On the host run: sc.exe config w32time start= auto, then sc.exe start w32time.",
        _ARTICLE,
    )


def judge_changes(answer: Answer) -> AsrMigrateError | None:
    """Return the error of the first change whose last command failed; its name stands in the marker."""
    for name, section in output.sections(answer.stdout).items():
        if not name.startswith("change ") or not section.exit_codes:
            continue
        code = section.exit_codes[-1]
        if code:
            return SetupError(
                f"{name} failed with exit code {code}: {(section.text.strip() or answer.stderr.strip())[:300]}",
                code="HostChangeFailed",
                cause="The host refused the command; a group policy or missing rights are the usual reasons.",
                remedy="Run the command on the host as an elevated administrator to see why, then run the playbook "
                "again.",
            )
    return None
