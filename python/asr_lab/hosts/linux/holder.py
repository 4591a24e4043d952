"""The first process of a simulated Linux host: makes the namespaces, builds the root tree, then keeps them alive.

Started as ``python -I -S -c`` by ``sandbox.Sandbox``, by any user, on a machine with nothing installed, hence the
standard library only. It reads one JSON line (``Plan``) and answers JSON lines: ``{"pid"}`` from the starter, then
``{"user_pid"}`` or ``{"error"}``. Each further line of input is a JSON list of ``[address, port]``: the TCP ports which
shall accept connections inside the host (everything else refuses); the answer is ``{"ports": n}``. At the end of input
it exits, and the whole host with it.
"""

import ctypes
import fnmatch
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from asr_lab.hosts.linux import netlink

NEWNS, NEWUTS, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, SLAVE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 19
DETACH = 2
NO_ACCESS_TIMES, NO_DIRECTORY_TIMES, RELATIVE_TIMES = 1024, 2048, 1 << 21
OWN_ENTRIES = ("bin", "sbin", "lib", "lib64", "libexec")
EMPTY = ("proc", "sys", "dev/shm", "run", "tmp", "var/tmp", "usr", ".machine", ".old", "mnt", "srv", "opt", "etc")
FOR_EVERYONE = ("tmp", "var/tmp", "dev/shm")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
libc = ctypes.CDLL(None, use_errno=True)


class Plan(TypedDict):
    """What to build.

    ``root`` is an empty directory to mount the root tree on, ``tree`` holds the files of the host, ``hide`` are globs
    of commands and libraries that this host lacks, ``user`` is the login that may use sudo. ``networks`` are
    ``[network, prefix]`` whose addresses answer inside the host.
    """

    name: str
    address: str
    networks: list[tuple[str, int]]
    root: str
    tree: str
    hide: list[str]
    user: str


def main() -> NoReturn:
    """Build the host and serve it until the end of standard input."""
    plan: Plan = json.loads(sys.stdin.readline())
    try:
        _enter_namespaces()
        user_pid = _build(plan)
    except (OSError, subprocess.CalledProcessError) as error:
        _say({"error": f"{type(error).__name__}: {error}"})
        os._exit(1)
    _say({"user_pid": user_pid})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve()


def _enter_namespaces() -> None:
    """Become root of a new user namespace and its first process; the starter reports that process's id and exits."""
    uid, gid = os.geteuid(), os.getegid()
    _unshare(NEWUSER | NEWNS | NEWUTS | NEWPID | NEWNET)
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1", "ascii")
    child = os.fork()
    if child:
        _say({"pid": child})
        os._exit(0)


def _build(plan: Plan) -> int:
    """Make the network and the root tree, move into it, and return the process that holds the login user's view."""
    socket.sethostname(plan["name"])
    _build_network(plan)
    root = Path(plan["root"])
    _mount(None, "/", flags=REC | SLAVE)
    _mount("tmpfs", root, "tmpfs", NOSUID, "mode=755,size=12g")
    for directory in EMPTY:
        (root / directory).mkdir(parents=True, exist_ok=True)
    for directory in FOR_EVERYONE:
        (root / directory).chmod(0o1777)
    _borrow_programs(root, plan["hide"])
    _borrow_settings(root)
    _lay_tree(Path(plan["tree"]), root)
    _make_devices(root)
    _mount("proc", root / "proc", "proc", NOSUID | NODEV | NOEXEC)
    _mount(root / "var/lib/lab/cmdline", root / "proc/cmdline", flags=BIND)
    os.mkfifo(root / "run/lab/requests", 0o600)
    pivot = shutil.which("pivot_root", path="/usr/sbin:/sbin:/usr/bin:/bin") or "pivot_root"
    os.chdir(root)
    subprocess.run([pivot, ".", ".old"], check=True)
    os.chdir("/")
    _check(libc.umount2(b"/.old", DETACH), "umount /.old")
    Path("/.old").rmdir()
    return _fork_user_view(plan["user"])


def _build_network(plan: Plan) -> None:
    """A network of its own: the host's address on eth0, the appliances' networks answered for on the loopback."""
    netlink.bring_up("lo")
    try:
        netlink.add_interface("eth0")
        netlink.bring_up("eth0")
        netlink.add_address("eth0", plan["address"], 32)
    except OSError:
        netlink.add_address("lo", plan["address"], 32)
    for network, prefix in plan["networks"]:
        netlink.add_local_route(network, prefix)


