"""Unified Setup: makes a Windows server a configuration server with process server and master target.

Arguments, file formats, services and log places are those of the Site Recovery documentation. The exit codes of the
real program are documented nowhere: the lab's own are 0 for success and 1 for everything else, with the reason in the
logs, so nothing may be built on their values.
"""

import ntpath
import re
import secrets
import string

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.installers import packages
from asr_lab.hosts.windows.installers import prerequisites as need
from asr_lab.hosts.windows.installers.arguments import Arguments, BadArgumentError, extraction_folder, parse
from asr_lab.hosts.windows.installers.logs import REGISTRATION_LOGS, SETUP_LOGS, Log
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
PROVIDER = ("dra", "Microsoft Azure Site Recovery Service")
PORTS = (443, 9443, 44315)
_SWITCHES = ("AcceptThirdpartyEULA", "ShowThirdpartyEULA", "SkipSpaceCheck", "BypassProxy")
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
_MYSQL_ROW = re.compile(r'(MySQLRootPassword|MySQLUserPassword)\s*=\s*"([^"]+)"')
_PROXY_ROW = re.compile(r'(ProxyAuthentication|Proxy IP|ProxyPort|ProxyUserName|ProxyPassword)\s*=\s*"([^"]*)"')
LONGEST_HOP = 4
"""Versions that an upgrade may pass: N-4."""


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
    """``UNIFIEDSETUP.EXE``: check, install, register; 0 or 1, reasons in ``ASRSetupLogs`` and ``ASRLogs``."""
    log = Log(host, SETUP_LOGS + r"\ASRUnifiedSetup.log")
    log.write("Microsoft Azure Site Recovery Unified Setup started.")
    try:
        given = parse(words, switches=_SWITCHES, values=_VALUES)
        if given.has("ShowThirdpartyEULA"):
            return ok("Third-party notices")
        key = _checked(host, given)
    except BadArgumentError as wrong:
        return _stop(log, str(wrong))
    drive = ntpath.splitdrive(given.value("InstallLocation") or "")[0]
    complaints = [*_hop(host, version), *_prerequisites(host, drive, skip_space=given.has("SkipSpaceCheck"))]
    if complaints:
        log.write("Prerequisites check failed.")
        return _stop(log, *complaints)
    _install(host, version, drive)
    log.write("Configuration server, process server and master target were installed.")
    passphrase = (host.files.text(PASSPHRASE) or "").strip()
    try:
        with host.lock.paused():
            host.uplink.register_configuration_server(key, host.describe(), passphrase)
    except RegistrationRefused as refused:
        reason = f"Registration with the vault failed: {_reason(refused)}"
        Log(host, REGISTRATION_LOGS + r"\DRASetupWizard.log").write(reason)
        return _stop(log, reason)
    host.registry.write(REGISTRATION, {"HostName": host.spec.description.host_name, "ProxyType": "None"})
    host.services.install(*PROVIDER, r'"C:\Program Files\Microsoft Azure Site Recovery Provider\dra.exe"')
    Log(host, REGISTRATION_LOGS + r"\DRASetupWizard.log").write("Registration with the vault succeeded.")
    host.ask_for_restart()
    log.write("Setup completed successfully. Restart the server.")
    return ok("Setup completed successfully.")


def _stop(log: Log, *texts: str) -> Result:
    log.write(*(f"ERROR: {text}" for text in texts), "Setup failed.")
    return Result(err="".join(f"{text}\r\n" for text in texts), code=1)


def _reason(refused: RegistrationRefused) -> str:
    sentences = {
        "KeyExpired": "the vault registration key has expired; a key is valid for 5 days. Download a new key.",
        "KeyInvalid": "the vault registration key is not valid (InvalidChannelIntegrityKeyToken).",
        "ClockSkew": "ACS50008: the clock of this server is not in sync.",
    }
    return f"{sentences.get(refused.code, refused.code)} {refused.message}"


