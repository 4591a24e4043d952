"""Services of a Windows host: configuration in the registry, running state beside it; ``sc.exe`` and ``net``."""

from collections.abc import Callable
from dataclasses import dataclass

from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.result import Result, failed, ok

DELAYED = "DelayedAutostart"
ROOT = r"HKLM\SYSTEM\CurrentControlSet\Services"
STARTS = {"boot": 0, "system": 1, "auto": 2, "demand": 3, "disabled": 4}
START_NAMES = {0: "BOOT_START", 1: "SYSTEM_START", 2: "AUTO_START", 3: "DEMAND_START", 4: "DISABLED"}
TYPE_NAMES = {1: "KERNEL_DRIVER", 2: "FILE_SYSTEM_DRIVER", 0x10: "WIN32_OWN_PROCESS", 0x20: "WIN32_SHARE_PROCESS"}
MESSAGES = {
    1056: "An instance of the service is already running.",
    1058: "The service cannot be started, either because it is disabled or because it has no enabled devices "
    "associated with it.",
    1060: "The specified service does not exist as an installed service.",
    1062: "The service has not been started.",
}


class ServiceError(Exception):
    """The service control manager refused; ``code`` is the Windows error number."""

    def __init__(self, code: int) -> None:
        super().__init__(MESSAGES[code])
        self.code = code


@dataclass(frozen=True)
class Service:
    """A service as the control manager sees it."""

    name: str
    display: str
    kind: int
    start: int
    image: str
    running: bool
    delayed: bool


class Services:
    """The service control manager of one host. What the registry does not hold is ``running``: lower-case names."""

    def __init__(self, registry: Registry, running: set[str]) -> None:
        self._registry = registry
        self.running = running

    def all(self) -> list[Service]:
        """Return every service and driver, by name."""
        found = (self.find(name) for name in self._registry.subkeys(ROOT))
        return [service for service in found if service]

    def find(self, name: str) -> Service | None:
        """Return the service of that key name (not the display name), or None."""
        path = f"{ROOT}\\{name}"
        start, kind = self._registry.number(path, "Start"), self._registry.number(path, "Type")
        if start is None or kind is None:
            return None
        stored = next(key for key in self._registry.subkeys(ROOT) if key.lower() == name.lower())
        return Service(
            name=stored,
            display=self._registry.text(path, "DisplayName") or stored,
            kind=kind,
            start=start,
            image=self._registry.text(path, "ImagePath") or "",
            running=name.lower() in self.running,
            delayed=bool(self._registry.number(path, DELAYED)),
        )

    def is_running(self, name: str) -> bool:
        """Return whether the service exists and runs."""
        service = self.find(name)
        return service is not None and service.running

    def install(
        self,
        name: str,
        display: str,
        image: str,
        *,
        start: int = 2,
        kind: int = 0x10,
        run: bool = True,
        delayed: bool = False,
        trigger: bool = False,
    ) -> None:
        """Create or replace a service and start it when ``run``; ``trigger`` gives it a start by an event."""
        path = f"{ROOT}\\{name}"
        self._registry.write(path, {"Type": kind, "Start": start, "ErrorControl": 1, "DisplayName": display})
        self._registry.set(path, "ImagePath", image, "REG_EXPAND_SZ")
        self._registry.set(path, "ObjectName", "LocalSystem")
        if delayed:
            self._registry.set(path, DELAYED, 1)
        if trigger:
            self._registry.write(f"{path}\\TriggerInfo\\0", {"Type": 3, "Action": 1})
        (self.running.add if run else self.running.discard)(name.lower())

    def get(self, name: str) -> Service:
        """Return the service. Raises ServiceError 1060 when there is none."""
        service = self.find(name)
        if service is None:
            raise ServiceError(1060)
        return service

    def start(self, name: str) -> None:
        """Start a service. Raises ServiceError 1060, 1056 or 1058."""
        service = self.get(name)
        if service.running:
            raise ServiceError(1056)
        if service.start == STARTS["disabled"]:
            raise ServiceError(1058)
        self.running.add(service.name.lower())

    def stop(self, name: str) -> None:
        """Stop a service. Raises ServiceError 1060 or 1062."""
        service = self.get(name)
        if not service.running:
            raise ServiceError(1062)
        self.running.discard(service.name.lower())

    def set_start(self, name: str, start: int, *, delayed: bool = False) -> None:
        """Change the start type (0 boot ... 4 disabled), and whether an automatic start is delayed.

        Raises ServiceError 1060. A service that was delayed keeps the value, as 0.
        """
        service = self.get(name)
        path = f"{ROOT}\\{service.name}"
        self._registry.set(path, "Start", start)
        if delayed or service.delayed:
            self._registry.set(path, DELAYED, int(delayed))

    def boot(self) -> None:
        """Do what a start of Windows does: automatic services run, the others wait to be asked."""
        self.running = {
            service.name.lower()
            for service in self.all()
            if service.start <= 2 or (service.start == 3 and service.running)
        }


def _state(service: Service) -> list[str]:
    number, word = (4, "RUNNING") if service.running else (1, "STOPPED")
    accepts = "(STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)" if service.running else ""
    return [
        f"        TYPE               : {service.kind:x}  {TYPE_NAMES.get(service.kind, 'WIN32')}  ",
        f"        STATE              : {number}  {word} ",
        *([f"                                {accepts}"] if accepts else []),
        f"        WIN32_EXIT_CODE    : {0 if service.running else 1077}  ({hex(0 if service.running else 1077)})",
        "        SERVICE_EXIT_CODE  : 0  (0x0)",
        "        CHECKPOINT         : 0x0",
        "        WAIT_HINT          : 0x0",
    ]


