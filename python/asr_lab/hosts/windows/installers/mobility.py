"""The Mobility service on Windows: its package, its installer and its configurator.

Arguments, registry, services, files and logs are those of the Site Recovery documentation ("About the Mobility
service", "Install the Mobility service"). Of the Windows exit codes only 0 and 2 (bad argument) are documented; for
the rest the lab uses the numbers that the Linux installer publishes: 99 prerequisite not met, 13 registered with
another configuration server, 14 configuration server out of reach or wrong passphrase, 119 any other refusal, 1 agent
or passphrase file missing.
"""

import ntpath

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.hosts.windows.flavour import SERVER_2008_R2
from asr_lab.hosts.windows.installers import packages
from asr_lab.hosts.windows.installers.arguments import Arguments, BadArgumentError, extraction_folder, parse
from asr_lab.hosts.windows.installers.logs import SETUP_LOGS, Log
from asr_lab.hosts.windows.result import Result, ok
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host

FOLDER = r"C:\Program Files (x86)\Microsoft Azure Site Recovery"
PRODUCT_CODE = "{275197FC-14FD-4560-A5EB-38217F80CBD1}"
UNINSTALL = rf"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{PRODUCT_CODE}"
SV_SYSTEMS = r"HKLM\SOFTWARE\Wow6432Node\SV Systems"
BAD_ARGUMENT, PREREQUISITE, OTHER_SERVER, SERVER, REFUSED = 2, 99, 13, 14, 119
CLASSIC, MODERNIZED = "CSLegacy", "CSPrime"
LOG = SETUP_LOGS + r"\ASRUnifiedAgentInstaller.log"
CONFIGURATOR_LOG = SETUP_LOGS + r"\ASRUnifiedAgentConfigurator.log"
_SHA2_UPDATES = ("KB4474419", "KB4490628")
_PACKAGES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"


def extract(host: Host, version: str, words: list[str]) -> Result:
    """``MobilityServiceInstaller.exe /q /x:DIR``: leaves ``UnifiedAgent.exe`` in DIR."""
    try:
        folder = extraction_folder(words)
    except BadArgumentError as wrong:
        return Result(err=f"{wrong}\r\n", code=BAD_ARGUMENT)
    for name in ("UnifiedAgent.exe", "UnifiedAgentInstaller.exe"):
        host.files.write(ntpath.join(folder, name), packages.program("unified-agent", version))
    host.files.write(ntpath.join(folder, "Third-Party_Notices.txt"), b"Third-party notices\r\n")
    return ok()


