"""Unified Setup: makes a Windows server a configuration server with process server and master target.

Arguments, services and log places are those of the Site Recovery documentation; exit codes, what may stand beside
``/Upgrade``, and that setup does not run twice over the same version, those of Microsoft's published setup sources. The
reason of a failure stands in the logs.
"""

import ntpath
import re
import secrets
import string
from enum import IntEnum

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.hosts.windows import firewall, web
from asr_lab.hosts.windows.installers import packages
from asr_lab.hosts.windows.installers import prerequisites as need
from asr_lab.hosts.windows.installers.arguments import Arguments, BadArgumentError, extraction_folder, parse
from asr_lab.hosts.windows.installers.logs import REGISTRATION_LOGS, SETUP_LOGS, Log
from asr_lab.hosts.windows.installers.unified_setup_files import check_mysql, read_proxy
from asr_lab.hosts.windows.result import Result, ok
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host

HOME = r"C:\ProgramData\ASR\home\svsystems"
REPOSITORY = HOME + r"\pushinstallsvc\repository"
PASSPHRASE = r"C:\ProgramData\Microsoft Azure Site Recovery\private\connection.passphrase"
REGISTRATION = r"HKLM\SOFTWARE\Microsoft\Azure Site Recovery\Registration"
SERVICES = {
    "ProcessServer": "ProcessServer",
    "ProcessServerMonitor": "ProcessServerMonitor",
    "cxprocessserver": "cxprocessserver",
    "InMage PushInstall": "InMage PushInstall",
    "LogUpload": "Log Upload Service",
    "InMage Scout Application Service": "InMage Scout Application Service",
    "obengine": "Microsoft Azure Recovery Services Agent",
    "svagents": "InMage Scout VX Agent - Sentinel/Outpost",
    "tmansvc": "tmansvc",
    "W3SVC": "World Wide Web Publishing Service",
    "MySQL": "MySQL",
}
CS_PRODUCT = r"HKLM\SOFTWARE\Wow6432Node\InMage Systems\Installed Products\9"
MYSQL_5_5 = r"HKLM\SOFTWARE\Wow6432Node\MySQL AB\MySQL Server 5.5"
PROVIDER_FOLDER = r"C:\Program Files\Microsoft Azure Site Recovery Provider"
CONFIGURATOR = PROVIDER_FOLDER + r"\DRConfigurator.exe"
PROVIDER = ("dra", "Microsoft Azure Site Recovery Service")
PORTS = (443, 9443, 44315)
_SWITCHES = ("AcceptThirdpartyEULA", "ShowThirdpartyEULA", "SkipSpaceCheck", "BypassProxy", "Upgrade")
_VALUES = (
    "ServerMode",
    "InstallLocation",
    "InstallDrive",
    "MySQLCredsFilePath",
    "VaultCredsFilePath",
    "EnvType",
    "PSIP",
    "CSIP",
    "PassphraseFilePath",
    "ProxySettingsFilePath",
    "DataTransferSecurePort",
)
LONGEST_HOP = 4
"""Versions that an upgrade may pass: N-4."""


class Exit(IntEnum):
    """What setup ends with."""

    DONE = 0
    FAILED = 1
    ARGUMENTS = 2
    PREREQUISITES = 4
    NOT_REGISTERED = 103
    CONTAINER_NOT_REGISTERED = 112
    NO_UPGRADE = 203
    RESTART = 3010


class _Stopped(Exception):
    """Setup ends before its end, with an exit code and its reasons."""

    def __init__(self, code: Exit, *reasons: str) -> None:
        super().__init__(*reasons)
        self.code = code
        self.reasons = reasons


def extract(host: Host, version: str, words: list[str]) -> Result:
    """``MicrosoftAzureSiteRecoveryUnifiedSetup.exe /q /x:DIR``: leaves ``UNIFIEDSETUP.EXE`` in DIR."""
    try:
        folder = extraction_folder(words)
    except BadArgumentError as wrong:
        return Result(err=f"{wrong}\r\n", code=1)
    host.files.write(ntpath.join(folder, "UNIFIEDSETUP.EXE"), packages.program("unified-setup", version))
    host.files.write(ntpath.join(folder, "Third-Party_Notices.txt"), b"Third-party notices\r\n")
    return ok()


def genpassphrase(host: Host, words: list[str]) -> Result:
    """``genpassphrase.exe -v``: print the passphrase. Making a new one (``-n``) would cut off every agent and is
    refused.
    """
    if [word.lower() for word in words] != ["-v"]:
        return Result(err="genpassphrase: only -v (view) is supported here.\r\n", code=1)
    return ok((host.files.text(PASSPHRASE) or "").strip())


