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
FIREWALL = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
FIREWALL_RULES = FIREWALL + "\\FirewallRules"
FIREWALL_PROFILES = tuple(f"{FIREWALL}\\{name}Profile" for name in ("Domain", "Standard", "Public"))
FIREWALL_POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
COMPUTER_NAME = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ActiveComputerName"
CRYPTOGRAPHY = "HKLM\\SOFTWARE\\Microsoft\\Cryptography"
SECURE_BOOT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecureBoot\\State"
PACKAGES = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"
SHARES = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Parameters"
TERMINAL_SERVER = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server"
TERMINAL_SERVER_POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows NT\\Terminal Services"
PARTITION_MANAGER = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\partmgr\\Parameters"
PERSISTENT_ROUTES = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\PersistentRoutes"
INTERNET_CONNECTIONS = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections"
STORAGE_NAMESPACE = "root\\Microsoft\\Windows\\Storage"
ENCRYPTION_NAMESPACE = "root\\CIMV2\\Security\\MicrosoftVolumeEncryption"
AWS_PV_DRIVER = "HKLM\\SOFTWARE\\Amazon\\PVDriver"
NLS_LANGUAGE = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language"
FIPS_POLICY = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\FipsAlgorithmPolicy"
TLS_1_0 = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.0"
REBOOT_OF_SERVICING = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending"
REBOOT_OF_UPDATE = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired"

TIME_SERVICE = "w32time"
MOBILITY_SERVICES = ("svagents", "InMage Scout Application Service")
FIREWALL_SERVICE = "MpsSvc"
#: Services that a push, or the first sign-in in Azure, needs running.
NEEDED_SERVICES = ("LanmanServer", "Winmgmt", "TermService", FIREWALL_SERVICE)
#: Services that snapshots need: each may be started when it is asked for, and must not be disabled.
SNAPSHOT_SERVICES = ("VSS", "swprv", "EventSystem", "COMSysApp")
STARTING_SERVICES = (TIME_SERVICE, *NEEDED_SERVICES, *SNAPSHOT_SERVICES)
#: Servicing stack and SHA-2 update of Windows Server 2008 R2 (Site Recovery documentation, agent 9.30 and later).
SHA2_UPDATES = ("KB4490628", "KB4474419")
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


def source() -> list[str]:
    """Return the probe of a machine that is to be replicated, without its Mobility service and what it reaches."""
    return [
        *common((TIME_SERVICE, *MOBILITY_SERVICES, *NEEDED_SERVICES)),
        *text.section("starts", *(text.reg_query(f"{SERVICES}\\{name}") for name in STARTING_SERVICES)),
        *text.section("user", "whoami /user /fo csv /nh"),
        *text.section("computer", text.reg_query(COMPUTER_NAME, "ComputerName")),
        *text.section("machine", text.reg_query(CRYPTOGRAPHY, "MachineGuid")),
        *text.section("firmware", text.reg_query(CONTROL, "PEFirmwareType")),
        *text.section("bios", text.reg_query(BIOS)),
        *text.section("aws_pv", text.reg_query(AWS_PV_DRIVER)),
        *text.section("secure_boot", text.reg_query(SECURE_BOOT, "UEFISecureBootEnabled")),
        *text.section("fips", text.reg_query(FIPS_POLICY, "Enabled")),
        *text.section("updates", *(text.reg_find_keys(PACKAGES, update) for update in SHA2_UPDATES)),
        *text.section(
            "reboot",
            *text.with_exit_code(text.reg_query(REBOOT_OF_SERVICING)),
            *text.with_exit_code(text.reg_query(REBOOT_OF_UPDATE)),
            *text.with_exit_code(text.reg_query(SESSION_MANAGER, "PendingFileRenameOperations")),
        ),
        *text.section("firewall", text.reg_query(FIREWALL_RULES)),
        *text.section("firewall_profiles", *(text.reg_query(key) for key in FIREWALL_PROFILES)),
        *text.section("firewall_policy", text.reg_query_all(FIREWALL_POLICY)),
        *text.section("share", text.reg_query(SHARES, "AutoShareServer")),
        *text.section("remote_desktop", text.reg_query(TERMINAL_SERVER, "fDenyTSConnections")),
        *text.section("remote_desktop_port", text.reg_query(TERMINAL_SERVER + "\\WinStations\\RDP-Tcp", "PortNumber")),
        *text.section("remote_desktop_policy", text.reg_query(TERMINAL_SERVER_POLICY, "fDenyTSConnections")),
        *text.section("san", *text.with_exit_code(text.reg_query(PARTITION_MANAGER))),
        *_disks(),
        *text.section("routes", text.reg_query(PERSISTENT_ROUTES)),
        *text.section("proxy", text.reg_query(INTERNET_CONNECTIONS, "WinHttpSettings")),
    ]


def _disks() -> list[str]:
    """Return what is asked of the disks; WMI and diskpart, because the registry tells only of volumes with letters."""
    volume = ("DriveLetter", "ProtectionStatus", "GetConversionStatus().ConversionStatus")
    return [
        *text.section("partitions", text.wmi("Win32_DiskPartition", "DiskIndex", "Index", "BootPartition")),
        *text.section("volumes", text.wmi("Win32_LogicalDiskToPartition", "Antecedent", "Dependent")),
        *text.section("dynamic", text.list_disks()),
        *text.section("storage_spaces", text.wmi("MSFT_VirtualDisk", "FriendlyName", namespace=STORAGE_NAMESPACE)),
        *text.section("bitlocker", text.wmi("Win32_EncryptableVolume", *volume, namespace=ENCRYPTION_NAMESPACE)),
    ]