def _borrow_programs(root: Path, hide: Iterable[str]) -> None:
    """Show the machine's programs read-only under /.machine, and link those that this host has into its own /usr."""
    machine = root / ".machine"
    (machine / "usr").mkdir()
    _mount("/usr", machine / "usr", flags=BIND | REC)
    _make_read_only(machine / "usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        real = Path("/", name)
        if real.is_symlink():
            (root / name).symlink_to(real.readlink())
            (machine / name).symlink_to(real.readlink())
        elif real.is_dir():
            (machine / name).mkdir()
            _mount(real, machine / name, flags=BIND | REC)
            _make_read_only(machine / name)
            _link_directory(real, root / name, hide)
    for real in Path("/usr").iterdir():
        if real.is_symlink():
            (root / "usr" / real.name).symlink_to(real.readlink())
        elif real.name != "local":
            _link_directory(real, root / "usr" / real.name, hide)
    (root / "usr/local").mkdir()


def _link_directory(real: Path, shown: Path, hide: Iterable[str]) -> None:
    """Directories of programs are linked entry by entry, so that some can be left out or replaced; others whole."""
    if real.name not in OWN_ENTRIES:
        shown.symlink_to(f"/.machine{real}")
        return
    shown.mkdir()
    for name in os.listdir(real):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in hide):
            os.symlink(f"/.machine{real}/{name}", shown / name)


def _borrow_settings(root: Path) -> None:
    """Copy what the borrowed programs need of the machine's /etc: alternatives and the loader's cache."""
    with suppress(FileNotFoundError):
        shutil.copytree("/etc/alternatives", root / "etc/alternatives", symlinks=True)
    for name in ("ld.so.cache", "services", "protocols"):
        with suppress(FileNotFoundError):
            shutil.copy(f"/etc/{name}", root / "etc" / name)


def _lay_tree(tree: Path, root: Path) -> None:
    """Copy the host's own files over the borrowed ones."""
    for directory, folders, files in os.walk(tree):
        here = root / Path(directory).relative_to(tree)
        here.mkdir(parents=True, exist_ok=True)
        here.chmod(Path(directory).stat().st_mode & 0o7777)
        for name in files + [name for name in folders if Path(directory, name).is_symlink()]:
            (here / name).unlink(missing_ok=True)
            shutil.copy2(Path(directory, name), here / name, follow_symlinks=False)


def _make_devices(root: Path) -> None:
    for device in DEVICES:
        (root / "dev" / device).touch()
        _mount(f"/dev/{device}", root / "dev" / device, flags=BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (root / "dev" / name).symlink_to(f"/proc/self/{target}")


def _fork_user_view(user: str) -> int:
    """Fork the process whose mounts the login user sees: read-only but for its own places, no secrets of root."""
    child = os.fork()
    if child:
        return child
    _unshare(NEWNS)
    _mount(None, "/", flags=REC | SLAVE)
    for path in (f"/home/{user}", *(f"/{directory}" for directory in FOR_EVERYONE)):
        _mount(path, path, flags=BIND)
    _mount("/dev/null", "/etc/shadow", flags=BIND)
    _mount("/srv", "/root", flags=BIND)
    for command in ("id", "whoami"):
        _mount(f"/var/lib/lab/user/{command}", f"/usr/bin/{command}", flags=BIND)
    _make_read_only(Path("/"))
    os.closerange(0, 3)
    while True:
        signal.pause()


def _make_read_only(path: Path) -> None:
    """Remount read-only, keeping the flags that the machine has locked."""
    flags = os.statvfs(path).f_flag
    kept = flags & (NOSUID | NODEV | NOEXEC | NO_ACCESS_TIMES | NO_DIRECTORY_TIMES)
    relative = RELATIVE_TIMES if flags & 4096 else 0
    _mount(None, path, flags=REMOUNT | BIND | RDONLY | kept | relative)


def _mount(
    source: str | Path | None, target: str | Path, kind: str | None = None, flags: int = 0, data: str = ""
) -> None:
    """Call mount(2). Raises OSError naming source and target."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _check(libc.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None), f"mount {source or ''} on {target}")


def _unshare(flags: int) -> None:
    _check(libc.unshare(flags), "unshare")


def _check(result: int, what: str) -> None:
    """Raise OSError when a system call failed."""
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _serve() -> NoReturn:
    """Open and close ports as the lab tells; accept connections and close them; exit at the end of input."""
    loop = selectors.DefaultSelector()
    loop.register(0, selectors.EVENT_READ)
    listeners: dict[tuple[str, int], socket.socket] = {}
    pending = b""
    while True:
        for key, _ in loop.select():
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.accept()[0].close()
                continue
            data = os.read(0, 65536)
            if not data:
                os._exit(0)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                wanted = {(address, port) for address, port in json.loads(line)}
                _listen(loop, listeners, wanted)
                _say({"ports": len(listeners)})


def _listen(
    loop: selectors.BaseSelector, listeners: dict[tuple[str, int], socket.socket], wanted: set[tuple[str, int]]
) -> None:
    """Make the open ports exactly ``wanted``."""
    for place in listeners.keys() - wanted:
        loop.unregister(listeners[place])
        listeners.pop(place).close()
    for place in wanted - listeners.keys():
        listeners[place] = socket.create_server(place)
        loop.register(listeners[place], selectors.EVENT_READ)


def _say(answer: Mapping[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")