def setup(host: Host, version: str, words: list[str]) -> Result:
    """``UNIFIEDSETUP.EXE``: check, install, register, or upgrade; reasons in ``ASRSetupLogs`` and ``ASRLogs``."""
    log = Log(host, SETUP_LOGS + r"\ASRUnifiedSetup.log")
    log.write("Microsoft Azure Site Recovery Unified Setup started.")
    try:
        given = parse(words, switches=_SWITCHES, values=_VALUES)
        if given.has("Upgrade"):
            _upgrade(host, version, given, words)
            code = Exit.DONE
        elif given.has("ShowThirdpartyEULA"):
            return ok("Third-party notices")
        else:
            _fresh(host, version, given, log)
            code = Exit.RESTART
    except BadArgumentError as wrong:
        return _stop(log, Exit.ARGUMENTS, str(wrong))
    except _Stopped as stopped:
        return _stop(log, stopped.code, *stopped.reasons)
    log.write("Setup completed successfully." + (" Restart the server." if code is Exit.RESTART else ""))
    return Result(out="Setup completed successfully.\r\n", code=code)


def _fresh(host: Host, version: str, given: Arguments, log: Log) -> None:
    """Install and register. Raises BadArgumentError and _Stopped."""
    if is_whole(host):
        raise BadArgumentError("All components are already installed on this server; give /Upgrade to upgrade them.")
    installed = host.registry.text(CS_PRODUCT, "Version")
    if installed not in (None, version):
        raise _Stopped(Exit.NO_UPGRADE, f"Version {installed} is installed in part; uninstall it first.")
    key, proxy = _checked(host, given)
    place = given.value("InstallLocation") or ""
    drive = ntpath.splitdrive(place)[0]
    complaints = [*need.location(place), *_prerequisites(host, drive, skip_space=given.has("SkipSpaceCheck"))]
    if complaints:
        log.write("Prerequisites check failed.")
        raise _Stopped(Exit.PREREQUISITES, *complaints)
    _install(host, version, drive)
    log.write("Configuration server, process server and master target were installed.")
    refusal = web.way_out(host, proxy)
    if refusal:
        raise _Stopped(Exit.CONTAINER_NOT_REGISTERED, f"post request: (7) {refusal.format(name='Azure')}")
    if reason := register(host, key):
        raise _Stopped(Exit.NOT_REGISTERED, reason)
    host.ask_for_restart()


def is_whole(host: Host) -> bool:
    """Return whether everything is installed and registered."""
    names = (*SERVICES, PROVIDER[0])
    services = all(host.services.find(name) is not None for name in names)
    return services and host.registry.has(CS_PRODUCT) and host.registry.has(REGISTRATION)


def _upgrade(host: Host, version: str, given: Arguments, words: list[str]) -> None:
    """Put this version in the place of an older one. Raises BadArgumentError and _Stopped."""
    old_mysql = host.registry.has(MYSQL_5_5)
    if old_mysql and not given.has("AcceptThirdpartyEULA"):
        raise BadArgumentError("/AcceptThirdpartyEULA is required: MySQL 5.5 is replaced.")
    if len(words) > (3 if old_mysql else 2):
        raise BadArgumentError("Other arguments are given beside /Upgrade; give it alone.")
    if not is_whole(host):
        raise BadArgumentError("/Upgrade is given, but not all components are installed and registered.")
    installed = host.registry.text(CS_PRODUCT, "Version") or "0.0"
    (old_major, old), (new_major, new) = (tuple(map(int, word.split(".")[:2])) for word in (installed, version))
    if (new_major, new) <= (old_major, old):
        raise _Stopped(Exit.NO_UPGRADE, f"The installed version {installed} is as new as {version}, or newer.")
    if new_major != old_major or new - old > LONGEST_HOP:
        raise _Stopped(
            Exit.NO_UPGRADE,
            f"An upgrade from {installed} to {version} is not supported; upgrade over at most {LONGEST_HOP} versions.",
        )
    _install(host, version, ntpath.splitdrive(host.registry.text(CS_PRODUCT, "InstallDirectory") or "")[0])
    host.services.install(*PROVIDER, rf'"{PROVIDER_FOLDER}\dra.exe"')
    host.registry.remove(MYSQL_5_5)


def register(host: Host, key: bytes) -> str | None:
    """Register the server with the vault of a key and let the provider run; return why the vault refused, or None."""
    log = Log(host, REGISTRATION_LOGS + r"\DRASetupWizard.log")
    passphrase = (host.files.text(PASSPHRASE) or "").strip()
    try:
        with host.lock.paused():
            host.uplink.register_configuration_server(key, host.describe(), passphrase)
    except RegistrationRefused as refused:
        reason = f"Registration with the vault failed: {_reason(refused)}"
        log.write(reason)
        return reason
    vault = re.search(r"<ResourceName>([^<]*)</ResourceName>", key.decode("utf-8-sig", errors="replace"))
    values = {"HostName": host.spec.description.host_name, "ProxyType": "None"}
    host.registry.write(REGISTRATION, values | {"ResourceName": vault.group(1) if vault else ""})
    host.services.install(*PROVIDER, rf'"{PROVIDER_FOLDER}\dra.exe"')
    log.write("Registration with the vault succeeded.")
    return None


def _stop(log: Log, code: Exit, *texts: str) -> Result:
    log.write(*(f"ERROR: {text}" for text in texts), "Setup failed.")
    return Result(err="".join(f"{text}\r\n" for text in texts), code=code)


