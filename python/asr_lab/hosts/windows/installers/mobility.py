"""The Mobility service on Windows: its package, its installer, its configurator, AzureRcmCli and its removal.

Arguments, registry, services, files and logs are those of the Site Recovery documentation ("About the Mobility
service", "Install the Mobility service"); the exit codes are those of ``mobility_codes``.
"""

import json
import ntpath

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.hosts import mobility_config
from asr_lab.hosts.windows.flavour import SERVER_2008_R2
from asr_lab.hosts.windows.installers import packages
from asr_lab.hosts.windows.installers.arguments import Arguments, BadArgumentError, extraction_folder, parse
from asr_lab.hosts.windows.installers.logs import SETUP_LOGS, Log
from asr_lab.hosts.windows.installers.mobility_codes import Exit
from asr_lab.hosts.windows.result import Result, ok
from asr_lab.hosts.windows.services import ROOT
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host

FOLDER = r"C:\Program Files (x86)\Microsoft Azure Site Recovery"
PRODUCT_CODE = "{275197FC-14FD-4560-A5EB-38217F80CBD1}"
UNINSTALL = rf"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{PRODUCT_CODE}"
SV_SYSTEMS = r"HKLM\SOFTWARE\Wow6432Node\SV Systems"
CLASSIC, MODERNIZED = "CSLegacy", "CSPrime"
LOG = SETUP_LOGS + r"\ASRUnifiedAgentInstaller.log"
CONFIGURATOR_LOG = SETUP_LOGS + r"\ASRUnifiedAgentConfigurator.log"
SERVICES = ("svagents", "InMage Scout Application Service", "Azure Site Recovery VSS Provider")
VERSIONS_WITHOUT_RESTART = 4
_SHA2_UPDATES = ("KB4474419", "KB4490628")
_PACKAGES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"


def extract(host: Host, version: str, words: list[str]) -> Result:
    """``MobilityServiceInstaller.exe /q /x:DIR``: leaves ``UnifiedAgent.exe`` in DIR."""
    try:
        folder = extraction_folder(words)
    except BadArgumentError as wrong:
        return Result(err=f"{wrong}\r\n", code=Exit.BAD_COMMAND_LINE)
    for name in ("UnifiedAgent.exe", "UnifiedAgentInstaller.exe"):
        host.files.write(ntpath.join(folder, name), packages.program("unified-agent", version))
    host.files.write(ntpath.join(folder, "Third-Party_Notices.txt"), b"Third-party notices\r\n")
    return ok()


def default_architecture(version: str) -> str:
    """Return what the installer takes when ``/CSType`` is missing: classic before 9.55, modernized from then on."""
    return MODERNIZED if numbers(version)[:2] >= (9, 55) else CLASSIC


def numbers(version: str) -> tuple[int, ...]:
    """Return a version that can be compared."""
    return tuple(int(part) for part in version.split("."))


def setup(host: Host, version: str, words: list[str]) -> Result:
    """``UnifiedAgent.exe /Role MS /InstallLocation DIR /Platform VmWare /Silent [/CSType CSLegacy|CSPrime]``.

    Where an agent is, ``UnifiedAgent.exe /Platform VmWare /Silent`` upgrades it.
    """
    log = Log(host, LOG)
    log.write(f"Unified agent installer {version} started.")
    try:
        given = parse(words, switches=["Silent"], values=["Role", "InstallLocation", "Platform", "CSType"])
        architecture = _checked(host, given, version)
    except BadArgumentError as wrong:
        log.write(f"ERROR: {wrong}")
        return Result(err=f"{wrong}\r\n", code=Exit.BAD_COMMAND_LINE)
    code, complaints = _obstacles(host, version, architecture)
    if code:
        log.write(*(f"ERROR: {text}" for text in complaints))
        return Result(err="".join(f"{text}\r\n" for text in complaints), code=code)
    old = host.agent_version()
    if old == version and _is_whole(host):
        log.write(f"Version {version} is already installed.")
        return ok("The product is already installed.")
    install(host, version, architecture, given.value("InstallLocation") or FOLDER)
    log.write("Unified agent installation succeeded.")
    if old is not None and numbers(version)[1] - numbers(old)[1] > VERSIONS_WITHOUT_RESTART:
        host.ask_for_restart()
        log.write("A restart is recommended.")
        return Result(out="Installation has succeeded; restart the machine.\r\n", code=Exit.SUCCESS_RESTART)
    if architecture == MODERNIZED:
        return ok("Installation has succeeded.", "Agent Config Input:", mobility_config.config_input(host.describe()))
    return ok("Installation has succeeded.")


def _is_whole(host: Host) -> bool:
    return host.registry.text(AGENT_PRODUCT, "PostInstallActions") == "Succeeded"


