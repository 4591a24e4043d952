"""What stands in the way of a host's Mobility service: its server, architecture, version, installer and health."""

from __future__ import annotations

from ipaddress import ip_address

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import mobility_packages as packages
from asr_migrate.hosts.mobility_codes import of_code
from asr_migrate.hosts.mobility_state import MobilityState
from asr_migrate.hosts.mobility_want import Architecture, Installer, Method, Mobility, Repository, State
from asr_migrate.hosts.plan import blocker, warning

_SOURCE = "Site Recovery documentation, Mobility service"
#: Exit code of the installer, on both systems.
DONE_WITH_WARNINGS = 98
_MATRIX = "Site Recovery documentation, support matrix for physical machines (2026)"


def of_host(
    name: str,
    os_name: str,
    state: MobilityState,
    wanted: Mobility,
    package: packages.Package | None,
    installer: Installer,
    *,
    unpacks: bool,
) -> list[Finding]:
    """Return the findings of one host; ``unpacks`` says that the installer is going to run."""
    if wanted.state in (State.ABSENT, State.UNCONFIGURED):
        return _of_removal(name, state, wanted)
    if wanted.state is State.UPGRADED:
        findings = _of_installer(name, os_name, state, wanted, package, installer) if unpacks else []
        return findings + _of_version(name, state, wanted, installer)
    if wanted.architecture is Architecture.NONE:
        return []
    findings = _of_server(name, state, wanted)
    if wanted.method is Method.PUSH:
        return findings
    findings += _of_installer(name, os_name, state, wanted, package, installer) if unpacks else []
    findings += _of_version(name, state, wanted, installer)
    return findings + _of_health(name, state, wanted)


def belongs_elsewhere(state: MobilityState, wanted: Mobility) -> str | None:
    """Return whose the agent is when it is not the wanted server's: ``server`` or ``architecture``; None when it is."""
    if not state.installed:
        return None
    if state.cs_type and state.cs_type.lower() != wanted.cs_type.lower():
        return "architecture"
    return "server" if state.configured and _is_ours(state, wanted) is False else None


def _is_ours(state: MobilityState, wanted: Mobility) -> bool | None:
    """Whether the agent's server is the wanted one; None when the host does not tell, or one is a name.

    An appliance has several addresses; one that both sides name is enough.
    """
    named, asked = set(state.servers), set(wanted.server_addresses)
    if named & asked:
        return True
    modernized = wanted.architecture is Architecture.MODERNIZED
    tells = named and asked and not (modernized and not any(_is_address(one) for one in asked))
    return False if tells else None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_older(state: MobilityState, installer: Installer) -> bool:
    """Whether the installed version is older than the installer's."""
    installed = packages.number(state.version)
    return bool(installed and installer.offered and packages.order(installed, installer.offered) < 0)


def not_in_repository(repository: Repository, package: packages.Package) -> SetupError:
    """Return the error of a repository that does not hold a system's installer."""
    if repository.files:
        return SetupError(
            f"{repository.place} holds no Mobility service installer for {package.tag}",
            code="InstallerMissing",
            cause="Newer configuration servers do not ship the installers of SLES 11, RHEL 5, Debian 7 to 9, Ubuntu "
            "14.04 and Oracle Linux 6; others are there only once they were downloaded.",
            remedy=f"Download Microsoft-ASR_UA_*_{package.tag}_GA_*_release.* and put it there, or give "
            "mobility_installer.",
        )
    return SetupError(
        f"the version of the installers in {repository.place} is not known",
        code="InstallerMissing",
        cause="The file's name holds version and date of release, and neither they nor the file names were given.",
        remedy="Give the repository's version and released (9.59.0.0 and 15Mar2024), or files.",
    )


