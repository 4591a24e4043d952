"""Programs of Windows that the lab's hosts have, beside ``reg``, ``sc``, ``net`` and ``netsh``.

Each takes the host and its words and returns what the real program prints; a switch that is not understood fails.
Formats differ between versions of Windows where the real ones do (``certutil``, ``fsutil``).
"""

import hashlib
import io
import zipfile
from collections.abc import Callable

from asr_lab.hosts.windows import firewall, services
from asr_lab.hosts.windows.reg import reg
from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

SERVER_2016, SERVER_2019 = 14393, 17763
"""Build numbers at which programs changed what they print."""

_NOT_STARTED = "The following error occurred: The service has not been started. (0x80070426)"


def whoami(host: Host, words: list[str]) -> Result:
    """``whoami`` and ``whoami /groups [/fo csv [/nh]]`` of the built-in administrator over a full token."""
    lower = [word.lower() for word in words]
    name = host.spec.description.host_name
    if not lower:
        return ok(f"{name.lower()}\\administrator")
    if lower[0] != "/groups" or lower[1:] not in (["/fo", "csv", "/nh"], ["/fo", "csv"]):
        return failed(1, f"ERROR: Invalid argument/option - '{words[-1]}'.", 'Type "WHOAMI /?" for usage.')
    mandatory = "Mandatory group, Enabled by default, Enabled group"
    rows = (
        ("Everyone", "Well-known group", "S-1-1-0", mandatory),
        ("NT AUTHORITY\\Local account", "Well-known group", "S-1-5-113", mandatory),
        ("BUILTIN\\Administrators", "Alias", "S-1-5-32-544", f"{mandatory}, Group owner"),
        ("BUILTIN\\Users", "Alias", "S-1-5-32-545", mandatory),
        ("NT AUTHORITY\\NETWORK", "Well-known group", "S-1-5-2", mandatory),
        ("NT AUTHORITY\\Authenticated Users", "Well-known group", "S-1-5-11", mandatory),
        ("Mandatory Label\\High Mandatory Level", "Label", "S-1-16-12288", ""),
    )
    title = [] if "/nh" in lower else ['"Group Name","Type","SID","Attributes"']
    return ok(*title, *(",".join(f'"{cell}"' for cell in row) for row in rows))


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


def w32tm(host: Host, words: list[str]) -> Result:
    """``w32tm /query /status|/source``, ``/resync [/force]`` and ``/stripchart /computer:X /samples:N /dataonly``."""
    lower = [word.lower() for word in words]
    runs, source = host.services.is_running("W32Time"), "169.254.169.123,0x9"
    if lower[:1] == ["/query"] and lower[1:] in (["/status"], ["/source"]):
        if not runs:
            return Result(out=ok(_NOT_STARTED).out, code=-2147023834)
        if lower[1] == "/source":
            return ok(f"{source} " if host.condition.time_source else "Local CMOS Clock ")
        stratum = "4 (secondary reference - syncd by (S)NTP)" if host.condition.time_source else "0 (unspecified)"
        return ok(
            "Leap Indicator: 0(no warning)",
            f"Stratum: {stratum}",
            "Precision: -6 (15.625ms per tick)",
            "Root Delay: 0.0003000s",
            "Root Dispersion: 0.0160000s",
            "ReferenceId: 0xA9FEA97B (source IP:  169.254.169.123)",
            f"Last Successful Sync Time: {host.utc_now():%m/%d/%Y %H:%M:%S}",
            f"Source: {source if host.condition.time_source else 'Local CMOS Clock'} ",
            "Poll Interval: 6 (64s)",
            "",
        )
    if lower[:1] == ["/resync"] and set(lower[1:]) <= {"/force", "/rediscover"}:
        if not runs:
            return Result(out=ok("Sending resync command to local computer", _NOT_STARTED).out, code=-2147023834)
        if not host.condition.time_source:
            rows = ok(
                "Sending resync command to local computer",
                "The computer did not resync because no time data was available.",
            )
            return Result(out=rows.out, code=-2146763770)
        host.condition.skew_s = 0.0
        return ok("Sending resync command to local computer", "The command completed successfully.")
    if lower[:1] == ["/stripchart"] and len(lower) > 1 and lower[1].startswith("/computer:"):
        computer = words[1].partition(":")[2]
        options = dict(word.partition(":")[::2] for word in lower[2:])
        if set(options) <= {"/samples", "/dataonly"} and options.get("/samples", "1").isdigit():
            now = host.utc_now()
            sample = f"{now:%H:%M:%S}, {-host.condition.skew_s:+011.7f}s"
            if not host.condition.time_source:
                sample = f"{now:%H:%M:%S}, error: 0x800705B4"
            samples = [sample] * int(options.get("/samples", "1"))
            title = f"Tracking {computer} [{computer}:123]."
            return ok(
                title, f"Collecting {len(samples)} samples.", f"The current time is {now:%m/%d/%Y %H:%M:%S}.", *samples
            )
    return failed(1, "The following arguments were unexpected:", f" {' '.join(words)}")