def _checked(host: Host, given: Arguments, version: str) -> str:
    """Return the architecture to install for. Raises BadArgumentError."""
    role, platform = given.value("Role"), given.value("Platform")
    upgrade = role is None and host.agent_version() is not None
    if role != "MS" and not upgrade:
        raise BadArgumentError(f"/Role: {role!r} is not supported on this server; the Mobility service is MS.")
    if (platform or "").lower() != "vmware":
        raise BadArgumentError(f"/Platform: {platform!r} is not VmWare.")
    if not given.has("Silent"):
        raise BadArgumentError("/Silent is missing: the installer would open a window.")
    folder = given.value("InstallLocation")
    if folder is not None and folder[1:3] != ":\\":
        raise BadArgumentError(f"/InstallLocation: {folder} is no folder of a drive.")
    architecture = given.value("CSType") or default_architecture(version)
    if architecture.lower() not in (CLASSIC.lower(), MODERNIZED.lower()):
        raise BadArgumentError(f"/CSType: {architecture!r} is not CSLegacy or CSPrime.")
    return CLASSIC if architecture.lower() == CLASSIC.lower() else MODERNIZED


def _obstacles(host: Host, version: str, architecture: str) -> tuple[int, list[str]]:
    """Return the exit code and the texts of what forbids the installation; 0 when nothing does."""
    old, installed = host.agent_version(), host.registry.text(SV_SYSTEMS, "CSType")
    if old is not None and numbers(old) > numbers(version):
        return Exit.DOWNGRADE, [f"Version {old} is installed; a downgrade to {version} is not supported."]
    if old is not None and numbers(old)[0] != numbers(version)[0]:
        return Exit.UPGRADE_NOT_SUPPORTED, [f"An upgrade from {old} to {version} is not supported."]
    if installed == MODERNIZED and architecture == CLASSIC:
        _note(host, "InstallerCSTypeMismatch", f"CSType passed : {architecture} : CSType detected : {installed}")
        return Exit.FAILED_WITH_ERRORS, ["The CSType passed to the installer and that detected by it do not match."]
    if host.registry.text(SV_SYSTEMS, "VmPlatform") == "Azure":
        return Exit.PLATFORM_CHANGE, ["The platform cannot be changed from Azure to VmWare."]
    complaints = _prerequisites(host)
    return (Exit.PREREQUISITE if complaints else Exit.OK), complaints


def _note(host: Host, name: str, message: str) -> None:
    """Write the errors file as the installer does."""
    text = (
        f'{{"Errors":[{{"error_name":"ASRMobilityService{name}","error_params":{{}},"default_message":"{message}"}}]}}'
    )
    host.files.write(SETUP_LOGS + r"\InstallerErrors.json", text.encode())


def _prerequisites(host: Host) -> list[str]:
    complaints = []
    if (host.free_bytes("C:") or 0) < 500 * 1024**2:
        complaints.append("Insufficient free space: 500 MB are needed in the installation folder.")
    if host.flavour.build == SERVER_2008_R2:
        names = " ".join(host.registry.subkeys(_PACKAGES))
        complaints += [
            f"The update {update} is missing: the files of this agent are signed with SHA-2."
            for update in _SHA2_UPDATES
            if update not in names
        ]
    return complaints


def install(host: Host, version: str, architecture: str, folder: str = FOLDER) -> None:
    """Leave what the installer leaves; the agent is not configured yet."""
    agent = ntpath.join(folder, "agent")
    programs = {
        "UnifiedAgentConfigurator.exe": "unified-agent-configurator",
        "AzureRcmCli.exe": "azure-rcm-cli",
        "svagents.exe": "svagents",
    }
    for name, kind in programs.items():
        host.files.write(ntpath.join(agent, name), packages.program(kind, version))
    host.files.make_folder(r"C:\ProgramData\Microsoft Azure Site Recovery\Config")
    # The agent starts when it is configured; an upgrade leaves a running one running.
    runs = host.services.is_running("svagents")
    host.services.install("svagents", "InMage Scout VX Agent - Sentinel/Outpost", rf'"{agent}\svagents.exe"', run=runs)
    name = "InMage Scout Application Service"
    host.services.install(name, name, rf'"{agent}\appservice.exe"')
    name = "Azure Site Recovery VSS Provider"
    host.services.install(name, name, rf'"{agent}\InMageVssProvider.exe"', start=3, run=False)
    values = {
        "Version": version,
        "Product_Version": version,
        "PostInstallActions": "Succeeded",
        "InstallDirectory": folder,
    }
    host.registry.write(AGENT_PRODUCT, values)
    name = "Microsoft Azure Site Recovery Mobility Service/Master Target Server"
    host.registry.write(UNINSTALL, {"DisplayName": name, "DisplayVersion": version})
    host_id = host.spec.description.host_id
    host.registry.write(SV_SYSTEMS, {"HostId": host_id, "CSType": architecture, "VmPlatform": "VmWare"})
    lines = ("[vxagent]", f"HostId={host_id}", "VmPlatform=VmWare", f"CSType={architecture}", "")
    host.files.write(_conf(folder), "\r\n".join(lines).encode())


