"""Who a Windows host is and who has connected to it: ``whoami``, ``hostname``, ``ipconfig``."""

from uuid import NAMESPACE_DNS, uuid5

from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

FULL, FILTERED, USER = "full", "filtered", "user"
"""What a connecting user holds: an administrator's full token, one that the token filter cut, no administrator's."""
DOMAIN_USER, LOCAL_USER = "svc-asr", "deploy"
POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"


def sid(domain: str, last: int) -> str:
    """Return the identifier of an account: that of its machine or domain, and its own number."""
    number = uuid5(NAMESPACE_DNS, domain).int
    parts = "-".join(str(number >> shift & 0xFFFFFFFF) for shift in (96, 64, 32))
    return f"S-1-5-21-{parts}-{last}"


def whoami(host: Host, words: list[str]) -> Result:
    """``whoami``, ``whoami /user /fo csv [/nh]`` and ``whoami /groups /fo csv [/nh]`` of the connecting user."""
    lower = [word.lower() for word in words]
    if not lower:
        return ok(_account(host)[0])
    if lower[0] not in ("/user", "/groups") or lower[1:] not in (["/fo", "csv", "/nh"], ["/fo", "csv"]):
        return failed(1, f"ERROR: Invalid argument/option - '{words[-1]}'.", 'Type "WHOAMI /?" for usage.')
    if lower[0] == "/user":
        title, rows = '"User Name","SID"', [_account(host)]
    else:
        title, rows = '"Group Name","Type","SID","Attributes"', _groups(host)
    return ok(*([] if "/nh" in lower else [title]), *(",".join(f'"{cell}"' for cell in row) for row in rows))


def token(host: Host) -> str:
    """Return what the connecting user holds.

    Over the network a local administrator other than the built-in one has a filtered token, unless UAC is off or
    LocalAccountTokenFilterPolicy is 1 (Windows documentation, UAC remote restrictions).
    """
    held = host.condition.token
    if host.condition.built_in or host.condition.domain or held != FULL:
        return held
    trusted = host.registry.number(POLICIES, "LocalAccountTokenFilterPolicy") == 1
    return FULL if trusted or host.registry.number(POLICIES, "EnableLUA") == 0 else FILTERED


def _account(host: Host) -> tuple[str, ...]:
    domain = host.condition.domain
    if domain:
        return f"{domain.partition('.')[0].lower()}\\{DOMAIN_USER}", sid(domain, 1104)
    name, number = ("administrator", 500) if host.condition.built_in else (LOCAL_USER, 1003)
    description = host.spec.description
    return f"{description.host_name.lower()}\\{name}", sid(description.host_id, number)


def _groups(host: Host) -> list[tuple[str, ...]]:
    """Return the groups of the user's token; a filtered token of an administrator has that group to deny only."""
    held, domain = token(host), host.condition.domain
    mandatory = "Mandatory group, Enabled by default, Enabled group"
    administrators = "Group used for deny only" if held == FILTERED else f"{mandatory}, Group owner"
    high = held == FULL
    rows = [
        ("Everyone", "Well-known group", "S-1-1-0", mandatory),
        *([] if domain else [("NT AUTHORITY\\Local account", "Well-known group", "S-1-5-113", mandatory)]),
        *([] if held == USER else [("BUILTIN\\Administrators", "Alias", "S-1-5-32-544", administrators)]),
        ("BUILTIN\\Users", "Alias", "S-1-5-32-545", mandatory),
        ("NT AUTHORITY\\NETWORK", "Well-known group", "S-1-5-2", mandatory),
        ("NT AUTHORITY\\Authenticated Users", "Well-known group", "S-1-5-11", mandatory),
    ]
    if domain:
        rows.append((f"{domain.partition('.')[0].upper()}\\Server Admins", "Group", sid(domain, 1210), mandatory))
    level = ("High", "S-1-16-12288") if high else ("Medium", "S-1-16-8192")
    return [*rows, (f"Mandatory Label\\{level[0]} Mandatory Level", "Label", level[1], "")]


def hostname(host: Host, words: list[str]) -> Result:
    """``hostname``."""
    if words:
        return failed(
            1, "sethostname: Use the Network Control Panel Applet to set hostname.", "hostname -s is not supported."
        )
    return ok(host.spec.description.host_name)


def ipconfig(host: Host, words: list[str]) -> Result:
    """``ipconfig /all``."""
    if [word.lower() for word in words] != ["/all"]:
        return Result(out=ok("", "Error: unrecognized or incomplete command line.").out, code=1)
    description = host.spec.description
    rows = [
        "",
        "Windows IP Configuration",
        "",
        f"   Host Name . . . . . . . . . . . . : {description.host_name}",
        "   Primary Dns Suffix  . . . . . . . : ",
        "   Node Type . . . . . . . . . . . . : Hybrid",
        "   IP Routing Enabled. . . . . . . . : No",
        "   WINS Proxy Enabled. . . . . . . . : No",
    ]
    for index, address in enumerate(description.addresses):
        gateway = address.rsplit(".", 1)[0] + ".1"
        rows += [
            "",
            f"Ethernet adapter Ethernet{f' {index + 1}' if index else ''}:",
            "",
            "   Connection-specific DNS Suffix  . : eu-west-1.compute.internal",
            f"   Physical Address. . . . . . . . . : {description.mac.replace(':', '-').upper()}",
            "   DHCP Enabled. . . . . . . . . . . : Yes",
            f"   IPv4 Address. . . . . . . . . . . : {address}(Preferred) ",
            "   Subnet Mask . . . . . . . . . . . : 255.255.255.0",
            f"   Default Gateway . . . . . . . . . : {gateway}",
            f"   DHCP Server . . . . . . . . . . . : {gateway}",
            "   DNS Servers . . . . . . . . . . . : 10.20.0.2",
        ]
    return ok(*rows)
