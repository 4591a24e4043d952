"""DRInstaller.ps1: makes a Windows Server 2022 a replication appliance that waits for a person to register it.

Prerequisites are those of the Site Recovery documentation ("Deploy the Azure Site Recovery replication appliance").
The script counts physical cores, as its users report. It leaves the appliance configuration manager on port 44368;
registering there is interactive and is played by the lab.
"""

from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.installers import prerequisites as need
from asr_lab.hosts.windows.installers.logs import SETUP_LOGS, Log
from asr_lab.hosts.windows.installers.packages import MOBILITY_FILE, program
from asr_lab.hosts.windows.installers.unified_setup import REGISTRATION, open_ports
from asr_lab.hosts.windows.result import Result, ok
from asr_lab.hosts.windows.state import Host

SERVICES = {
    "ProcessServer": "Process Server",
    "ProcessServerMonitor": "Process Server Monitor",
    "rcmproxyagent": "Microsoft Azure RCM Proxy Agent",
    "rcmreplicationagent": "Microsoft Azure Site Recovery Replication Agent",
    "pushinstallagent": "Microsoft Azure Push Install Agent",
    "obengine": "Microsoft Azure Recovery Services Agent",
}
PROVIDER = ("dra", "Microsoft Azure Site Recovery Service")
AGENTS = r"E:\Software\Agents"
PORTS = (443, 9443, 44368)
CORES, MEMORY_MB = 8, 16000


def run(host: Host, version: str, words: list[str]) -> Result:
    """Carry out the script; exit code 0, or 1 with the reasons printed and logged."""
    log = Log(host, SETUP_LOGS + r"\DRInstaller.log")
    complaints = (
        [f"A parameter cannot be found that matches parameter name '{words[0]}'."] if words else _prerequisites(host)
    )
    if complaints:
        log.write(*(f"ERROR: {text}" for text in complaints))
        return Result(out="".join(f"{text}\r\n" for text in complaints), code=1)
    for name, display in SERVICES.items():
        host.services.install(name, display, rf'"C:\Program Files\Microsoft Azure {name}\{name}.exe"')
    # The provider runs from the registration on.
    host.services.install(
        *PROVIDER, r'"C:\Program Files\Microsoft Azure Site Recovery Provider\dra.exe"', start=3, run=False
    )
    drive = _data_drive(host)
    host.files.write(f"{drive}{AGENTS[2:]}\\{MOBILITY_FILE}", program("mobility-package", version))
    open_ports(host, PORTS)
    with host.lock.paused():
        host.uplink.appliance_installed(host.describe())
    log.write("Installation completed successfully.")
    name = host.spec.description.host_name
    return ok(
        "Installation completed successfully.", f"Continue in the appliance configuration manager: https://{name}:44368"
    )


def throw(_host: Host, _version: str, _words: list[str]) -> Result:
    """Carry out a script that throws at once."""
    raise PowerShellError("The installation was stopped.", "RuntimeException")


def registered(host: Host) -> None:
    """Leave what the registration in the configuration manager leaves."""
    host.registry.write(REGISTRATION, {"HostName": host.spec.description.host_name, "ProxyType": "None"})
    host.services.install(*PROVIDER, r'"C:\Program Files\Microsoft Azure Site Recovery Provider\dra.exe"')


def _data_drive(host: Host) -> str:
    return max(host.drives(), key=lambda drive: (host.free_bytes(drive) or 0, drive))


def _prerequisites(host: Host) -> list[str]:
    description = host.spec.description
    complaints = [
        *need.operating_system(host, ("2022",), american=True),
        *need.policies(host),
        *need.cryptography(host),
        *need.clock(host),
        *need.space(host, _data_drive(host), 600, "the process server cache"),
    ]
    if not host.registry.has(r"HKLM\SYSTEM\CurrentControlSet\Services\rcmreplicationagent"):
        complaints += need.roles(host)
    if host.physical_cores < CORES:
        complaints.append(f"The appliance needs {CORES} cores; this server has {host.physical_cores}.")
    if description.memory_mb < MEMORY_MB:
        complaints.append(f"The appliance needs 16 GB of memory; this server has {description.memory_mb} MB.")
    return complaints