def _conf(folder: str) -> str:
    return ntpath.join(folder, r"agent\Application Data\etc\drscout.conf")


def _source_config(host: Host) -> str:
    folder = host.registry.text(AGENT_PRODUCT, "InstallDirectory") or FOLDER
    return ntpath.join(folder, r"agent\Application Data\etc\SourceConfig.json")


def configured(host: Host, server: str) -> None:
    """Leave what the configurator leaves when the agent is registered with ``server``."""
    host.registry.write(AGENT_PRODUCT, {"AgentConfigurationStatus": "Succeeded"})
    if host.registry.text(SV_SYSTEMS, "CSType") == CLASSIC:
        host.registry.write(SV_SYSTEMS, {"ServerName": server})
    else:
        text = f"[rcm]\r\nBiosId={host.spec.description.bios_id}\r\n"
        host.files.write(r"C:\ProgramData\Microsoft Azure Site Recovery\Config\RCMInfo.conf", text.encode())
        told = {"RcmProxyTransportSettings": mobility_config.transport_settings(server)}
        host.files.write(_source_config(host), json.dumps(told).encode())
    for name in SERVICES[:2]:
        if not host.services.is_running(name):
            host.services.start(name)


def configure(host: Host, _version: str, words: list[str]) -> Result:
    """``UnifiedAgentConfigurator.exe``: classic ``/CSEndPoint IP /PassphraseFilePath FILE``, modernized
    ``/SourceConfigFilePath FILE /CSType CSPrime [/CredentialLessDiscovery true]``, and ``/Unconfigure true``.
    """
    log = Log(host, CONFIGURATOR_LOG)
    names = [
        "CSEndPoint",
        "PassphraseFilePath",
        "CSType",
        "SourceConfigFilePath",
        "CredentialLessDiscovery",
        "Unconfigure",
    ]
    try:
        given = parse(words, switches=[], values=names)
        way = _way(given)
    except BadArgumentError as wrong:
        log.write(f"ERROR: {wrong}")
        return Result(err=f"{wrong}\r\n", code=Exit.BAD_COMMAND_LINE)
    if way == "unconfigure":
        code, text = _unconfigure(host)
    elif way == MODERNIZED:
        code, text = _login(host, given.value("SourceConfigFilePath") or "", given.value("CSType"))
    else:
        code, text = _register(
            host, given.value("CSEndPoint") or "", given.value("PassphraseFilePath") or "", given.value("CSType")
        )
    log.write(text if code == 0 else f"ERROR: {text}")
    if code == 0:
        return ok(text)
    if host.agent_version() is not None and code not in (Exit.OTHER_SERVER, Exit.NOT_REGISTERED):
        host.registry.write(AGENT_PRODUCT, {"AgentConfigurationStatus": "Failed"})
    return Result(err=f"{text}\r\n", code=code)


def _way(given: Arguments) -> str:
    """Return what is asked for. Raises BadArgumentError for anything but one whole set of arguments."""
    if given.value("Unconfigure"):
        if (given.value("Unconfigure") or "").lower() != "true" or len(given.values) > 2 or given.value("CSEndPoint"):
            raise BadArgumentError("/Unconfigure takes true and nothing but /CSType beside it.")
        return "unconfigure"
    if given.value("SourceConfigFilePath"):
        if given.value("CSEndPoint") or given.value("PassphraseFilePath"):
            raise BadArgumentError("/SourceConfigFilePath and /CSEndPoint exclude each other.")
        if (given.value("CredentialLessDiscovery") or "true").lower() not in ("true", "false"):
            raise BadArgumentError("/CredentialLessDiscovery takes true or false.")
        return MODERNIZED
    if given.value("CSEndPoint") is None or given.value("PassphraseFilePath") is None:
        raise BadArgumentError("/CSEndPoint and /PassphraseFilePath are required.")
    return CLASSIC


def _unconfigure(host: Host) -> tuple[int, str]:
    if host.agent_version() is None:
        return Exit.FAILED, "The Mobility service is not installed."
    if host.registry.text(AGENT_PRODUCT, "AgentConfigurationStatus") != "Succeeded":
        return Exit.NOT_REGISTERED, "The agent is not registered."
    host.registry.write(AGENT_PRODUCT, {"AgentConfigurationStatus": "Failed"})
    host.registry.remove_value(SV_SYSTEMS, "ServerName")
    host.files.remove(_source_config(host))
    host.services.running.discard("svagents")
    return Exit.OK, "The agent is unconfigured."


