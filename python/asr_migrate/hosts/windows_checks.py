"""What stands in the way of replicating a Windows machine, and what deserves a look.

The rules about versions of Windows and PV drivers are readiness rules (``asr_migrate.domain.readiness_rules``), which
the assessment applies to the facts of the same probe.
"""

from __future__ import annotations

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, windows_disks, windows_probe
from asr_migrate.hosts.plan import blocker, warning
from asr_migrate.hosts.want import SourceWant, TimeService
from asr_migrate.hosts.windows_firewall import GROUP_NAMES, PROFILES, PUSH_GROUPS, PUSH_PORTS, REMOTE_DESKTOP
from asr_migrate.hosts.windows_mobility import WindowsMobility
from asr_migrate.hosts.windows_source_facts import SHA2_ONLY, SourceFacts

#: 100 MB for the pushed package and 500 MB for the installation (Site Recovery documentation).
INSTALL_FREE_MIB = 600

_ARTICLE = "migration article, prerequisites"
_PUSH = "Site Recovery documentation, prerequisites for push installation on Windows"
_MOBILITY = "Site Recovery documentation, Mobility service"
_MATRIX = "Site Recovery documentation, support matrix"
_CUT_OVER = "Site Recovery documentation, prepare to connect to Azure VMs after failover"
_VSS = "Site Recovery documentation, errors of the VSS provider"
CLOCK_REMEDY = (
    "On the host run: w32tm /resync (and w32tm /config /syncfromflags:manual /manualpeerlist:169.254.169.123 on EC2)."
)


def findings(seen: SourceFacts, want: SourceWant) -> list[Finding]:
    """Return every finding; of a host whose Mobility service is installed only what still matters to replication."""
    name = seen.windows.host_name
    upgrading = runs_installer(seen, want)
    installing = upgrading or not seen.mobility.installed
    found = checks.clock_findings(name, seen.windows.skew_s, want.time, CLOCK_REMEDY)
    found += checks.reach_findings(name, seen.reached)
    found += _time_service(seen, want)
    found += account_findings(seen, want)
    found += _system(seen)
    found += _restart(seen, installing)
    found += windows_disks.findings(name, seen.disks) or _disks_unknown(seen)
    found += _snapshots(seen)
    found += _firewall_service(seen, want)
    found += _after_failover(seen, want)
    if installing:
        found += _installation(seen)
    if installing and want.push and not upgrading:
        found += _push(seen)
    return found


def runs_installer(seen: SourceFacts, want: SourceWant) -> bool:
    """Whether this run installs or upgrades the Mobility service, also one that is registered (moved, or older)."""
    return WindowsMobility(want.mobility).runs_installer(seen.windows.os_name, seen.mobility)


def installer_findings(seen: SourceFacts, want: SourceWant) -> list[Finding]:
    """Return what stands in the way of the Mobility service's installer alone, and of every change."""
    found = account_findings(seen, want)
    return found + _restart(seen, True) + _installation(seen) if runs_installer(seen, want) else found


def time_service_stands_still(name: str, state: str) -> Finding:
    """Return the finding for a Windows Time service that does not run."""
    return blocker(
        "windows.time-service",
        f"the Windows Time service of {name} is {state}; its clock will drift until Site Recovery refuses it "
        "(ACS50008)",
        "On the host run: sc.exe config w32time start= auto, then sc.exe start w32time.",
        _ARTICLE,
    )


def _time_service(seen: SourceFacts, want: SourceWant) -> list[Finding]:
    """Say that the time service stands still when it is not to be started, or cannot be, for it is not installed."""
    state, start = seen.windows.time_service, seen.services[windows_probe.TIME_SERVICE].start
    refused = want.time_service is TimeService.REQUIRED and state != "running"
    unable = want.time_service is TimeService.RUNNING and start == "missing"
    return [time_service_stands_still(seen.windows.host_name, state)] if refused or unable else []


def account_findings(seen: SourceFacts, _want: SourceWant) -> list[Finding]:
    """Return the finding for an account that can change nothing on the host."""
    name = seen.windows.host_name
    who = seen.account.name or "the user that connects"
    if not seen.windows.administrator:
        return [
            blocker(
                "windows.administrator",
                f"{who} on {name} is no member of Administrators (95517)",
                "Connect with a local or domain administrator; the push needs one too.",
                _PUSH,
            )
        ]
    if not seen.windows.elevated:
        return [
            blocker(
                "windows.elevated",
                f"{who} on {name} is an administrator without an elevated token and can change and install nothing",
                "Connect as a domain administrator or the built-in Administrator, or on the host set "
                "LocalAccountTokenFilterPolicy to 1 as an elevated administrator: REG ADD "
                "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System /v LocalAccountTokenFilterPolicy "
                "/t REG_DWORD /d 1 /f",
                _PUSH,
            )
        ]
    return []


