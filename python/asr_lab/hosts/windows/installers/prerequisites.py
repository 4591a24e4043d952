"""What a server must be before it becomes a configuration server or a replication appliance.

The rules are those of the Site Recovery documentation (configuration server requirements; replication appliance
requirements) and, for the locale and a pending restart, of Microsoft's published sources of Unified Setup: operating
system, English locale, no other roles, group policies not set, FIPS off, TLS 1.0 on, port 443 free, disk space, clock.
"""

from collections.abc import Iterator

from asr_lab.hosts.windows.state import SESSION_MANAGER, Host

GIB = 1024**3
MAX_SKEW_S = 15 * 60
"""Beyond it the access control service refuses the registration with ACS50008."""

_ROLES = {
    "AD-Domain-Services": "Active Directory Domain Services",
    "Web-Server": "Internet Information Services",
    "Hyper-V": "Hyper-V",
}
_CACHE = r"HKLM\SOFTWARE\Microsoft\ServerManager\ServicingStorage\ServerComponentCache"
_SCHANNEL = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0"


def operating_system(host: Host, versions: tuple[str, ...], *, american: bool = False) -> Iterator[str]:
    """Complain when the host's Windows is none of ``versions`` (flavour names), or its locale is not English.

    ``american`` takes no other English than that of the United States.
    """
    product = host.registry.text(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "ProductName")
    if host.flavour.name not in versions:
        yield f"The operating system {product} is not supported on this server."
    language = host.registry.text(r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language", "InstallLanguage") or ""
    number, prefix = ("0409", "en-us") if american else ("09", "en-")
    if not language.endswith(number):
        yield f"The operating system locale is not English ({prefix}*): InstallLanguage is {language}."
    shown, culture = host.language, host.registry.text(r"HKCU\Control Panel\International", "LocaleName") or ""
    for what, name in (("UI culture", shown), ("culture", culture)):
        if name and not name.lower().startswith(prefix):
            yield f"The {what} of the user is not English ({prefix}*): {name}."


def restart(host: Host) -> Iterator[str]:
    """Complain about a restart that Unified Setup sees pending: files to rename, or an update that is not finished."""
    renames = host.registry.get(SESSION_MANAGER, "PendingFileRenameOperations")
    volatile = host.registry.get(r"HKLM\SOFTWARE\Microsoft\Updates", "UpdateExeVolatile")
    if renames is not None or volatile not in (None, "", "0", 0):
        yield "A restart from a previous installation is pending. Restart the server and try again."


def location(path: str) -> Iterator[str]:
    """Complain about the root of the system's drive as the place to install to."""
    if path.rstrip("\\/").lower() == "c:":
        yield f"The install location {path} is the root of the system drive."


def policies(host: Host) -> Iterator[str]:
    """Complain about group policies that stop the setup."""
    for hive in ("HKLM", "HKCU"):
        system = rf"{hive}\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
        if host.registry.number(system, "DisableRegistryTools"):
            yield "Group policy 'Prevent access to registry editing tools' is enabled."
        if host.registry.number(rf"{hive}\SOFTWARE\Policies\Microsoft\Windows\System", "DisableCMD"):
            yield "Group policy 'Prevent access to the command prompt' is enabled."
        attachments = rf"{hive}\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\Attachments"
        if host.registry.number(attachments, "UseTrustedHandlers") == 3:
            yield "Group policy 'Trust logic for file attachments' is enabled."
        shell = rf"{hive}\SOFTWARE\Policies\Microsoft\Windows\PowerShell"
        if (host.registry.text(shell, "ExecutionPolicy") or "") in ("AllSigned", "Restricted"):
            yield "Group policy 'Turn on Script Execution' is enabled."


def roles(host: Host) -> Iterator[str]:
    """Complain about roles that must not be there, and about a program that holds port 443."""
    for key, name in _ROLES.items():
        if host.registry.number(f"{_CACHE}\\{key}", "InstallState") == 1:
            yield f"The role {name} is installed on this server."
    if 443 in host.condition.listening:
        yield "Port 443 is in use by another application."


def cryptography(host: Host) -> Iterator[str]:
    """Complain about FIPS mode."""
    if host.registry.number(r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled"):
        yield "FIPS mode is enabled on this server."


def tls_1_0(host: Host) -> Iterator[str]:
    """Complain when TLS 1.0 is switched off; the classic configuration server cannot load its accounts then."""
    for side in ("Server", "Client"):
        key = f"{_SCHANNEL}\\{side}"
        disabled = host.registry.number(key, "Enabled") == 0 or host.registry.number(key, "DisabledByDefault") == 1
        if disabled:
            yield f"Failed to load Accounts: TLS 1.0 is disabled on this server (SCHANNEL {side})."
            return


def clock(host: Host) -> Iterator[str]:
    """Complain when the host's clock is more than 15 minutes off."""
    if abs(host.condition.skew_s) > MAX_SKEW_S:
        minutes = round(abs(host.condition.skew_s) / 60)
        yield (
            f"ACS50008: The token is not valid yet or no longer: the clock of this server is {minutes} minutes off. "
            "Global time sync check failed."
        )


def space(host: Host, drive: str, gib: int, what: str) -> Iterator[str]:
    """Complain when ``drive`` (``D:``) has less than ``gib`` free."""
    free = host.free_bytes(drive)
    if free is None:
        yield f"The drive {drive} for {what} does not exist."
    elif free < gib * GIB:
        yield f"Insufficient free space on {drive} for {what}: {free / GIB:.1f} GB free, {gib} GB needed."
