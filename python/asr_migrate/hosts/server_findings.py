"""What stands in the way of making a Windows server an appliance, classic or modernized.

Source: Site Recovery documentation, prerequisites of the configuration server and of the replication appliance.
"""

from __future__ import annotations

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, server_urls, windows_checks, windows_facts
from asr_migrate.hosts.plan import blocker, warning
from asr_migrate.hosts.server import ServerFacts
from asr_migrate.hosts.server_want import ConfigurationServerWant, ServerWant
from asr_migrate.hosts.want import TimeService

WEB_SERVER = "w3svc"
#: Roles that must not be installed, by the service that they bring.
ROLES = {"ntds": "Active Directory Domain Services", WEB_SERVER: "Internet Information Services", "vmms": "Hyper-V"}
#: Windows shows a little less memory than the instance has, because firmware keeps some.
SEEN_OF_MEMORY = 0.95

#: Directories that antivirus programs must leave alone on an appliance (Site Recovery documentation).
ANTIVIRUS_EXCLUSIONS = (
    "C:\\Program Files\\Microsoft Azure Recovery Services Agent",
    "C:\\ProgramData\\ASR",
    "C:\\ProgramData\\ASRLogs",
    "C:\\ProgramData\\ASRSetupLogs",
    "C:\\ProgramData\\LogUploadServiceLogs",
    "C:\\ProgramData\\Microsoft Azure Site Recovery",
)

CLOCK_REMEDY = (
    "On the server run: w32tm /config /syncfromflags:manual /manualpeerlist:169.254.169.123 /update, then w32tm "
    "/resync; "
    "then run the playbook again."
)
#: Ends of the numbers of languages (LCID) in the registry: English of any country, and that of the United States.
ENGLISH, ENGLISH_US = "09", "0409"
#: Signs of a pending restart with which Unified Setup ends.
REFUSED_RESTARTS = ("file rename", "update installer")
#: GiB that must be free on the disk that Unified Setup installs to, unless it is given /SkipSpaceCheck.
SETUP_FREE_GIB = 600
SYSTEM_DRIVE = "c:"
GIB = 2**30

_SOURCE = "Site Recovery documentation, prerequisites of an appliance"
_SETUP_SOURCE = "Microsoft's published sources of Unified Setup, prerequisite checks"


def lasting(seen: ServerFacts, want: ServerWant) -> list[Finding]:
    """Return what is wrong with the server's time and ways; it matters before and after the installation."""
    host = seen.windows
    findings = checks.clock_findings(host.host_name, host.skew_s, want.time, CLOCK_REMEDY)
    if host.time_service != "running" and want.time_service is TimeService.REQUIRED:
        findings.append(windows_checks.time_service_stands_still(host.host_name, host.time_service))
    return findings + checks.reach_findings(host.host_name, seen.reached)


def prerequisites(
    seen: ServerFacts, want: ServerWant, disk: str, urls: tuple[server_urls.Url, ...], *, begun: bool = False
) -> list[Finding]:
    """Return all that stands in the way of an installation to ``disk`` (``d:``), apart from the version of Windows.

    ``begun`` says that an installation broke off before; its own web server is then no hindrance.
    """
    name = seen.windows.host_name
    classic = isinstance(want, ConfigurationServerWant)
    return [
        *_account(seen, name),
        *_language(seen, name, american=not classic),
        *_roles(seen, name, begun=begun),
        *_restrictions(seen, name),
        *_size(seen, want, name),
        *_disk(seen, want, name, disk),
        *_state(seen, name, begun=begun),
        *_restart(seen, name, classic=classic, begun=begun),
        *_address(seen, want, name),
        *server_urls.findings(name, urls, seen.urls, want.proxy),
    ]


def _account(seen: ServerFacts, name: str) -> list[Finding]:
    if seen.windows.administrator and seen.windows.elevated:
        return []
    why = "is no member of Administrators" if not seen.windows.administrator else "has no elevated token"
    return [
        blocker(
            "server.elevated",
            f"the user that connects to {name} {why}; setup then ends with 'Failed to create certificate'",
            "Connect as the local Administrator.",
            _SOURCE,
        )
    ]