def default_architecture(version: str) -> str:
    """Return what the installer takes when ``/CSType`` is missing: classic before 9.55, modernized from then on."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return MODERNIZED if (major, minor) >= (9, 55) else CLASSIC


def setup(host: Host, version: str, words: list[str]) -> Result:
    """``UnifiedAgent.exe /Role MS /InstallLocation DIR /Platform VmWare /Silent [/CSType CSLegacy|CSPrime]``."""
    log = Log(host, LOG)
    log.write(f"Unified agent installer {version} started.")
    try:
        given = parse(words, switches=["Silent"], values=["Role", "InstallLocation", "Platform", "CSType"])
        architecture = _checked(host, given, version)
    except BadArgumentError as wrong:
        log.write(f"ERROR: {wrong}")
        return Result(err=f"{wrong}\r\n", code=BAD_ARGUMENT)
    complaints = _prerequisites(host)
    if complaints:
        log.write(*(f"ERROR: {text}" for text in complaints))
        return Result(err="".join(f"{text}\r\n" for text in complaints), code=PREREQUISITE)
    install(host, version, architecture, given.value("InstallLocation") or FOLDER)
    log.write("Unified agent installation succeeded.")
    if architecture == MODERNIZED:
        return ok("Installation has succeeded.", "Agent Config Input:", host.spec.description.host_id)
    return ok("Installation has succeeded.")


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
    installed = host.registry.text(SV_SYSTEMS, "CSType")
    architecture = given.value("CSType") or installed or default_architecture(version)
    if architecture.lower() not in (CLASSIC.lower(), MODERNIZED.lower()):
        raise BadArgumentError(f"/CSType: {architecture!r} is not CSLegacy or CSPrime.")
    return CLASSIC if architecture.lower() == CLASSIC.lower() else MODERNIZED


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
    for name, kind in (("UnifiedAgentConfigurator.exe", "unified-agent-configurator"), ("svagents.exe", "svagents")):
        host.files.write(ntpath.join(agent, name), packages.program(kind, version))
    host.files.make_folder(r"C:\ProgramData\Microsoft Azure Site Recovery\Config")
    # The agent starts when it is configured; an upgrade leaves a running one running.
    runs = host.services.is_running("svagents")
    host.services.install("svagents", "InMage Scout VX Agent - Sentinel/Outpost", rf'"{agent}\svagents.exe"', run=runs)
    name = "InMage Scout Application Service"
    host.services.install(name, name, rf'"{agent}\appservice.exe"')
    name = "Azure Site Recovery VSS Provider"
    host.services.install(name, name, rf'"{agent}\InMageVssProvider.exe"', start=3, run=False)
    values = {"Product_Version": version, "PostInstallActions": "Succeeded", "InstallDirectory": folder}
    host.registry.write(AGENT_PRODUCT, values)
    name = "Microsoft Azure Site Recovery Mobility Service/Master Target Server"
    host.registry.write(UNINSTALL, {"DisplayName": name, "DisplayVersion": version})
    identity = {"HostId": host.spec.description.host_id, "CSType": architecture, "VmPlatform": "VmWare"}
    host.registry.write(SV_SYSTEMS, identity)


def configured(host: Host, server: str) -> None:
    """Leave what the configurator leaves when the agent is registered with ``server``."""
    host.registry.write(AGENT_PRODUCT, {"AgentConfigurationStatus": "Succeeded"})
    host.registry.write(SV_SYSTEMS, {"ServerName": server})
    if not host.services.is_running("svagents"):
        host.services.start("svagents")


def configure(host: Host, _version: str, words: list[str]) -> Result:
    """``UnifiedAgentConfigurator.exe``: classic ``/CSEndPoint IP /PassphraseFilePath FILE``, modernized
    ``/SourceConfigFilePath FILE``.
    """
    log = Log(host, CONFIGURATOR_LOG)
    try:
        given = parse(
            words,
            switches=[],
            values=[
                "CSEndPoint",
                "PassphraseFilePath",
                "CSType",
                "SourceConfigFilePath",
                "CredentialLessDiscovery",
                "Unconfigure",
            ],
        )
        server, file = given.value("CSEndPoint"), given.value("PassphraseFilePath")
        if given.value("SourceConfigFilePath") or given.value("Unconfigure"):
            raise BadArgumentError("The lab's machines are configured for an appliance by push installation only.")
        if server is None or file is None:
            raise BadArgumentError("/CSEndPoint and /PassphraseFilePath are required.")
    except BadArgumentError as wrong:
        log.write(f"ERROR: {wrong}")
        return Result(err=f"{wrong}\r\n", code=BAD_ARGUMENT)
    code, text = _register(host, server, file, given.value("CSType"))
    log.write(text if code == 0 else f"ERROR: {text}")
    if code == 0:
        configured(host, server)
        return ok(text)
    if host.agent_version() is not None and code != OTHER_SERVER:
        host.registry.write(AGENT_PRODUCT, {"AgentConfigurationStatus": "Failed"})
    return Result(err=f"{text}\r\n", code=code)


def _register(host: Host, server: str, file: str, asked: str | None) -> tuple[int, str]:
    installed = host.registry.text(SV_SYSTEMS, "CSType")
    if host.agent_version() is None or installed is None:
        return 1, "The Mobility service is not installed."
    if installed != CLASSIC or (asked or CLASSIC).lower() != CLASSIC.lower():
        return REFUSED, (
            f"The agent was installed for {installed} and cannot register with a configuration server; "
            "install it with /CSType CSLegacy (the default is CSPrime from 9.55)."
        )
    passphrase = (host.files.text(file) or "").strip()
    if not passphrase:
        return 1, f"The passphrase file {file} does not exist or is empty."
    other = host.registry.text(SV_SYSTEMS, "ServerName")
    if other not in (None, server):
        return OTHER_SERVER, f"The agent is registered with another configuration server, {other}."
    if not host.uplink.connects(host.spec.address, server, 443):
        return SERVER, f"post request: (7) - Couldn't connect to server {server}:443"
    try:
        with host.lock.paused():
            host.uplink.register_mobility(server, passphrase, host.describe())
    except RegistrationRefused as refused:
        codes = {"AlreadyRegistered": OTHER_SERVER, "PassphraseInvalid": SERVER, "ServerUnreachable": SERVER}
        return codes.get(refused.code, REFUSED), f"Registration was refused: {refused.code}. {refused.message}"
    return 0, f"Registered with the configuration server {server}."