def _system(seen: SourceFacts) -> list[Finding]:
    name = seen.windows.host_name
    found = []
    if seen.secure_boot:
        found.append(
            blocker(
                "windows.secure-boot",
                f"{name} starts with Secure Boot, which Site Recovery does not support for its sources",
                "Switch Secure Boot off in the firmware's settings (on EC2: run the instance from an image that was "
                "registered without Secure Boot keys).",
                _MATRIX,
            )
        )
    if seen.fips:
        found.append(
            warning(
                "windows.fips",
                f"{name} allows FIPS compliant algorithms only (FipsAlgorithmPolicy = 1), which the support matrix "
                "leaves out",
                "Switch 'System cryptography: Use FIPS compliant algorithms' off until the machine has moved, or run "
                "a test failover of it first.",
                _MATRIX,
            )
        )
    return found


def _disks_unknown(seen: SourceFacts) -> list[Finding]:
    """WMI tells of the disks, to an administrator; when it is switched off for good, ``windows.wmi`` says so."""
    if seen.disks.seen or not seen.windows.elevated or seen.services["Winmgmt"].start in ("disabled", "missing"):
        return []
    return [
        warning(
            "windows.disks-known",
            f"the disks of {seen.windows.host_name} could not be read: WMI gave no answer",
            "Check by hand that the host starts from one basic disk without BitLocker or Storage Spaces, or repair WMI "
            "(winmgmt /verifyrepository) and run the playbook again.",
            _MATRIX,
        )
    ]


def _restart(seen: SourceFacts, installing: bool) -> list[Finding]:
    """A pending restart stops an installation; renames alone are also left by programs that never ask for one."""
    if not seen.restart_for:
        return []
    certain = installing and seen.restart_for != ("file rename",)
    return [
        (blocker if certain else warning)(
            "windows.pending-reboot",
            f"{seen.windows.host_name} waits for a restart ({', '.join(seen.restart_for)})",
            "Restart the host in its next window, then run the playbook again.",
            _CUT_OVER,
        )
    ]


def _snapshots(seen: SourceFacts) -> list[Finding]:
    off = [
        f"{service} is {seen.services[service].start}"
        for service in windows_probe.SNAPSHOT_SERVICES
        if seen.services[service].start in ("disabled", "missing")
    ]
    if not off:
        return []
    return [
        warning(
            "windows.vss",
            f"application-consistent recovery points of {seen.windows.host_name} will fail: {', '.join(off)}",
            "On the host run sc.exe config NAME start= demand for each of these services (EventSystem: start= auto).",
            _VSS,
        )
    ]


def _firewall_service(seen: SourceFacts, want: SourceWant) -> list[Finding]:
    service = seen.services[windows_probe.FIREWALL_SERVICE]
    if seen.filters or not (want.push or want.remote_desktop):
        return []
    return [
        warning(
            "windows.firewall-service",
            f"Windows Firewall (MpsSvc, start type {service.start}) of {seen.windows.host_name} does not run, so its "
            "rules were left as they are; they apply again when it is started",
            "Start it (sc.exe config MpsSvc start= auto, restart) and run the playbook again, or make sure that "
            "it stays off in Azure too.",
            _CUT_OVER,
        )
    ]


def _installation(seen: SourceFacts) -> list[Finding]:
    name, found = seen.windows.host_name, []
    free = seen.windows.free_bytes.get(windows_disks.SYSTEM_DRIVE)
    if free is not None and free < INSTALL_FREE_MIB * 2**20:
        found.append(
            blocker(
                "windows.free-space",
                f"{name} has {free // 2**20} MiB free on C:; the push needs 100 MiB and the installation 500 MiB "
                "(95524)",
                f"Free at least {INSTALL_FREE_MIB} MiB on C:.",
                _PUSH,
            )
        )
    lacking = [update for update in windows_probe.SHA2_UPDATES if update not in seen.updates]
    if seen.windows.os_name.startswith("Windows Server 2008 R2") and lacking and seen.kernel_date < SHA2_ONLY:
        found.append(
            blocker(
                "windows.sha2-updates",
                f"{name} lacks {' and '.join(lacking)}; without the servicing stack and SHA-2 updates the Mobility "
                "service from 9.30 on does not install",
                "Install KB4490628, then KB4474419, restart the host, then run the playbook again.",
                _MOBILITY,
            )
        )
    return found


def _push(seen: SourceFacts) -> list[Finding]:
    return [*_push_firewall(seen), *_push_services(seen)]