def _reason(refused: RegistrationRefused) -> str:
    sentences = {
        "KeyExpired": "the vault registration key has expired; a key is valid for 5 days. Download a new key.",
        "KeyInvalid": "the vault registration key is not valid (InvalidChannelIntegrityKeyToken).",
        "ClockSkew": "ACS50008: the clock of this server is not in sync.",
    }
    return f"{sentences.get(refused.code, refused.code)} {refused.message}"


def _checked(host: Host, given: Arguments) -> tuple[bytes, web.WebProxy | None]:
    """Return key and proxy after every argument and file was found right. Raises BadArgumentError."""
    if not given.has("AcceptThirdpartyEULA"):
        raise BadArgumentError("/AcceptThirdpartyEULA is required: the third-party licence is not accepted.")
    mode, kind = given.value("ServerMode") or "", given.value("EnvType") or ""
    if mode.upper() == "PS":
        raise BadArgumentError("/ServerMode PS: the lab plays configuration servers (CS) only.")
    if mode.upper() != "CS":
        raise BadArgumentError(f"/ServerMode: {mode!r} is not CS or PS.")
    if kind.lower() not in ("vmware", "nonvmware"):
        raise BadArgumentError(f"/EnvType: {kind!r} is not VMWare or NonVMWare.")
    if not re.match(r"^[A-Za-z]:\\", given.value("InstallLocation") or ""):
        raise BadArgumentError("/InstallLocation is missing or is no folder of a drive.")
    for name in ("PSIP", "CSIP"):
        address = given.value(name)
        if address is not None and address not in host.spec.description.addresses:
            raise BadArgumentError(f"/{name}: {address} is no address of this server.")
    port = given.value("DataTransferSecurePort") or "9443"
    if port != "9443":
        raise BadArgumentError(f"/DataTransferSecurePort: the lab plays the default 9443 only, not {port}.")
    check_mysql(_file(host, given, "MySQLCredsFilePath"))
    proxy = None
    if given.value("ProxySettingsFilePath") is not None:
        proxy = read_proxy(host, _file(host, given, "ProxySettingsFilePath"))
    return _file(host, given, "VaultCredsFilePath"), proxy


def _file(host: Host, given: Arguments, name: str) -> bytes:
    path = given.value(name)
    if path is None:
        raise BadArgumentError(f"/{name} is required for /ServerMode CS.")
    data = host.files.read(path)
    if not data:
        raise BadArgumentError(f"/{name}: the file {path} does not exist or is empty.")
    return data


def _prerequisites(host: Host, drive: str, *, skip_space: bool) -> list[str]:
    complaints = [
        *need.operating_system(host, ("2012r2", "2016")),
        *need.policies(host),
        *need.cryptography(host),
        *need.tls_1_0(host),
        *need.clock(host),
        *need.space(host, drive, 5, "the installation"),
    ]
    if not host.registry.has(AGENT_PRODUCT):
        complaints += [*need.restart(host), *need.roles(host)]
    if not skip_space and not complaints:
        complaints += need.space(host, drive, 600, "the process server cache")
    return complaints


def _install(host: Host, version: str, drive: str) -> None:
    files = {
        HOME + r"\bin\genpassphrase.exe": packages.program("genpassphrase", version),
        CONFIGURATOR: packages.program("dr-configurator", version),
        HOME + r"\bin\cspsconfigtool.exe": packages.program("cspsconfigtool", version),
        HOME + r"\var\configurator_register_host_static_info.log": b"",
        f"{REPOSITORY}\\{packages.MOBILITY_FILE}": packages.program("mobility-package", version),
    }
    for name in packages.LINUX_FILES:
        content = host.uplink.download(packages.MIRROR + name)
        if content:
            files[f"{REPOSITORY}\\{name}"] = content
    if not host.files.exists(PASSPHRASE):
        letters = string.ascii_letters + string.digits
        files[PASSPHRASE] = "".join(secrets.choice(letters) for _ in range(16)).encode() + b"\r\n"
    for path, data in files.items():
        host.files.write(path, data)
    host.files.make_folder(f"{drive}\\home\\svsystems")
    for name, display in SERVICES.items():
        host.services.install(name, display, rf'"{drive}\home\svsystems\bin\{name}.exe"')
    # The provider is configured, and can run, only when the registration succeeded.
    host.services.install(*PROVIDER, rf'"{PROVIDER_FOLDER}\dra.exe"', start=3, run=False)
    done = {"PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Succeeded"}
    host.registry.write(CS_PRODUCT, {"Version": version, "InstallDirectory": f"{drive}\\"})
    host.registry.write(AGENT_PRODUCT, {"Version": version, "Product_Version": version, **done})
    open_ports(host, PORTS)


def open_ports(host: Host, ports: tuple[int, ...]) -> None:
    """Let a program listen on ``ports`` and the firewall pass them."""
    host.condition.listening.update(ports)
    rules = [
        firewall.compose(
            "v2.10",
            {"id": f"ASR-{port}", "name": f"Azure Site Recovery {port}", "protocol": 6, "lport": port, "active": True},
        )
        for port in ports
    ]
    firewall.store(host.registry, rules)