def _login(host: Host, file: str, asked: str | None) -> tuple[int, str]:
    """Register a modernized agent by its config.json."""
    if host.agent_version() is None or host.registry.text(SV_SYSTEMS, "CSType") != MODERNIZED:
        return Exit.REFUSED, "There is no agent of type CSPrime on this machine."
    if (asked or MODERNIZED).lower() != MODERNIZED.lower():
        return Exit.FAILED_WITH_ERRORS, "The CSType passed does not match the installed agent."
    text = host.files.text(file)
    if text is None:
        return Exit.FAILED, f"The source configuration file {file} does not exist."
    try:
        appliance = mobility_config.appliance_of(text, host.describe())
    except mobility_config.NotThisMachineError as wrong:
        return Exit.LOGIN_FAILED, f"Login to the appliance failed: {wrong}"
    except ValueError as wrong:
        return Exit.BAD_SOURCE_CONFIG, f"{file} is not valid: {wrong}"
    if not host.uplink.connects(host.spec.address, appliance, 443):
        return Exit.REFUSED, f"post request: (7) - Couldn't connect to server {appliance}:443"
    configured(host, appliance)
    return Exit.OK, f"Registered with the appliance {appliance}."


def _register(host: Host, server: str, file: str, asked: str | None) -> tuple[int, str]:
    installed = host.registry.text(SV_SYSTEMS, "CSType")
    if host.agent_version() is None or installed is None:
        return Exit.FAILED, "The Mobility service is not installed."
    if installed != CLASSIC or (asked or CLASSIC).lower() != CLASSIC.lower():
        return Exit.REFUSED, (
            f"The agent was installed for {installed} and cannot register with a configuration server; "
            "install it with /CSType CSLegacy (the default is CSPrime from 9.55)."
        )
    passphrase = (host.files.text(file) or "").strip()
    if not passphrase:
        return Exit.FAILED, f"The passphrase file {file} does not exist or is empty."
    other = host.registry.text(SV_SYSTEMS, "ServerName")
    if other not in (None, server):
        return Exit.OTHER_SERVER, f"The agent is registered with another configuration server, {other}."
    if not host.uplink.connects(host.spec.address, server, 443):
        return Exit.SERVER_OR_PASSPHRASE, f"post request: (7) - Couldn't connect to server {server}:443"
    try:
        with host.lock.paused():
            host.uplink.register_mobility(server, passphrase, host.describe())
    except RegistrationRefused as refused:
        codes = {
            "AlreadyRegistered": Exit.OTHER_SERVER,
            "PassphraseInvalid": Exit.SERVER_OR_PASSPHRASE,
            "ServerUnreachable": Exit.SERVER_OR_PASSPHRASE,
        }
        code = codes.get(refused.code, Exit.REFUSED)
        return code, f"Registration was refused: {refused.code}. {refused.message}"
    configured(host, server)
    return Exit.OK, f"Registered with the configuration server {server}."


def config_input(host: Host, _version: str, words: list[str]) -> Result:
    """``AzureRcmCli.exe --getagentconfiginput [--logfile FILE]``: print the Agent Config Input."""
    rest = list(words)
    while rest and rest[0] in ("--logfile", "--errorfilepath") and len(rest) > 1:
        del rest[:2]
    if rest[:1] != ["--getagentconfiginput"] or len(rest[1:]) % 2 or set(rest[1::2]) - {"--logfile", "--errorfilepath"}:
        return Result(err="Unknown option.\r\n", code=120)
    if host.registry.text(SV_SYSTEMS, "CSType") != MODERNIZED:
        return Result(err="There is no agent of type CSPrime.\r\n", code=Exit.NO_CONFIG_INPUT)
    return ok(mobility_config.config_input(host.describe()))


def remove(host: Host) -> None:
    """Take the product away as Windows Installer does; the driver stays loaded until a restart."""
    folder = host.registry.text(AGENT_PRODUCT, "InstallDirectory") or FOLDER
    for name in SERVICES:
        host.services.running.discard(name.lower())
        host.registry.remove(f"{ROOT}\\{name}")
    for node in [node for node in host.files if node.path.lower().startswith(folder.lower() + "\\")]:
        host.files.remove(node.path)
    for key in (AGENT_PRODUCT, UNINSTALL, SV_SYSTEMS):
        host.registry.remove(key)
    host.files.remove(r"C:\ProgramData\Microsoft Azure Site Recovery\Config\RCMInfo.conf")