def _push_firewall(seen: SourceFacts) -> list[Finding]:
    name, found = seen.windows.host_name, []
    for group in PUSH_GROUPS:
        state = seen.firewall.group(group)
        if state.denied:
            found.append(
                blocker(
                    "windows.firewall-by-policy",
                    f"a group policy denies the firewall group {GROUP_NAMES[group]} on {name} (95105)",
                    f"Take what blocks {GROUP_NAMES[group]} out of the group policy; no local rule wins against it.",
                    _PUSH,
                )
            )
        if state.state == "missing" and seen.filters:
            found.append(
                warning(
                    "windows.firewall-group",
                    f"{name} has no rules of the firewall group {GROUP_NAMES[group]}",
                    "Restore the default rules, or allow TCP 135, 139, 445 and 49152-65535 from the appliance "
                    "in your firewall.",
                    _PUSH,
                )
            )
    if seen.firewall.ignores_local_rules:
        found.append(
            blocker(
                "windows.firewall-by-policy",
                f"a group policy on {name} ignores the host's own firewall rules in a profile "
                "(AllowLocalPolicyMerge = 0)",
                "Allow File and Printer Sharing and WMI by the group policy, or let it apply local firewall rules.",
                _PUSH,
            )
        )
    return [*found, *_push_blocked(seen)]


def _push_blocked(seen: SourceFacts) -> list[Finding]:
    """Return the finding for what blocks a port of the push; in some profiles only it may not be in the way."""
    found = {port: blocks for port in PUSH_PORTS if (blocks := seen.firewall.blocks(port))}
    if not found or not seen.filters:
        return []
    everywhere = any(seen.firewall.blocked_profiles(port) == PROFILES for port in found)
    reasons = dict.fromkeys(block.text for blocks in found.values() for block in blocks)
    return [
        (blocker if everywhere else warning)(
            "windows.firewall-block",
            f"Windows Firewall of {seen.windows.host_name} keeps the push out of TCP {', '.join(map(str, found))} "
            f"(95105): {'; '.join(reasons)}",
            "Switch what blocks off, or narrow it so that the appliance gets in; no rule that allows wins against it.",
            _PUSH,
        )
    ]


def _push_services(seen: SourceFacts) -> list[Finding]:
    name, found = seen.windows.host_name, []
    server = seen.services["LanmanServer"]
    if not server.running:
        found.append(
            blocker(
                "windows.admin-share",
                f"the Server service (LanmanServer) of {name} does not run (start type {server.start}), so there is no "
                "share C$ for the push (95106)",
                "On the host run: sc.exe config LanmanServer start= auto, then net start LanmanServer.",
                _PUSH,
            )
        )
    elif seen.shares_off:
        found.append(
            blocker(
                "windows.admin-share",
                f"the administrative shares of {name} are switched off (AutoShareServer = 0), so there is no share C$ "
                "for the push (95106)",
                "On the host delete the value AutoShareServer below HKLM\\SYSTEM\\CurrentControlSet\\Services\\"
                "LanmanServer\\Parameters and restart the service LanmanServer.",
                _PUSH,
            )
        )
    wmi = seen.services["Winmgmt"].start
    if wmi in ("disabled", "missing"):
        found.append(
            blocker(
                "windows.wmi",
                f"the service Windows Management Instrumentation (Winmgmt) of {name} is {wmi} (95103)",
                "On the host run: sc.exe config winmgmt start= auto, then net start winmgmt.",
                _PUSH,
            )
        )
    return found


def _after_failover(seen: SourceFacts, want: SourceWant) -> list[Finding]:
    name, found = seen.windows.host_name, []
    if seen.routes:
        found.append(
            warning(
                "windows.persistent-routes",
                f"{name} has persistent routes that lead nowhere in Azure: {', '.join(seen.routes)}",
                "Before the failover delete each of them with route delete NETWORK.",
                _CUT_OVER,
            )
        )
    if seen.winhttp_proxy:
        found.append(
            warning(
                "windows.winhttp-proxy",
                f"{name} uses the WinHTTP proxy {seen.winhttp_proxy}, which Azure may not reach",
                "Before the failover run netsh winhttp reset proxy, unless the proxy is reached from Azure too.",
                _CUT_OVER,
            )
        )
    reasons = _remote_desktop_hindered(seen) if want.remote_desktop else []
    if reasons:
        found.append(
            warning(
                "windows.remote-desktop",
                f"{name} will not take Remote Desktop connections in Azure: {'; '.join(reasons)}",
                "Allow Remote Desktop in the group policy and in Windows Firewall, where what blocks wins against what "
                "allows, and set the service TermService to start= demand, before the failover.",
                _CUT_OVER,
            )
        )
    return found


def _remote_desktop_hindered(seen: SourceFacts) -> list[str]:
    reasons = []
    if seen.remote_desktop_denied:
        reasons.append("a group policy denies it (fDenyTSConnections = 1)")
    if seen.firewall.denies(REMOTE_DESKTOP):
        reasons.append("a group policy denies the firewall group Remote Desktop")
    if seen.filters:
        reasons += [block.text for block in seen.firewall.blocks(seen.remote_desktop_port, "TermService")]
    service = seen.services["TermService"].start
    if service in ("disabled", "missing"):
        reasons.append(f"the service TermService is {service}")
    return reasons