def certutil(host: Host, words: list[str]) -> Result:
    """``certutil -hashfile FILE SHA256``; up to 2012 R2 the digest is printed with blanks between its bytes."""
    if len(words) not in (2, 3) or words[0].lower() not in ("-hashfile", "/hashfile"):
        return Result(
            out=ok("Expected no more than 1 args, received 2", "CertUtil: Too many arguments").out, code=-2147024809
        )
    algorithm = words[2].lower() if len(words) == 3 else "sha1"
    if algorithm not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        return Result(
            out=ok("CertUtil: -hashfile command FAILED: 0x80090008 (-2146893816 NTE_BAD_ALGID)").out, code=-2146893816
        )
    data = host.files.read(words[1])
    if data is None:
        rows = ok(
            "CertUtil: -hashfile command FAILED: 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)",
            "CertUtil: The system cannot find the file specified.",
        )
        return Result(out=rows.out, code=-2147024894)
    digest = hashlib.new(algorithm, data).hexdigest()
    modern = host.flavour.build >= SERVER_2016
    title = f"{algorithm.upper()} hash of {'' if modern else 'file '}{words[1]}:"
    shown = digest if modern else " ".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return ok(title, shown, "CertUtil: -hashfile command completed successfully.")


def fsutil(host: Host, words: list[str]) -> Result:
    """``fsutil volume diskfree X:``; Server 2019 and later print groups of three digits and gigabytes."""
    lower = [word.lower() for word in words]
    if lower[:2] != ["volume", "diskfree"] or len(lower) != 3:
        return Result(out=ok(f"{' '.join(words)} is an invalid parameter.").out, code=1)
    drive = words[2].rstrip("\\").upper()
    free, size = host.free_bytes(drive), host.drives().get(drive)
    if free is None or size is None:
        return Result(out=ok("Error:  The system cannot find the path specified.").out, code=1)
    if host.flavour.build >= SERVER_2019:
        names = ("Total free bytes", "Total bytes", "Total quota free bytes")
        shown = (f"{number:>15,} ({number / 1024**3:>5.1f} GB)" for number in (free, size, free))
        return ok(*(f"{name:<23} : {text}" for name, text in zip(names, shown, strict=True)))
    names = ("Total # of free bytes", "Total # of bytes", "Total # of avail free bytes")
    return ok(*(f"{name:<28} : {number}" for name, number in zip(names, (free, size, free), strict=True)))


def shutdown(host: Host, words: list[str]) -> Result:
    """``shutdown /r [/f] [/t N] [/c TEXT] [/d REASON]``: the host restarts at once."""
    rest = iter(words)
    restart = False
    for word in rest:
        if word.lower() == "/r":
            restart = True
        elif word.lower() in ("/t", "/c", "/d"):
            if next(rest, None) is None:
                return failed(1, f"shutdown: {word} needs a value")
        elif word.lower() != "/f":
            return failed(1, f'Usage: shutdown [/r] [/t xxx] [/d reason] [/c "comment"]: {word}')
    if not restart:
        return failed(1, "The lab's hosts only restart (/r); stop the EC2 instance to switch one off.")
    host.restart()
    return ok()


