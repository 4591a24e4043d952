"""What every Windows server must be before it becomes an appliance of Site Recovery, classic or modernized.

Source: Site Recovery documentation, prerequisites of the configuration server and of the replication appliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, windows, windows_facts
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts.plan import Answer, blocker, warning
from asr_migrate.hosts.server_want import ServerWant
from asr_migrate.hosts.want import TimeService

WEB_SERVER = "w3svc"
#: Roles that must not be installed, by the service that they bring.
ROLES = {"ntds": "Active Directory Domain Services", WEB_SERVER: "Internet Information Services", "vmms": "Hyper-V"}

_SOURCE = "Site Recovery documentation, prerequisites of an appliance"
CLOCK_REMEDY = (
    "On the server run: w32tm /config /syncfromflags:manual /manualpeerlist:169.254.169.123 /update, then w32tm "
    "/resync; "
    "then run the playbook again."
)


@dataclass(frozen=True)
class ServerFacts:
    """What is known of a server. ``restrictions`` are policy values of machine and user, names in lower case.

    ``listening`` tells of the host's own ports; ``registered`` whether Site Recovery's registration key is there.
    """

    windows: windows_facts.WindowsFacts
    install_language: str
    restrictions: Mapping[str, str]
    fips: bool
    tls_1_0: bool
    reboot_pending: bool
    registered: bool
    listening: Mapping[int, bool | None]
    reached: Mapping[tuple[str, int], bool | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result."""
        return {
            **self.windows.as_dict(),
            "install_language": self.install_language,
            "fips": self.fips,
            "tls_1_0": self.tls_1_0,
            "reboot_pending": self.reboot_pending,
            "registered": self.registered,
            "services": {name: state for name, state in self.windows.states.items() if name != "w32time"},
        }


def read(answer: Answer, ports: tuple[int, ...], want: ServerWant) -> tuple[ServerFacts, output.Sections]:
    """Return the facts and all sections of a server's probe."""
    common, found = windows_facts.read(answer)
    loopback = output.reached(found, [("127.0.0.1", port) for port in ports])
    facts = ServerFacts(
        windows=common,
        install_language=output.registry_values(found["language"]).get("installlanguage", ""),
        restrictions={**common.policies, **output.registry_values(found["restrictions"])},
        fips=output.number(output.registry_values(found["fips"]), "Enabled") == 1,
        tls_1_0=all(_tls_enabled(output.registry_values(found[name])) for name in ("tls_server", "tls_client")),
        reboot_pending=0 in found["reboot"].exit_codes,
        registered=0 in found["registration"].exit_codes,
        listening={port: answered for (_, port), answered in loopback.items()},
        reached=output.reached(found, want.reach),
    )
    return facts, found


def _tls_enabled(protocol: dict[str, str]) -> bool:
    """TLS 1.0 is on unless its key says otherwise (Windows documentation, TLS registry settings)."""
    return output.number(protocol, "Enabled") != 0 and output.number(protocol, "DisabledByDefault") != 1


def lasting_findings(seen: ServerFacts, want: ServerWant) -> list[Finding]:
    """Return what is wrong with the server's time and ways; it matters before and after the installation."""
    host = seen.windows
    findings = checks.clock_findings(host.host_name, host.skew_s, want.time, CLOCK_REMEDY)
    if host.time_service != "running" and want.time_service is TimeService.REQUIRED:
        findings.append(windows.time_service_stands_still(host.host_name, host.time_service))
    return findings + checks.reach_findings(host.host_name, seen.reached)


def prerequisite_findings(seen: ServerFacts, want: ServerWant, disk: str, *, begun: bool = False) -> list[Finding]:
    """Return all that stands in the way of an installation to ``disk`` (``d:``), apart from the version of Windows.

    ``begun`` says that an installation broke off before; its own web server is then no hindrance.
    """
    name = seen.windows.host_name
    return [
        *_account(seen, name),
        *_language(seen, name),
        *_roles(seen, name, begun=begun),
        *_restrictions(seen, name),
        *_size(seen, want, name, disk),
        *_state(seen, name, begun=begun),
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


def _language(seen: ServerFacts, name: str) -> list[Finding]:
    if seen.install_language.endswith("09"):
        return []
    return [
        blocker(
            "server.language",
            f"Windows on {name} was installed in language {seen.install_language or 'unknown'}, not in English (en-*)",
            "Use an English image; the language cannot be changed after the installation.",
            _SOURCE,
        )
    ]


def _roles(seen: ServerFacts, name: str, *, begun: bool) -> list[Finding]:
    return [
        blocker(
            "server.role",
            f"the role {role} is installed on {name}",
            "Use a server of its own for the appliance, or remove the role and restart.",
            _SOURCE,
        )
        for service, role in ROLES.items()
        if service in seen.windows.installed and not (begun and service == WEB_SERVER)
    ]


def _restrictions(seen: ServerFacts, name: str) -> list[Finding]:
    values = dict(seen.restrictions)
    set_policies = {
        "Prevent access to registry editing tools": bool(output.number(values, "DisableRegistryTools")),
        "Prevent access to the command prompt": bool(output.number(values, "DisableCMD")),
        "Trust logic for file attachments": output.number(values, "UseTrustedHandlers") == 3,
        "Turn on Script Execution": values.get("executionpolicy", "").lower() in ("allsigned", "restricted")
        or output.number(values, "EnableScripts") == 0,
    }
    return [
        blocker(
            "server.group-policy",
            f"the group policy '{policy}' is set on {name}",
            "Set the policy to Not Configured for this server, run gpupdate /force, and sign in again.",
            _SOURCE,
        )
        for policy, is_set in set_policies.items()
        if is_set
    ]


def _size(seen: ServerFacts, want: ServerWant, name: str, disk: str) -> list[Finding]:
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
    if want.memory_mib is not None and want.memory_mib < want.memory_least_mib:
        findings.append(
            warning(
                "server.memory",
                f"{name} has {want.memory_mib} MiB of memory; {want.memory_least_mib} MiB are recommended",
                "Choose a larger instance type (asr_appliance.instance_type).",
                _SOURCE,
            )
        )
    free = windows_facts.gib(seen.windows.free_bytes.get(disk))
    if free is None or free < want.install_free_gib:
        left = "is missing" if free is None else f"has {free:.1f} GiB free"
        findings.append(
            blocker(
                "server.disk",
                f"disk {disk.upper()} of {name} {left}; the installation needs {want.install_free_gib:g} GiB there",
                "Add a data volume and format it, or choose another install location.",
                _SOURCE,
            )
        )
    elif free < want.cache_free_gib:
        findings.append(
            warning(
                "server.cache",
                f"disk {disk.upper()} of {name} has {free:.0f} GiB free; {want.cache_free_gib:g} GiB are "
                "recommended for the cache",
                "Add a larger data volume; below 20 % free space replication is throttled.",
                _SOURCE,
            )
        )
    return findings


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
    if seen.reboot_pending:
        findings.append(
            warning(
                "server.reboot-pending", f"{name} waits for a restart", "Restart it before the installation.", _SOURCE
            )
        )
    return findings
