"""What is read of a Windows server that is, or is to become, an appliance; one text, registry first.

Source of the keys: Windows documentation, and for those of Site Recovery's own products its documentation.
"""

import re
from collections.abc import Iterable

from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_probe as probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.quoting import native

#: How the user's programs write numbers and dates, and the languages that they and the machine show.
CULTURE = "HKCU\\Control Panel\\International"
USER_LANGUAGES = "HKCU\\Control Panel\\Desktop"
MACHINE_LANGUAGES = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\MUI\\Settings"
UPDATES = "HKLM\\SOFTWARE\\Microsoft\\Updates"
NLS_LANGUAGE = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language"
RESTRICTIONS = (
    "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\System",
    "HKCU\\Software\\Policies\\Microsoft\\Windows\\System",
    "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\Attachments",
    "HKCU\\Software\\Policies\\Microsoft\\Windows\\PowerShell",
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\System",
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\Attachments",
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\PowerShell",
)
FIPS_POLICY = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\FipsAlgorithmPolicy"
TLS_1_0 = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0"
REBOOT_OF_SERVICING = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending"
REBOOT_OF_UPDATE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired"
SESSION_MANAGER = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
REGISTRATION = "HKLM\\SOFTWARE\\Microsoft\\Azure Site Recovery\\Registration"
INTERFACES = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces"
#: Holds the time of the last orderly shutdown as 8 bytes; another value means that Windows was restarted since.
LAST_SHUTDOWN = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Windows"
#: Configuration and process server, and the agent beside them (Microsoft's published setup sources).
PRODUCTS = tuple(f"HKLM\\SOFTWARE\\Wow6432Node\\InMage Systems\\Installed Products\\{number}" for number in (9, 5))
#: What MySQL's installer leaves, in the two views of the registry (MySQL documentation, installation on Windows).
MYSQL_5_5 = tuple(f"HKLM\\SOFTWARE\\{view}MySQL AB\\MySQL Server 5.5" for view in ("", "Wow6432Node\\"))
WEB_SITES = "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"
#: Our own notes on the server.
NOTES = "HKLM\\SOFTWARE\\asr-migrate"
#: A registration that was taken away and is not yet replaced by another.
KEPT_REGISTRATION = NOTES + "\\Registration"
GENPASSPHRASE = "C:\\ProgramData\\ASR\\home\\svsystems\\bin\\genpassphrase.exe"


def server(services: Iterable[str], disks: Iterable[str], ports: Iterable[int]) -> list[str]:
    """Return the probe of a server; ``ports`` are asked for on the server itself."""
    made = [
        *probe.common((probe.TIME_SERVICE, *services)),
        *text.section("language", text.reg_query(NLS_LANGUAGE, "InstallLanguage")),
        *text.section("culture", text.reg_query(CULTURE, "LocaleName")),
        *text.section("user_languages", text.reg_query(USER_LANGUAGES, "PreferredUILanguages")),
        *text.section("machine_languages", text.reg_query(MACHINE_LANGUAGES, "PreferredUILanguages")),
        *text.section("restrictions", *(text.reg_query(key) for key in RESTRICTIONS)),
        *text.section("fips", text.reg_query(FIPS_POLICY, "Enabled")),
        *text.section("tls_server", text.reg_query(TLS_1_0 + "\\Server")),
        *text.section("tls_client", text.reg_query(TLS_1_0 + "\\Client")),
        *text.section(
            "reboot",
            *text.with_exit_code(text.reg_query(REBOOT_OF_SERVICING)),
            *text.with_exit_code(text.reg_query(REBOOT_OF_UPDATE)),
            *text.with_exit_code(text.reg_query(SESSION_MANAGER, "PendingFileRenameOperations")),
            text.reg_query(UPDATES, "UpdateExeVolatile"),
        ),
        *text.section("registration", *text.with_exit_code(text.reg_query(REGISTRATION))),
        *text.section("processors", text.wmi("Win32_Processor", "NumberOfCores", "NumberOfLogicalProcessors")),
        *text.section("memory", text.wmi("Win32_ComputerSystem", "TotalPhysicalMemory")),
        *text.section("interfaces", f"reg query {native(INTERFACES)} /s"),
        *text.section("shutdown", text.reg_query(LAST_SHUTDOWN, "ShutdownTime")),
        *text.section("product", *(text.reg_query(key) for key in PRODUCTS)),
        *text.section("notes", text.reg_query(NOTES)),
        *text.section("left", f"cmd /c 'dir /b {text.WORK_DIRECTORY}'"),
        *text.section("sites", text.print_files(WEB_SITES)),
        *text.section("programs", "tasklist /fo csv /nh"),
    ]
    for disk in disks:
        made += text.section(f"disk {disk}", f"fsutil volume diskfree {disk}")
    return made + probe.reach([("127.0.0.1", port) for port in ports])


def note(name: str, value: str) -> str:
    """Keep a value among our notes on the server."""
    return f"reg add {native(NOTES)} /v {native(name)} /t REG_SZ /d {native(value)} /f"


def configuration_server() -> list[str]:
    """Return what is read of a configuration server alone: a registration taken away, and an old MySQL."""
    return [
        *text.section("kept_registration", *text.with_exit_code(text.reg_query(KEPT_REGISTRATION))),
        *text.section("mysql_5_5", *(line for key in MYSQL_5_5 for line in text.with_exit_code(text.reg_query(key)))),
    ]


def installed_version(section: output.Section) -> str | None:
    """Return the oldest version of what Site Recovery installed, or None when nothing is; an upgrade renews all of it.

    The value is ``Version``; agents for the modernized architecture also have ``Product_Version``.
    """
    values = [values for key, values in output.registry_tree(section).items() if key.endswith(("\\9", "\\5"))]
    named = [one.get("version") or one.get("product_version") for one in values]
    return min((value.data for value in named if value and value.data), key=_numbers, default=None)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def passphrase() -> list[str]:
    """Return the reading of the configuration server's passphrase; its output is a secret.

    ``-v`` shows the current one; any other switch would make a new one and cut off every agent (Site Recovery
    documentation).
    """
    return text.section("passphrase", *text.run(GENPASSPHRASE, "-v"))