def _language(seen: ServerFacts, name: str, *, american: bool) -> list[Finding]:
    """Judge the language of the image and those of the user; what Windows does not say is not judged.

    ``american`` asks for en-US, as the replication appliance does; Unified Setup takes any en-*.
    """
    wanted = "en-US" if american else "en-*"
    found = []
    if seen.install_language != ENGLISH_US if american else not seen.install_language.endswith(ENGLISH):
        found.append(
            blocker(
                "server.language",
                f"Windows on {name} was installed in language {seen.install_language or 'unknown'}, not in English "
                f"({wanted})",
                "Use an English image; the language cannot be changed after the installation.",
                _SOURCE,
            )
        )
    for what, language in (("display language", seen.ui_language), ("regional format", seen.culture)):
        start = "en-us" if american else "en-"
        if language and not language.lower().startswith(start):
            found.append(
                blocker(
                    "server.locale",
                    f"the {what} of the user that connects to {name} is {language}, not English ({wanted})",
                    "As that user run Set-WinUILanguageOverride en-US and Set-Culture en-US, then sign in again.",
                    _SETUP_SOURCE,
                )
            )
    return found


def _roles(seen: ServerFacts, name: str, *, begun: bool) -> list[Finding]:
    found = [
        blocker(
            "server.role",
            f"the role {role} is installed on {name}",
            "Use a server of its own for the appliance, or remove the role and restart.",
            _SOURCE,
        )
        for service, role in ROLES.items()
        if service in seen.windows.installed and not (begun and service == WEB_SERVER)
    ]
    if seen.web_sites and not begun:
        found.append(
            blocker(
                "server.web-site",
                f"IIS on {name} has the web site {', '.join(seen.web_sites)} already",
                "Use a server without web sites: setup makes its own default site.",
                _SOURCE,
            )
        )
    return found


def _restrictions(seen: ServerFacts, name: str) -> list[Finding]:
    return [
        blocker(
            "server.group-policy",
            f"the group policy '{policy}' is set on {name}",
            "Set the policy to Not Configured for this server, run gpupdate /force, and sign in again.",
            _SOURCE,
        )
        for policy in seen.restrictions
    ]


def _size(seen: ServerFacts, want: ServerWant, name: str) -> list[Finding]:
    findings = []
    if seen.windows.cores is not None and seen.windows.cores < want.cores:
        findings.append(
            warning(
                "server.cores",
                f"{name} has {seen.windows.cores} processors; {want.cores} are recommended",
                "Choose a larger instance type (asr_appliance.instance_type).",
                _SOURCE,
            )
        )
    if seen.physical_cores is not None and seen.physical_cores < want.physical_cores:
        findings.append(
            blocker(
                "server.physical-cores",
                f"{name} has {seen.physical_cores} physical cores; the installer counts those, not hyper-threads, and "
                f"refuses fewer than {want.physical_cores}",
                "Choose an instance type with 16 hyper-threaded processors, such as c5.4xlarge "
                "(asr_appliance.instance_type); asr_appliance.want.physical_cores: 0 leaves the judgement to the "
                "installer.",
                "reports of users of DRInstaller.ps1",
            )
        )
    gib = windows_facts.gib(seen.memory_bytes)
    if gib is not None and gib < want.memory_gib * SEEN_OF_MEMORY:
        findings.append(
            warning(
                "server.memory",
                f"{name} has {gib:.1f} GiB of memory; {want.memory_gib:g} GiB are recommended",
                "Choose a larger instance type (asr_appliance.instance_type).",
                _SOURCE,
            )
        )
    return findings


def _disk(seen: ServerFacts, want: ServerWant, name: str, disk: str) -> list[Finding]:
    free = windows_facts.gib(seen.windows.free_bytes.get(disk))
    if free is None or free < want.install_free_gib:
        left = "is missing" if free is None else f"has {free:.1f} GiB free"
        return [
            blocker(
                "server.disk",
                f"disk {disk.upper()} of {name} {left}; the installation needs {want.install_free_gib:g} GiB there",
                "Add a data volume and format it, or choose another install location.",
                _SOURCE,
            )
        ]
    return [*_system_drive(want, name), *_cache(want, name, disk, seen.windows.free_bytes[disk] or 0)]


