"""Every version of Windows Server x every precheck, broken one at a time on a host of the lab."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from asr_migrate.domain.readiness_rule import Severity

from . import windows_hosts
from .windows_hosts import APPLIANCE, FLAVOURS

POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
FIREWALL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
RULES, PUBLIC = FIREWALL + r"\FirewallRules", FIREWALL + r"\PublicProfile"
WMI_RULES = ("WMI-RPCSS-In-TCP", "WMI-WINMGMT-In-TCP", "WMI-WINMGMT-Out-TCP", "WMI-ASYNC-In-TCP")
CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
SHARES = r"HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters"
TERMINAL_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services"
INTERNET = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"
ROUTES = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\PersistentRoutes"
SECURE_BOOT = r"HKLM\SYSTEM\CurrentControlSet\Control\SecureBoot\State"
KB4474419 = SERVICING + r"\Packages\Package_for_KB4474419~31bf3856ad364e35~amd64~~6.1.3.2"
KB4490628 = SERVICING + r"\Packages\Package_for_KB4490628~31bf3856ad364e35~amd64~~6.1.1.2"
FIPS = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy"
OLD_KERNEL = {CURRENT: {"BuildLabEx": "7601.24214.amd64fre.win7sp1_ldr_escrow.180801-1700"}}
BLOCKED = "v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=445|Name=No shares|EmbedCtxt=@FirewallAPI.dll,-28502|"
MINE = "v2.10|Action=Block|Active=TRUE|Dir=In|Protocol=6|{}LPort=445|Name=Mine|"
PROXY = "1800000000000000030000000D00000031302E302E302E393A3331323800000000"
NOT_2008 = tuple(flavour for flavour in FLAVOURS if flavour != "2008r2")

BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING


@dataclass(frozen=True)
class Case:
    """One way to break a host: the rule that must be named, and the fault that breaks it."""

    rule: str
    severity: Severity
    fault: Mapping[str, Any]
    name: str = ""
    flavours: tuple[str, ...] = FLAVOURS
    want: Mapping[str, Any] = field(default_factory=dict)
    blocked_port: int | None = None
    firmware: str = ""

    @property
    def id(self) -> str:
        """Return a name for the test."""
        return f"{self.rule}-{self.name or self.severity}"


def _policy(key: str, **values: Any) -> dict[str, Any]:
    return {"registry": {f"{POLICY}\\{key}" if key else POLICY: values}}


CASES = (
    Case("windows.administrator", BLOCKER, {"token": "user"}),
    Case("windows.elevated", BLOCKER, {"token": "filtered"}, "filtered"),
    Case("windows.elevated", BLOCKER, {"built_in": False}, "local account"),
    Case(
        "windows.sha2-updates",
        BLOCKER,
        {"registry": {KB4474419: None, **OLD_KERNEL}},
        "no SHA-2",
        flavours=("2008r2",),
    ),
    Case(
        "windows.sha2-updates",
        BLOCKER,
        {"registry": {KB4490628: None, **OLD_KERNEL}},
        "old servicing stack",
        flavours=("2008r2",),
    ),
    Case("windows.free-space", BLOCKER, {"free_bytes": {"C:": 500 * 2**20}}),
    Case("windows.firewall-by-policy", BLOCKER, _policy("FirewallRules", NoShares=BLOCKED), "rule"),
    Case("windows.firewall-by-policy", BLOCKER, _policy(r"DomainProfile\Services\FileAndPrint", Enabled=0), "shares"),
    Case("windows.firewall-by-policy", BLOCKER, _policy(r"StandardProfile\RemoteAdminSettings", Enabled=0), "WMI"),
    Case("windows.firewall-by-policy", BLOCKER, _policy("PublicProfile", AllowLocalPolicyMerge=0), "merge"),
    Case("windows.firewall-block", BLOCKER, {"registry": {RULES: {"Mine": MINE.format("")}}}, "rule"),
    Case("windows.firewall-block", WARNING, {"registry": {RULES: {"Mine": MINE.format("Profile=Public|")}}}, "public"),
    Case(
        "windows.firewall-block",
        WARNING,
        {"registry": {PUBLIC: {"DoNotAllowExceptions": 1}}},
        "no exceptions",
        want={"remote_desktop": False},
    ),
    Case(
        "windows.remote-desktop",
        WARNING,
        {"registry": {RULES: {"Mine": MINE.format("").replace("445", "3389")}}},
        "blocked",
    ),
    Case("windows.firewall-group", WARNING, {"registry": {RULES: dict.fromkeys(WMI_RULES)}}),
    Case("windows.firewall-service", WARNING, {"service": {"MpsSvc": "stopped"}}),
    Case("windows.admin-share", BLOCKER, {"service": {"LanmanServer": "stopped"}}, "stopped"),
    Case("windows.admin-share", BLOCKER, {"service": {"LanmanServer": "disabled"}}, "disabled"),
    Case("windows.admin-share", BLOCKER, {"registry": {SHARES: {"AutoShareServer": 0}}}, "switched off"),
    Case("windows.wmi", BLOCKER, {"service": {"Winmgmt": "disabled"}}),
    Case("windows.pending-reboot", BLOCKER, {"registry": {SERVICING + r"\RebootPending": {}}}, "servicing"),
    Case("windows.pending-reboot", BLOCKER, {"registry": {UPDATE + r"\RebootRequired": {}}}, "update"),
    Case(
        "windows.pending-reboot",
        WARNING,
        {"registry": {SESSION_MANAGER: {"PendingFileRenameOperations": [r"\??\C:\x", ""]}}},
        "rename",
    ),
    Case("windows.bitlocker", BLOCKER, {"volumes": {"C:": [1, 1]}}, "on"),
    Case("windows.bitlocker", BLOCKER, {"volumes": {"D:": [0, 2]}}, "encrypting"),
    Case("windows.bitlocker", BLOCKER, {"volumes": {"D:": [2, 0]}}, "locked"),
    Case("windows.boot-disk", BLOCKER, {"disks": {"0": {"boot": None}}}, "none"),
    Case("windows.boot-disk", BLOCKER, {"disks": {"1": {"boot": 0}}}, "several"),
    Case("windows.boot-disk", BLOCKER, {"disks": {"1": {"letters": ["C:", "D:"]}}}, "C on several"),
    Case(
        "windows.boot-disk",
        WARNING,
        {"disks": {"0": {"letters": [None]}, "1": {"letters": ["D:", "C:"]}}},
        "C elsewhere",
    ),
    Case("windows.disks-known", WARNING, {"disks": {"0": {"letters": []}, "1": {"letters": []}}}),
    Case("windows.dynamic-disk", BLOCKER, {"disks": {"0": {"dynamic": True}}}, "system"),
    Case("windows.dynamic-disk", WARNING, {"disks": {"1": {"dynamic": True}}}, "data"),
    Case("windows.storage-spaces", BLOCKER, {"storage_spaces": ["Pool 1"]}, flavours=NOT_2008),
    Case(
        "windows.secure-boot",
        BLOCKER,
        {"registry": {SECURE_BOOT: {"UEFISecureBootEnabled": 1}}},
        flavours=NOT_2008,
        firmware="UEFI",
    ),
    Case("windows.fips", WARNING, {"registry": {FIPS: {"Enabled": 1}}}),
    Case("windows.time-service", BLOCKER, {"service": {"W32Time": "stopped"}}, want={"time_service": "required"}),
    Case("windows.persistent-routes", WARNING, {"registry": {ROUTES: {"10.9.0.0,255.255.0.0,10.20.1.1,1": ""}}}),
    Case("windows.winhttp-proxy", WARNING, {"registry": {INTERNET: {"WinHttpSettings": {"binary": PROXY}}}}),
    *(
        Case("windows.vss", WARNING, {"service": {name: "disabled"}}, name)
        for name in ("VSS", "swprv", "EventSystem", "COMSysApp")
    ),
    Case("windows.remote-desktop", WARNING, {"registry": {TERMINAL_POLICY: {"fDenyTSConnections": 1}}}, "policy"),
    Case("windows.remote-desktop", WARNING, {"service": {"TermService": "disabled"}}, "service"),
    Case("host.clock", BLOCKER, {"skew_s": 1000}, "ahead"),
    Case("host.clock", BLOCKER, {"skew_s": -1000}, "behind"),
    Case("host.clock", WARNING, {"skew_s": 400}),
    Case("host.reach", BLOCKER, {}, want={"reach": [(APPLIANCE, 9443)]}, blocked_port=9443),
)
BROKEN = [
    pytest.param(case, flavour, id=f"{flavour}-{case.id}".replace(" ", "_"))
    for case in CASES
    for flavour in case.flavours
]


@pytest.mark.parametrize("language", ["en-US", "de-DE"])
@pytest.mark.parametrize(("case", "flavour"), BROKEN)
def test_a_host_that_is_wrong_in_one_way_is_told_of_exactly_that(
    tmp_path: Path, cell: Callable[[str, str], None], case: Case, flavour: str, language: str
) -> None:
    cell(case.rule, f"windows-{flavour}")
    host = windows_hosts.make(flavour, tmp_path, {"language": language, **case.fault}, firmware=case.firmware)
    if case.blocked_port:
        host.uplink.blocked.add(case.blocked_port)
    found = windows_hosts.findings(host, **{"push": True, **case.want})
    assert {(finding.rule, finding.severity) for finding in found} == {(case.rule, case.severity)}
    assert all("app-1" in finding.text.lower() and finding.remedy for finding in found)


@pytest.mark.parametrize("domain", [None, "corp.example"])
@pytest.mark.parametrize("language", ["en-US", "de-DE"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_nothing_is_said_of_a_host_fresh_from_its_image(
    tmp_path: Path, flavour: str, language: str, domain: str | None
) -> None:
    host = windows_hosts.make(flavour, tmp_path, {"language": language, "domain": domain})
    assert windows_hosts.findings(host, push=True, reach=[(APPLIANCE, 443)]) == ()


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_facts_do_not_depend_on_the_display_language(tmp_path: Path, flavour: str) -> None:
    profile = windows_hosts.source(push=True)
    read = [
        profile.read(
            windows_hosts.send(
                windows_hosts.make(flavour, tmp_path / language, {"language": language}), profile.probe()
            )
        ).facts
        for language in ("en-US", "de-DE")
    ]
    assert read[0] == read[1]