def _of_server(name: str, state: MobilityState, wanted: Mobility) -> list[Finding]:
    kind = belongs_elsewhere(state, wanted)
    if not kind:
        return _of_unknown_server(name, state, wanted)
    if wanted.move:
        return []
    if kind == "server":
        other = of_code(Os.LINUX, 13)
        text = f"the Mobility service of {name} is registered with {state.server}, not with {wanted.appliance_address}"
        return [blocker("mobility.other-server", text, other.remedy if other else "", _SOURCE)]
    if wanted.method is Method.PUSH:
        return []
    return [
        blocker(
            "mobility.other-architecture",
            f"the Mobility service of {name} is installed for {state.cs_type}, not for {wanted.cs_type}",
            "Stop its replication there, then run again with the mobility_move variable of the role set to true: the "
            "agent is uninstalled and installed anew.",
            _SOURCE,
        )
    ]


def _of_unknown_server(name: str, state: MobilityState, wanted: Mobility) -> list[Finding]:
    if not (state.installed and state.configured and wanted.server_addresses) or _is_ours(state, wanted):
        return []
    text = (
        f"it cannot be told which appliance the Mobility service of {name} is registered with"
        f"{f' ({state.server})' if state.server else ''}; wanted is {wanted.appliance_address}"
    )
    return [
        warning(
            "mobility.unknown-server",
            text,
            f"Look for {name} among the machines of your vault before you replicate it; give the appliance's IP "
            "address as asr_landing_zone.appliance.address.",
            _SOURCE,
        )
    ]


def _of_installer(
    name: str,
    os_name: str,
    state: MobilityState,
    wanted: Mobility,
    package: packages.Package | None,
    installer: Installer,
) -> list[Finding]:
    if package is None:
        return [
            blocker(
                "mobility.no-installer",
                f"there is no Mobility service installer for {os_name or 'the system'} of {name}",
                "Take the machine out of the wave; only systems of the support matrix can be replicated.",
                _MATRIX,
            )
        ]
    findings = []
    tag = packages.tag_of(installer.file_name)
    if tag and tag.lower() != package.tag.lower():
        findings.append(
            blocker(
                "mobility.wrong-installer",
                f"{installer.file_name} is the installer for {tag}; {name} runs {os_name} and needs the one for "
                f"{package.tag}",
                f"Give Microsoft-ASR_UA_*_{package.tag}_GA_*_release.* for this machine, or a repository "
                "(asr_mobility_repository) from which each machine gets its own.",
                _SOURCE,
            )
        )
    if package.derived and not tag:
        findings.append(
            warning(
                "mobility.installer-name",
                f"the documentation names no installer for {os_name} of {name}; {package.tag} follows the names of the "
                "others",
                f"Check that the installer that was given is the one for {os_name}.",
                _SOURCE,
            )
        )
    elif package.derived and wanted.repository.given and not wanted.installer.place:
        findings.append(
            warning(
                "mobility.installer-name",
                f"the documentation names no installer for {os_name} of {name}; {installer.file_name} is derived from "
                "the names of the others",
                "When the repository names it otherwise, give mobility_installer for this machine.",
                _SOURCE,
            )
        )
    stays = wanted.state is State.UPGRADED and state.cs_type
    classic = (state.cs_type if stays else wanted.cs_type) == "CSLegacy"
    return findings + _of_generation(name, os_name, package, installer, classic=classic)


def _of_generation(
    name: str, os_name: str, package: packages.Package, installer: Installer, *, classic: bool
) -> list[Finding]:
    if classic and not package.classic:
        return [
            blocker(
                "mobility.modernized-only",
                f"{os_name} of {name} is supported by the modernized architecture only",
                "Replicate this machine with a replication appliance (architecture modernized).",
                _MATRIX,
            )
        ]
    offered = (installer.offered or ())[:2]
    if not offered or packages.is_for(offered, classic=classic):
        return []
    kind = "the modernized" if classic else "the classic"
    return [
        blocker(
            "mobility.generation",
            f"the installer for {name} is version {offered[0]}.{offered[1]}, which is for {kind} architecture only",
            "Give version 9.59 for the classic architecture, 9.62 or newer for the modernized one.",
            _SOURCE,
        )
    ]