def _system_drive(want: ServerWant, name: str) -> list[Finding]:
    if not isinstance(want, ConfigurationServerWant) or want.install_location.rstrip("\\/").lower() != SYSTEM_DRIVE:
        return []
    return [
        blocker(
            "server.install-location",
            f"Unified Setup does not install to the root of the system's drive of {name} ({want.install_location})",
            "Give a data volume, such as D:\\, or a folder as asr_appliance.install_location.",
            _SETUP_SOURCE,
        )
    ]


def _cache(want: ServerWant, name: str, disk: str, free: int) -> list[Finding]:
    """Judge the room for the cache, in bytes; Unified Setup refuses less than 600 GiB unless it is told not to look."""
    looks = isinstance(want, ConfigurationServerWant) and not want.skip_space_check
    refused = looks and free < SETUP_FREE_GIB * GIB
    if not refused and free >= want.cache_free_gib * GIB:
        return []
    asked = f"Unified Setup asks for {SETUP_FREE_GIB}" if refused else f"{want.cache_free_gib:g} GiB are recommended"
    return [
        (blocker if refused else warning)(
            "server.cache",
            f"disk {disk.upper()} of {name} has {free // GIB} GiB free; {asked} for the cache",
            "Add a larger data volume; below 20 % free space replication is throttled."
            + (" With asr_appliance.want.skip_space_check: true setup does not look." if refused else ""),
            _SETUP_SOURCE if refused else _SOURCE,
        )
    ]


def _state(seen: ServerFacts, name: str, *, begun: bool) -> list[Finding]:
    findings = []
    if seen.fips:
        findings.append(
            blocker(
                "server.fips",
                f"FIPS mode is on on {name}",
                "Switch 'System cryptography: Use FIPS compliant algorithms' off and restart.",
                _SOURCE,
            )
        )
    if seen.listening.get(443) and not begun:
        findings.append(
            blocker(
                "server.port-443",
                f"something on {name} listens on TCP 443, which the appliance needs for itself",
                "Remove the web site or program that listens there.",
                _SOURCE,
            )
        )
    if seen.windows.installation_type and seen.windows.installation_type.lower() != "server":
        findings.append(
            blocker(
                "server.desktop",
                f"{name} is a {seen.windows.installation_type} installation; the appliance needs the Desktop "
                "Experience",
                "Use an image with Desktop Experience.",
                _SOURCE,
            )
        )
    return findings


def _restart(seen: ServerFacts, name: str, *, classic: bool, begun: bool) -> list[Finding]:
    """Judge a pending restart; Unified Setup looks for two of its signs and refuses, the others deserve a look."""
    if not seen.restart_for or begun:
        return []
    refused = classic and any(reason in seen.restart_for for reason in REFUSED_RESTARTS)
    return [
        (blocker if refused else warning)(
            "server.reboot-pending",
            f"{name} waits for a restart ({', '.join(seen.restart_for)})",
            "Restart it before the installation.",
            _SETUP_SOURCE if refused else _SOURCE,
        )
    ]


def _address(seen: ServerFacts, want: ServerWant, name: str) -> list[Finding]:
    """Judge the addresses: one given by DHCP may change on other networks, in EC2 it stays with the interface."""
    findings = []
    leased = [adapter.address for adapter in seen.adapters if adapter.dhcp]
    if leased:
        findings.append(
            warning(
                "server.static-address",
                f"{name} has {', '.join(leased)} by DHCP; the address must never change. In EC2 it does not: the lease "
                "is the private address of the network interface, which stays until the instance is terminated",
                "In EC2 leave it. Elsewhere set the address by hand, or reserve it, before the installation.",
                _SOURCE,
            )
        )
    if want.address and seen.windows.addresses and want.address not in seen.windows.addresses:
        findings.append(
            blocker(
                "server.address",
                f"{want.address} is no address of {name} ({', '.join(seen.windows.addresses)}); the process server "
                "cannot stand behind NAT",
                "Give the server's own address as asr_landing_zone.appliance.address, and let the sources reach that.",
                _SOURCE,
            )
        )
    return findings