def _query(services: Services, words: list[str]) -> Result:
    if words:
        service = services.get(words[0])
        return ok("", f"SERVICE_NAME: {service.name} ", *_state(service))
    rows: list[str] = []
    for service in services.all():
        if service.kind >= 0x10 and service.running:
            rows += ["", f"SERVICE_NAME: {service.name}", f"DISPLAY_NAME: {service.display}", *_state(service)]
    return ok(*rows)


def _qc(services: Services, words: list[str]) -> Result:
    service = services.get(words[0])
    return ok(
        "[SC] QueryServiceConfig SUCCESS",
        "",
        f"SERVICE_NAME: {service.name}",
        f"        TYPE               : {service.kind:x}  {TYPE_NAMES.get(service.kind, 'WIN32')} ",
        f"        START_TYPE         : {service.start}   {START_NAMES[service.start]}"
        + ("  (DELAYED)" if service.delayed and service.start == STARTS["auto"] else ""),
        "        ERROR_CONTROL      : 1   NORMAL",
        f"        BINARY_PATH_NAME   : {service.image}  ",
        "        LOAD_ORDER_GROUP   : ",
        "        TAG                : 0  ",
        f"        DISPLAY_NAME       : {service.display}  ",
        "        DEPENDENCIES       : ",
        "        SERVICE_START_NAME : LocalSystem  ",
    )


def _config(services: Services, words: list[str]) -> Result:
    name, options = words[0], words[1:]
    services.get(name)
    if len(options) != 2 or options[0].lower() != "start=" or options[1].lower() not in (*STARTS, "delayed-auto"):
        return _usage()
    delayed = options[1].lower() == "delayed-auto"
    services.set_start(name, STARTS["auto" if delayed else options[1].lower()], delayed=delayed)
    return ok("[SC] ChangeServiceConfig SUCCESS")


def _start(services: Services, words: list[str]) -> Result:
    services.start(words[0])
    return ok("", f"SERVICE_NAME: {services.get(words[0]).name} ", *_state(services.get(words[0])))


def _stop(services: Services, words: list[str]) -> Result:
    services.stop(words[0])
    return ok("", f"SERVICE_NAME: {services.get(words[0]).name} ", *_state(services.get(words[0])))


def _usage() -> Result:
    return Result(
        out=ok("", "ERROR:  Unrecognized command or a wrong option", "USAGE:", "        sc <server> ...").out, code=1639
    )


_SC: dict[str, tuple[Callable[[Services, list[str]], Result], str, int]] = {
    "query": (_query, "EnumQueryServicesStatus:OpenService", 0),
    "qc": (_qc, "OpenService", 1),
    "config": (_config, "OpenService", 1),
    "start": (_start, "StartService", 1),
    "stop": (_stop, "ControlService", 1),
}


def sc(services: Services, words: list[str]) -> Result:
    """Answer ``sc.exe query|qc|config NAME start= X|start|stop``; exit codes are Windows error numbers."""
    verb, rest = (words[0].lower() if words else ""), words[1:]
    if verb not in _SC:
        return _usage()
    act, function, least = _SC[verb]
    if len(rest) < least or (len(rest) > 1 and verb != "config"):
        return _usage()
    try:
        return act(services, rest)
    except ServiceError as refused:
        if refused.code == 1060 and verb in ("start", "stop"):
            function = "OpenService"
        rows = ok(f"[SC] {function} FAILED {refused.code}:", "", str(refused), "").out
        return Result(out=rows, code=refused.code)


def net(services: Services, words: list[str]) -> Result:
    """Answer ``net start [NAME]`` and ``net stop NAME``; NAME may be the key name or the display name."""
    verb = words[0].lower() if words else ""
    if verb == "start" and len(words) == 1:
        running = sorted(service.display for service in services.all() if service.running and service.kind >= 0x10)
        return ok("These Windows services are started:", "", *(f"   {name}" for name in running), "")
    rest = [word for word in words[1:] if word.lower() != "/y"]
    if verb not in ("start", "stop") or len(rest) != 1:
        return failed(1, "The syntax of this command is:", "", "NET", "    [ START | STOP ]")
    wanted = rest[0].lower()
    service = next((one for one in services.all() if wanted in (one.name.lower(), one.display.lower())), None)
    if service is None:
        return _net_help("The service name is invalid.", 2185)
    try:
        services.start(service.name) if verb == "start" else services.stop(service.name)
    except ServiceError as refused:
        if refused.code == 1056:
            return _net_help("The requested service has already been started.", 2182)
        if refused.code == 1062:
            return _net_help(f"The {service.display} service is not started.", 3521)
        return failed(2, f"System error {refused.code} has occurred.", "", str(refused), "")
    if verb == "start":
        return ok(
            f"The {service.display} service is starting.",
            f"The {service.display} service was started successfully.",
            "",
        )
    return ok(
        f"The {service.display} service is stopping.",
        f"The {service.display} service was stopped successfully.",
        "",
    )


def _net_help(text: str, number: int) -> Result:
    return failed(2, text, "", f"More help is available by typing NET HELPMSG {number}.", "")