def _checked(host: Host, given: Arguments) -> bytes:
    """Return the vault registration key after every argument and file was found right. Raises BadArgumentError."""
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
    _mysql(_file(host, given, "MySQLCredsFilePath"))
    if given.value("ProxySettingsFilePath") is not None:
        _proxy(host, _file(host, given, "ProxySettingsFilePath"))
    return _file(host, given, "VaultCredsFilePath")


def _file(host: Host, given: Arguments, name: str) -> bytes:
    path = given.value(name)
    if path is None:
        raise BadArgumentError(f"/{name} is required for /ServerMode CS.")
    data = host.files.read(path)
    if not data:
        raise BadArgumentError(f"/{name}: the file {path} does not exist or is empty.")
    return data


def _mysql(data: bytes) -> None:
    rows = [row.strip() for row in data.decode("utf-8-sig", errors="replace").splitlines() if row.strip()]
    found = [match.group(1) for row in rows[1:] if (match := _MYSQL_ROW.fullmatch(row))]
    if rows[:1] != ["[MySQLCredentials]"] or len(rows) != 3 or len(set(found)) != 2:
        raise BadArgumentError(
            "/MySQLCredsFilePath: the file must hold [MySQLCredentials] and, in quotes, MySQLRootPassword and "
            "MySQLUserPassword."
        )


def _proxy(host: Host, data: bytes) -> None:
    """Check the proxy's file, and that the proxy answers. Raises BadArgumentError."""
    rows = [row.strip() for row in data.decode("utf-8-sig", errors="replace").splitlines() if row.strip()]
    found = {match.group(1): match.group(2) for row in rows[1:] if (match := _PROXY_ROW.fullmatch(row))}
    wanted = found.get("ProxyAuthentication", "").lower()
    if rows[:1] != ["[ProxySettings]"] or len(found) != len(rows) - 1 or wanted not in ("yes", "no"):
        raise BadArgumentError(
            "/ProxySettingsFilePath: the file must hold [ProxySettings], ProxyAuthentication (Yes or No), Proxy IP, "
            "ProxyPort, ProxyUserName and ProxyPassword in quotes."
        )
    if wanted == "yes" and not (found.get("ProxyUserName") and found.get("ProxyPassword")):
        raise BadArgumentError("/ProxySettingsFilePath: ProxyAuthentication is Yes, but user or password is empty.")
    address, port = found.get("Proxy IP", ""), found.get("ProxyPort", "")
    with host.lock.paused():
        answers = port.isdigit() and host.uplink.connects(host.spec.address, address, int(port))
    if not answers:
        raise BadArgumentError(f"/ProxySettingsFilePath: the proxy {address}:{port} was not reached.")


def _hop(host: Host, version: str) -> list[str]:
    """Complain about an upgrade from a version that is too old, and about a version older than the installed one."""
    installed = host.registry.text(AGENT_PRODUCT, "Product_Version")
    if installed is None or not host.registry.has(REGISTRATION):
        return []
    (old_major, old), (new_major, new) = (tuple(map(int, word.split(".")[:2])) for word in (installed, version))
    if (new_major, new) < (old_major, old):
        return [f"The installed version {installed} is newer than {version}."]
    if new_major != old_major or new - old > LONGEST_HOP:
        return [
            f"An upgrade from {installed} to {version} is not supported; upgrade over at most {LONGEST_HOP} versions."
        ]
    return []


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
        complaints += need.roles(host)
    if not skip_space and not complaints:
        complaints += need.space(host, drive, 600, "the process server cache")
    return complaints


def _install(host: Host, version: str, drive: str) -> None:
    files = {
        HOME + r"\bin\genpassphrase.exe": packages.program("genpassphrase", version),
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
    image = r'"C:\Program Files\Microsoft Azure Site Recovery Provider\dra.exe"'
    host.services.install(*PROVIDER, image, start=3, run=False)
    host.registry.write(
        AGENT_PRODUCT,
        {"Product_Version": version, "PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Succeeded"},
    )
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
