"""Programs of Windows that the lab's hosts have, beside ``reg``, ``sc``, ``net`` and ``netsh``.

Each takes the host and its words and returns what the real program prints; a switch that is not understood fails.
Formats differ between versions of Windows where the real ones do (``certutil``, ``fsutil``).
"""

import hashlib
import io
import zipfile
from collections.abc import Callable

from asr_lab.hosts.windows import disks, identity, netsh, repairs, services
from asr_lab.hosts.windows.installers import dr_configurator, msi
from asr_lab.hosts.windows.reg import reg
from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

SERVER_2016 = 14393
"""The build at which certutil changed what it prints."""

_NOT_STARTED = "The following error occurred: The service has not been started. (0x80070426)"


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
    """``icacls PATH [/inheritance:r] [/grant[:r] SID:RIGHTS ...] [/remove[:g] SID ...]``.

    Of rights the lab knows one: a folder that inherits none is for administrators, unless another account owns it.
    """
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
    folder = words[0].lower().rstrip("\\")
    if "/inheritance:r" in [word.lower() for word in words] and folder not in host.condition.planted:
        host.condition.private = sorted({*host.condition.private, folder})
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


def findstr(_host: Host, words: list[str], stdin: str) -> Result:
    """``findstr [/i] [/l] /c:TEXT ...`` or ``findstr [/i] WORDS``: lines of standard input that hold one of them."""
    switches = {word.lower() for word in words if word.startswith("/") and not word.lower().startswith("/c:")}
    texts = [word[3:] for word in words if word.lower().startswith("/c:")]
    texts += [one for word in words if not word.startswith("/") for one in word.split()]
    if switches - {"/i", "/l"} or not texts:
        return failed(2, "FINDSTR: Bad command line")
    ignore = "/i" in switches
    wanted = [text.lower() if ignore else text for text in texts]
    found = [row for row in stdin.splitlines() if any(text in (row.lower() if ignore else row) for text in wanted)]
    return Result(out=ok(*found).out, code=0 if found else 1)


def _netsh(host: Host, words: list[str]) -> Result:
    """``netsh advfirewall``, which speaks with the firewall's service, and ``netsh winhttp``."""
    if words[:1] == ["winhttp"]:
        return repairs.winhttp(host.registry, words)
    if not host.services.is_running("MpsSvc"):
        return failed(
            1,
            "",
            "An error occurred while attempting to contact the Windows Firewall service. Make sure that the service is "
            "running and try your request again.",
            "",
        )
    return netsh.netsh(host.registry, words)


Program = Callable[[Host, list[str]], Result]

PROGRAMS: dict[str, Program] = {
    "reg": lambda host, words: reg(host.registry, words),
    "sc": lambda host, words: services.sc(host.services, words),
    "net": lambda host, words: services.net(host.services, words),
    "netsh": _netsh,
    "whoami": identity.whoami,
    "hostname": identity.hostname,
    "ipconfig": identity.ipconfig,
    "w32tm": w32tm,
    "certutil": certutil,
    "fsutil": disks.fsutil,
    "shutdown": shutdown,
    "tasklist": tasklist,
    "icacls": icacls,
    "msiexec": msi.msiexec,
    "route": repairs.route,
    "manage-bde": repairs.manage_bde,
    "set-obmachinesetting": dr_configurator.set_agent_proxy,
}
SINCE = {"tar": (disks.SERVER_2019, tar)}
"""Programs that came with a later version: name -> (build, program)."""


READERS: dict[str, Callable[[Host, list[str], str], Result]] = {
    "diskpart": disks.diskpart,
    "findstr": findstr,
}
"""Programs that read standard input."""


def short(name: str) -> str:
    """Return the name of a program without ``.exe`` and System32's path, in lower case."""
    return name.lower().removeprefix("c:\\windows\\system32\\").removesuffix(".exe")


def find(host: Host, name: str) -> Program | None:
    """Return the program of that name on this host's version of Windows."""
    known = short(name)
    if known in SINCE:
        build, program = SINCE[known]
        return program if host.flavour.build >= build else None
    return PROGRAMS.get(known)
