"""One Windows machine of the lab: what it is, what it holds, and how that is kept between two starts of the lab."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.clock import Clock
from asr_lab.hosts.windows import firewall
from asr_lab.hosts.windows.files import Files
from asr_lab.hosts.windows.flavour import Flavour, flavour
from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.services import Services
from asr_lab.hosts.windows.uplink import Uplink

SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
REBOOT_KEYS = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)
CONTROL_WINDOWS = r"HKLM\SYSTEM\CurrentControlSet\Control\Windows"
MUI = r"HKLM\SYSTEM\CurrentControlSet\Control\MUI\Settings"
AGENT_PRODUCT = r"HKLM\SOFTWARE\Wow6432Node\InMage Systems\Installed Products\5"
SHUTDOWN_S, BOOT_S = 0.5, 2.0
"""Wall seconds after which a restarting host falls silent, and for which it answers nobody."""


class HostLock:
    """Held by whoever reads or changes a host; not to be taken twice by one thread.

    A host that talks to the world pauses its lock: the world may look at the host meanwhile, and neither waits for the
    other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let go of the lock for a while, if this thread holds it."""
        held = self._owner == threading.get_ident()
        if held:
            self.__exit__()
        try:
            yield
        finally:
            if held:
                self.__enter__()


@dataclass(frozen=True)
class HostSpec:
    """What the estate says about one machine: EC2 name, flavour (see ``flavour.VERSIONS``), and how others see it.

    ``stock`` says that it comes fresh from AWS's image, and that ``first_start`` makes of it what its user data says.
    """

    name: str
    flavour: str
    description: HostDescription
    stock: bool = False

    @property
    def address(self) -> str:
        """Return the private address in EC2."""
        return self.description.addresses[0]


@dataclass
class Condition:
    """The part of a host's state that Windows keeps neither in the registry nor in files.

    ``skew_s`` is how far its clock runs ahead (negative: behind), in seconds; ``free_bytes`` overrules what a drive
    has left; ``listening`` are the TCP ports that installed programs opened; ``time_source`` is whether its time
    server answers; ``token`` is what the connecting user holds: ``full``, ``filtered`` (an administrator behind the
    token filter) or ``user`` (no administrator at all), ``built_in`` says that a
    local user is the built-in Administrator; ``domain`` names the Active Directory domain of host and user,
    such as ``corp.example``. ``disks`` overrules the layout of disks (see ``disks``), ``volumes`` are the encrypted
    volumes with ProtectionStatus and ConversionStatus, ``storage_spaces`` the names of virtual disks. ``proxy``
    (address, port, user, password) is the only way to the internet where it is set; ``proxy_file_form`` is the form of
    the file of proxy settings that Unified Setup takes. ``started`` is whether it has started before, ``raw_volumes``
    whether its data volumes are still raw, ``https_listener`` whether WinRM listens, and ``console`` what EC2 shows.
    ``planted`` are folders that an ordinary user made, who stays their owner, ``private`` those that only
    administrators may use, all in lower case.
    """

    skew_s: float = 0.0
    free_bytes: dict[str, int] = field(default_factory=dict)
    listening: set[int] = field(default_factory=set)
    time_source: bool = True
    restart_at: datetime | None = None
    token: str = "full"
    built_in: bool = True
    domain: str | None = None
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, list[int]] = field(default_factory=dict)
    storage_spaces: list[str] = field(default_factory=list)
    proxy: dict[str, Any] | None = None
    proxy_file_form: str = "documented"
    planted: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    started: bool = True
    raw_volumes: bool = False
    https_listener: bool = True
    console: str = ""

    @classmethod
    def of_stock_image(cls) -> "Condition":
        """Return what an image of AWS is like before its first start."""
        return cls(started=False, raw_volumes=True, https_listener=False)


class Host:
    """One machine. Whoever reads or changes it holds ``lock``; ``save`` writes it to ``directory``."""

    def __init__(self, spec: HostSpec, directory: Path, uplink: Uplink, clock: Clock) -> None:
        self.spec = spec
        self.directory = directory
        self.uplink = uplink
        self.clock = clock
        self.flavour: Flavour = flavour(spec.flavour)
        self.lock = HostLock()
        self.files = Files(directory / "blobs")
        self.registry = Registry()
        self.services = Services(self.registry, set())
        self.condition = Condition()
        if (directory / "state.json").exists():
            self._load()
        else:
            self.reset()

    def reset(self) -> None:
        """Make the host as its flavour describes it, fresh from its image."""
        for node in self.files:
            self.files.remove(node.path)
        self.registry = Registry()
        self.services = Services(self.registry, set())
        self.condition = Condition.of_stock_image() if self.spec.stock else Condition()
        self.flavour.furnish(self.registry, self.services, self.spec.description)
        for folder in (r"C:\Windows\System32", r"C:\Windows\Temp", r"C:\Users\Administrator\AppData\Local\Temp"):
            self.files.make_folder(folder)
        for folder in (r"C:\Program Files (x86)", r"C:\ProgramData", *(f"{drive}\\" for drive in self.drives())):
            self.files.make_folder(folder)
        self.save()

    @property
    def listener_certificate(self) -> Path:
        """The file with key and certificate of a listener that the host made itself."""
        return self.directory / "winrm.pem"

    # time

    def utc_now(self) -> datetime:
        """Return what the host's clock shows: the wall time and the host's skew."""
        return self.clock.wall() + timedelta(seconds=self.condition.skew_s)

    def answers(self) -> bool:
        """Return whether the machine is powered on and not just starting."""
        restart, now = self.condition.restart_at, self.clock.wall()
        down = restart is not None and restart <= now < restart + timedelta(seconds=BOOT_S)
        return self.uplink.powered_on(self.spec.address) and not down

    def restart(self) -> None:
        """Restart Windows a moment later: what waited for a restart is done, automatic services run."""
        for key in REBOOT_KEYS:
            self.registry.remove(key)
        self.registry.remove_value(SESSION_MANAGER, "PendingFileRenameOperations")
        self.services.boot()
        self.registry.set(CONTROL_WINDOWS, "ShutdownTime", _file_time(self.utc_now()), "REG_BINARY")
        self.condition.restart_at = self.clock.wall() + timedelta(seconds=SHUTDOWN_S)

    def wants_restart(self) -> bool:
        """Return whether something waits for a restart."""
        pending = self.registry.get(SESSION_MANAGER, "PendingFileRenameOperations")
        return any(self.registry.has(key) for key in REBOOT_KEYS) or bool(pending)

    def ask_for_restart(self) -> None:
        """Leave the mark that an installer leaves when files are to be replaced at the next start."""
        self.registry.set(SESSION_MANAGER, "PendingFileRenameOperations", [r"\??\C:\Windows\Temp\asr.tmp", ""])

    @property
    def language(self) -> str:
        """Return the display language, such as ``en-US``."""
        value = self.registry.value(MUI, "PreferredUILanguages")
        return value.data[0] if value and isinstance(value.data, list) and value.data else "en-US"

    @property
    def physical_cores(self) -> int:
        """Return the processor's cores; EC2's virtual processors are two threads of one."""
        return (self.spec.description.cores + 1) // 2

    # disks and network

    def drives(self) -> dict[str, int]:
        """Return the size in bytes of every drive: the boot disk is C:, the others follow unless they are raw."""
        disks = self.spec.description.disks
        data = [] if self.condition.raw_volumes else [disk for disk in disks if not disk.boot]
        ordered = [disk for disk in disks if disk.boot] + data
        return {f"{chr(ord('C') + index)}:": disk.size_bytes for index, disk in enumerate(ordered)}

    def free_bytes(self, drive: str) -> int | None:
        """Return the free bytes of a drive (``C:``), or None when there is no such drive."""
        letter = drive.upper()[:2]
        size = self.drives().get(letter)
        if size is None or letter in self.condition.free_bytes:
            return self.condition.free_bytes.get(letter) if size is not None else None
        taken = self.flavour.system_bytes if letter == "C:" else 0
        return max(0, size - taken - self.files.used_bytes(letter))

    def listens(self, port: int) -> bool:
        """Return whether a TCP connection from outside to ``port`` is answered: something listens and the firewall
        lets it in.
        """
        if not self.answers():
            return False
        terminal_server = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
        windows = {
            135: self.services.is_running("RpcSs"),
            139: self.services.is_running("LanmanServer"),
            445: self.services.is_running("LanmanServer"),
            3389: self.registry.number(terminal_server, "fDenyTSConnections") == 0
            and self.services.is_running("TermService"),
            5986: self.winrm_listens,
        }
        return (windows.get(port, False) or port in self.condition.listening) and firewall.lets_in(self.registry, port)

    @property
    def winrm_listens(self) -> bool:
        """Whether WinRM runs and has a listener on HTTPS."""
        return self.condition.https_listener and self.services.is_running("WinRM")

    # what others see

    def agent_version(self) -> str | None:
        """Return the version of the Mobility service, or None when it is not installed."""
        return self.registry.text(AGENT_PRODUCT, "Product_Version")

    def describe(self) -> HostDescription:
        """Return the machine as the Mobility service or an appliance reports it now."""
        return replace(self.spec.description, os_name=self.flavour.os_name, agent_version=self.agent_version())

    # keeping

    def save(self) -> None:
        """Write the state; the file is replaced in one step and only its owner can read it."""
        restart = self.condition.restart_at
        data: dict[str, Any] = {
            "registry": self.registry.dump(),
            "running": sorted(self.services.running),
            "files": self.files.dump(),
            **vars(self.condition),
            "listening": sorted(self.condition.listening),
            "restart_at": restart.isoformat() if restart else None,
        }
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self.directory / "state.json.new"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
        new.replace(self.directory / "state.json")

    def _load(self) -> None:
        data = json.loads((self.directory / "state.json").read_text(encoding="utf-8"))
        self.registry = Registry.load(data["registry"])
        self.services = Services(self.registry, set(data["running"]))
        self.files.load(data["files"])
        restart = data["restart_at"]
        kept = {name: data[name] for name in vars(Condition())}
        kept.update(listening=set(data["listening"]), restart_at=datetime.fromisoformat(restart) if restart else None)
        self.condition = Condition(**kept)


def _file_time(when: datetime) -> str:
    """Return a time as the registry holds a FILETIME: units of 100 ns since 1601, little-endian, hexadecimal."""
    ticks = (when - datetime(1601, 1, 1, tzinfo=when.tzinfo)) // timedelta(microseconds=1) * 10
    return ticks.to_bytes(8, "little").hex().upper()
