"""What is read of a Windows host, in one text: registry first, because it is the same in every language and version.

Source of the keys: Windows documentation, and for those of Site Recovery's own products its documentation.
"""

from collections.abc import Iterable, Sequence

from asr_migrate.hosts import windows_text as text

CURRENT_VERSION = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
ENVIRONMENT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
SESSION_MANAGER = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
CONTROL = "HKLM\\SYSTEM\\CurrentControlSet\\Control"
BIOS = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS"
SERVICES = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
SYSTEM_POLICIES = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
FIREWALL_RULES = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
FIREWALL_RULES_BY_POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\FirewallRules"
AWS_PV_DRIVER = "HKLM\\SOFTWARE\\Amazon\\PVDriver"
MOBILITY_PRODUCT = "HKLM\\SOFTWARE\\Wow6432Node\\InMage Systems\\Installed Products\\5"
MOBILITY_SERVER = "HKLM\\SOFTWARE\\Wow6432Node\\SV Systems"
NLS_LANGUAGE = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language"
USER_SYSTEM_POLICIES = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
USER_COMMAND_POLICIES = "HKCU\\Software\\Policies\\Microsoft\\Windows\\System"
USER_ATTACHMENT_POLICIES = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\Attachments"
POWERSHELL_POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\PowerShell"
FIPS_POLICY = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\FipsAlgorithmPolicy"
TLS_1_0 = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0"
REBOOT_OF_SERVICING = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending"
REBOOT_OF_UPDATE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired"
SITE_RECOVERY_REGISTRATION = "HKLM\\SOFTWARE\\Microsoft\\Azure Site Recovery\\Registration"

TIME_SERVICE = "w32time"
MOBILITY_SERVICES = ("svagents", "InMage Scout Application Service")
GENPASSPHRASE = "C:\\ProgramData\\ASR\\home\\svsystems\\bin\\genpassphrase.exe"


def common(services: Iterable[str]) -> list[str]:
    """Return what every profile reads; the clock comes first so that it is read close to when the text was sent."""
    return [
        *text.section("clock", text.UTC_NOW),
        *text.section("os", text.reg_query(CURRENT_VERSION)),
        *text.section("environment", text.reg_query(ENVIRONMENT)),
        *text.section("identity", "hostname", "whoami /groups /fo csv /nh"),
        *text.section("addresses", "ipconfig /all"),
        *text.section("services", text.reg_query(SERVICES)),
        *text.section("states", *text.service_state(*services)),
        *text.section("policies", text.reg_query(SYSTEM_POLICIES)),
        *text.section("disk c:", "fsutil volume diskfree c:"),
    ]


def reach(targets: Sequence[tuple[str, int]]) -> list[str]:
    """Return a test of every TCP port, each in a section ``reach ADDRESS PORT``."""
    made: list[str] = []
    for address, port in targets:
        made += text.section(f"reach {address} {port}", text.connect(address, port))
    return made


def source(targets: Sequence[tuple[str, int]]) -> str:
    """Return the probe of a machine that is to be replicated."""
    return text.lines(
        common((TIME_SERVICE, *MOBILITY_SERVICES)),
        text.section("firmware", text.reg_query(CONTROL, "PEFirmwareType")),
        text.section("bios", text.reg_query(BIOS)),
        text.section("aws_pv", text.reg_query(AWS_PV_DRIVER)),
        text.section("firewall", text.reg_query(FIREWALL_RULES)),
        text.section("firewall_policy", text.reg_query(FIREWALL_RULES_BY_POLICY)),
        text.section("mobility", text.reg_query(MOBILITY_PRODUCT), text.reg_query(MOBILITY_SERVER, "ServerName")),
        reach(targets),
    )


def server(services: Iterable[str], disks: Iterable[str] = (), ports: Iterable[int] = ()) -> list[str]:
    """Return the probe of a server that is to become an appliance; ``ports`` are asked for on the host itself."""
    made = [
        *common((TIME_SERVICE, *services)),
        *text.section("language", text.reg_query(NLS_LANGUAGE, "InstallLanguage")),
        *text.section(
            "restrictions",
            text.reg_query(USER_SYSTEM_POLICIES),
            text.reg_query(USER_COMMAND_POLICIES),
            text.reg_query(USER_ATTACHMENT_POLICIES),
            text.reg_query(POWERSHELL_POLICY),
        ),
        *text.section("fips", text.reg_query(FIPS_POLICY, "Enabled")),
        *text.section("tls_server", text.reg_query(TLS_1_0 + "\\Server")),
        *text.section("tls_client", text.reg_query(TLS_1_0 + "\\Client")),
        *text.section(
            "reboot",
            *text.with_exit_code(text.reg_query(REBOOT_OF_SERVICING)),
            *text.with_exit_code(text.reg_query(REBOOT_OF_UPDATE)),
        ),
        *text.section("registration", *text.with_exit_code(text.reg_query(SITE_RECOVERY_REGISTRATION))),
    ]
    for disk in disks:
        made += text.section(f"disk {disk}", f"fsutil volume diskfree {disk}")
    return made + reach([("127.0.0.1", port) for port in ports])


def passphrase() -> list[str]:
    """Return the reading of the configuration server's passphrase; its output is a secret.

    ``-v`` shows the current one; any other switch would make a new one and cut off every agent (Site Recovery
    documentation).
    """
    return text.section("passphrase", *text.run(GENPASSPHRASE, "-v"))