def _of_version(name: str, state: MobilityState, wanted: Mobility, installer: Installer) -> list[Finding]:
    installed, offered = packages.number(state.version), installer.offered
    if not state.installed or not installed or not offered or packages.order(installed, offered) == 0:
        return []
    shown = ".".join(str(part) for part in offered)
    if packages.order(installed, offered) > 0:
        text = (
            f"{name} has version {state.version} of the Mobility service, newer than the {shown} of the installer; "
            "it is kept"
        )
        return [
            warning("mobility.newer", text, "Give the newer installer, so that all machines get the same.", _SOURCE)
        ]
    if not wanted.upgrades:
        text = f"{name} has version {state.version} of the Mobility service, older than the {shown} of the installer"
        return [warning("mobility.older", text, "Run upgrade_mobility in the next window.", _SOURCE)]
    if packages.versions_between(installed, offered) <= packages.VERSIONS_WITHOUT_RESTART:
        return []
    text = (
        f"{name} goes from version {state.version} of the Mobility service to {shown}, more than four versions: it "
        "needs a restart"
    )
    return [
        warning("mobility.restart", text, f"Restart {name} in its next window, then check its replication.", _SOURCE)
    ]


def _of_health(name: str, state: MobilityState, wanted: Mobility) -> list[Finding]:
    findings = []
    if wanted.waits and not state.configured:
        findings.append(
            warning(
                "mobility.config-json",
                f"the Mobility service of {name} waits for its config.json, which is made on the appliance's page",
                "Paste the Agent Config Input (in agent_config_input_file of the role) into Mobility service "
                "configuration details of the appliance's configuration manager (https://APPLIANCE:44368), download "
                "config.json, put it where source_config_file of the role says, and run again.",
                _SOURCE,
            )
        )
    if not state.installed or not state.configured or belongs_elsewhere(state, wanted):
        return findings
    if state.platform and state.platform.lower() != "vmware":
        findings.append(
            blocker(
                "mobility.platform",
                f"the Mobility service of {name} was installed for the platform {state.platform}; it must be VmWare, "
                "also on EC2",
                "Uninstall it with remove_mobility, then run again.",
                "Site Recovery documentation, troubleshooting replication",
            )
        )
    if len(set(state.host_ids)) > 1:
        findings.append(
            blocker(
                "mobility.host-id",
                f"the Mobility service of {name} knows two host ids, {' and '.join(sorted(set(state.host_ids)))}",
                "The host is a copy of another one: uninstall the agent with remove_mobility, then run again.",
                _SOURCE,
            )
        )
    if state.driver is False and state.running:
        findings.append(
            warning(
                "mobility.driver",
                f"the filter driver of the Mobility service is not loaded on {name}; it would replicate nothing",
                "Restart the host into a kernel of the support matrix.",
                _SOURCE,
            )
        )
    return findings


def of_ending(name: str, step: str, code: int, words: str) -> tuple[Finding, ...]:
    """Return the warning of an installer that ended well with an exit code that asks for something.

    98 is done with warnings, of an upgrade that it wants a restart; so do 1641 and 3010 of Windows Installer.
    """
    said = f"{step} of the Mobility service on {name} ended with exit code {code}{words}"
    if step == "install" and code == DONE_WITH_WARNINGS:
        log = "/var/log/InstallerErrors.json or C:\\ProgramData\\ASRSetupLogs"
        text = f"{said}: it was done with warnings"
        return (warning("mobility.installer-warnings", text, f"Read {log} on {name}.", _SOURCE),)
    remedy = f"Restart {name} in its next window, then check its replication."
    return (warning("mobility.restart", f"{said}: it wants a restart of the host", remedy, _SOURCE),)


def _of_removal(name: str, state: MobilityState, wanted: Mobility) -> list[Finding]:
    if wanted.state is not State.ABSENT or not (state.installed or state.leftovers):
        return []
    return [
        warning(
            "mobility.restart",
            f"the filter driver stays loaded on {name} until its next restart",
            f"Restart {name} in its next window; before that the machine cannot be replicated anew.",
            "Site Recovery documentation, uninstalling the Mobility service",
        )
    ]