def tasklist(host: Host, words: list[str]) -> Result:
    """``tasklist [/fo csv [/nh]] [/fi "IMAGENAME eq NAME"]``: the programs of the running services."""
    lower = [word.lower() for word in words]
    image = ""
    if "/fi" in lower and lower.index("/fi") + 1 < len(words):
        at = lower.index("/fi")
        kind, _, image = lower[at + 1].partition(" eq ")
        del lower[at : at + 2]
        if kind != "imagename":
            return failed(1, "ERROR: The search filter cannot be recognized.")
    if lower not in (["/fo", "csv", "/nh"], ["/fo", "csv"]):
        return failed(1, "ERROR: Invalid argument/option.", 'Type "TASKLIST /?" for usage.')
    names = []
    for service in host.services.all():
        if service.running and service.kind >= 0x10:
            names.append(service.image.replace('"', "").split(".exe")[0].rsplit("\\", 1)[-1] + ".exe")
    chosen = [name for name in sorted(set(names), key=str.lower) if not image or name.lower() == image]
    if not chosen:
        return ok("INFO: No tasks are running which match the specified criteria.")
    title = [] if "/nh" in lower else ['"Image Name","PID","Session Name","Session#","Mem Usage"']
    return ok(*title, *(f'"{name}","{400 + 4 * at}","Services","0","4,096 K"' for at, name in enumerate(chosen)))


def icacls(host: Host, words: list[str]) -> Result:
    """``icacls PATH [/inheritance:r] [/grant[:r] SID:RIGHTS ...] [/remove[:g] SID ...]``; rights are not simulated."""
    if not words or not host.files.exists(words[0]):
        name = words[0] if words else ""
        return failed(
            2,
            f"{name}: The system cannot find the file specified.",
            "Successfully processed 0 files; Failed to process 1 files",
        )
    switch = ""
    for word in words[1:]:
        if word.startswith("/"):
            switch = word.lower()
            if switch not in (
                "/inheritance:r",
                "/inheritance:e",
                "/grant",
                "/grant:r",
                "/remove",
                "/remove:g",
                "/t",
                "/c",
                "/q",
            ):
                return failed(87, f'Invalid parameter "{word}"')
        elif not (switch.startswith("/grant") and ":" in word) and not switch.startswith("/remove"):
            return failed(87, f'Invalid parameter "{word}"')
    return ok(f"processed file: {words[0]}", "Successfully processed 1 files; Failed processing 0 files")


def tar(host: Host, words: list[str]) -> Result:
    """``tar -xf ARCHIVE [-C FOLDER]`` of a zip archive (Server 2019 and later ship bsdtar)."""
    options = dict(zip(words[::2], words[1::2], strict=False))
    archive, folder = options.get("-xf"), options.get("-C", "C:\\Users\\Administrator")
    if archive is None or len(words) % 2 or set(options) - {"-xf", "-C"}:
        return failed(1, "tar.exe: Must specify one of -c, -r, -t, -u, -x")
    data = host.files.read(archive)
    if data is None:
        return failed(1, f"tar.exe: Error opening archive: Failed to open '{archive}'")
    if not host.files.is_folder(folder):
        return failed(1, f"tar.exe: could not chdir to '{folder}'")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            for name in pack.namelist():
                host.files.write(f"{folder}\\{name}", pack.read(name))
    except zipfile.BadZipFile:
        return failed(1, "tar.exe: Error opening archive: Unrecognized archive format")
    return ok()


Program = Callable[[Host, list[str]], Result]

PROGRAMS: dict[str, Program] = {
    "reg": lambda host, words: reg(host.registry, words),
    "sc": lambda host, words: services.sc(host.services, words),
    "net": lambda host, words: services.net(host.services, words),
    "netsh": lambda host, words: firewall.netsh(host.registry, words),
    "whoami": whoami,
    "hostname": hostname,
    "ipconfig": ipconfig,
    "w32tm": w32tm,
    "certutil": certutil,
    "fsutil": fsutil,
    "shutdown": shutdown,
    "tasklist": tasklist,
    "icacls": icacls,
}
SINCE = {"tar": (SERVER_2019, tar)}
"""Programs that came with a later version: name -> (build, program)."""


def find(host: Host, name: str) -> Program | None:
    """Return the program of that name on this host's version of Windows; ``name`` may carry ``.exe`` or System32's
    path.
    """
    short = name.lower().removeprefix("c:\\windows\\system32\\").removesuffix(".exe")
    if short in SINCE:
        build, program = SINCE[short]
        return program if host.flavour.build >= build else None
    return PROGRAMS.get(short)
