"""Answers of hosts as they print them, and hosts that behave, for the tests of host preparation."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from asr_migrate.clock import ManualClock
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.windows_text import COMMAND_PREFIX

SENT = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
FIREWALL_RULE = (
    "v2.10|Action=Allow|Active={active}|Dir=In|Protocol=6|Profile=Domain|LPort=445|App=System|"
    "Name=@FirewallAPI.dll,-28511|EmbedCtxt=@FirewallAPI.dll,{group}|"
)
PUSH_GROUPS = ("-28502", "-34251")
RDP_RULE = (
    "v2.10|Action=Allow|Active={active}|Dir=In|Protocol=6|LPort=3389|App=System|Name=@FirewallAPI.dll,-28753|"
    "Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|"
)
PACKAGES = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"
PRODUCTS = "SOFTWARE\\Wow6432Node\\InMage Systems\\Installed Products"
WINHTTP_DIRECT = "1800000000000000010000000000000000000000"
LIST_DISK = """
Microsoft DiskPart version 6.1.7601
Copyright (C) 1999-2008 Microsoft Corporation.
On computer: APP-1

DISKPART>
  Disk ###  Status         Size     Free     Dyn  Gpt
  --------  -------------  -------  -------  ---  ---
{rows}

DISKPART>
"""


def answer(stdout="", stderr="", exit_code=0, sent=SENT, took_s=1.0):
    """Return what a host said, one second after it was asked."""
    return Answer(stdout, stderr, exit_code, sent, sent + timedelta(seconds=took_s))


def registry(key, **values):
    """Return how ``reg query`` prints a key: numbers as REG_DWORD, the rest as REG_SZ."""
    rows = [f"\nHKEY_LOCAL_MACHINE\\{key}"]
    for name, value in values.items():
        kind, data = ("REG_DWORD", hex(value)) if isinstance(value, int) else ("REG_SZ", value)
        rows.append(f"    {name}    {kind}    {data}")
    return "\n".join(rows) + "\n"


def service(name, state):
    """Return how ``sc.exe query`` prints a service; ``state`` is its number."""
    return (
        f"\nSERVICE_NAME: {name} \n        TYPE               : 10  WIN32_OWN_PROCESS  \n"
        f"        STATE              : {state}  RUNNING \n        WIN32_EXIT_CODE    : 0  (0x0)\n"
    )


@dataclass
class WindowsHost:
    """A Windows host's answer to a probe; change a field to break one thing."""

    os: dict = field(
        default_factory=lambda: {
            "ProductName": "Windows Server 2008 R2 Standard",
            "CSDVersion": "Service Pack 1",
            "CurrentBuild": "7601",
            "InstallationType": "Server",
        }
    )
    environment: dict = field(default_factory=lambda: {"PROCESSOR_ARCHITECTURE": "AMD64", "NUMBER_OF_PROCESSORS": "8"})
    utc: datetime = SENT
    sids: tuple = ("S-1-5-32-544", "S-1-16-12288")
    installed: tuple = ("w32time", "xenvbd")
    states: dict = field(
        default_factory=lambda: {"w32time": 4, "LanmanServer": 4, "Winmgmt": 4, "TermService": 4, "MpsSvc": 4}
    )
    starts: dict = field(
        default_factory=lambda: {
            "w32time": 2,
            "LanmanServer": 2,
            "Winmgmt": 2,
            "TermService": 3,
            "MpsSvc": 2,
            "VSS": 3,
            "swprv": 3,
            "EventSystem": 2,
            "COMSysApp": 3,
        }
    )
    delayed: tuple = ()
    user: tuple = ("app-1\\administrator", "S-1-5-21-1-2-3-500")
    secure_boot: int | None = None
    updates: tuple = ("KB4490628", "KB4474419")
    policy_keys: dict = field(default_factory=dict)
    rules: dict = field(default_factory=lambda: {"RemoteDesktop-In-TCP": RDP_RULE.format(active="TRUE")})
    shares: dict = field(default_factory=dict)
    remote_desktop: dict = field(default_factory=lambda: {"fDenyTSConnections": 0})
    remote_desktop_port: int = 3389
    remote_desktop_policy: dict = field(default_factory=dict)
    san: dict | None = field(default_factory=lambda: {"SanPolicy": 1})
    partitions: tuple = ("0|0|True", "0|1|False")
    volumes: tuple = (("Disk #0, Partition #1", "C:"),)
    disks: tuple = ("  Disk 0    Online           30 GB      0 B        ",)
    storage_spaces: tuple = ()
    bitlocker: tuple = ()
    routes: tuple = ("169.254.169.254,255.255.255.255,10.20.1.1,15",)
    winhttp: str = WINHTTP_DIRECT
    policies: dict = field(default_factory=lambda: {"EnableLUA": 1})
    free_bytes: dict = field(default_factory=lambda: {"c:": 20 * 2**30})
    aws_pv: dict = field(default_factory=lambda: {"Version": "8.3.5"})
    bios: dict = field(default_factory=lambda: {"SystemManufacturer": "Xen", "SystemProductName": "HVM domU"})
    active: dict = field(default_factory=lambda: dict.fromkeys(PUSH_GROUPS, "TRUE"))
    denied_by_policy: tuple = ()
    mobility: dict = field(default_factory=dict)
    server: dict = field(default_factory=dict)
    reached: dict = field(default_factory=dict)
    language: str = "0409"
    culture: str = "en-US"
    user_languages: str = ""
    machine_languages: str = "en-US"
    updates_key: dict = field(default_factory=dict)
    restrictions: tuple = ()
    fips: int = 0
    tls_server: dict = field(default_factory=dict)
    tls_client: dict = field(default_factory=dict)
    reboot_codes: tuple = (1, 1)
    registered: bool = False
    passphrase: str = ""
    physical_cores: int | None = 8
    memory_gib: float | None = 31.9
    interfaces: tuple = ()
    last_shutdown: str = "00A1"
    version: str = ""
    agent_version: str = ""
    kept_registration: bool = False
    mysql_5_5: bool = False
    notes: dict = field(default_factory=dict)
    left: tuple = ()
    sites: str = ""
    programs: tuple = ("svchost.exe",)
    urls: dict = field(default_factory=dict)

    def stdout(self):
        """Return the answer as the host prints it."""
        parts = [
            ("clock", self.utc.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"),
            ("os", registry("SOFTWARE\\...", **self.os) if self.os else ""),
            ("environment", registry("SYSTEM\\...", **self.environment)),
            ("identity", "app-1\n" + "\n".join(f'"GROUP","Alias","{sid}","Enabled"' for sid in self.sids)),
            ("addresses", "   IPv4 Address. . . : 10.20.1.11(Preferred)\n   Subnet Mask . . . : 255.255.255.0\n"),
            ("services", "\n".join(f"HKEY_LOCAL_MACHINE\\SYSTEM\\Services\\{name}" for name in self.installed)),
            ("states", "".join(service(name, state) for name, state in self.states.items() if state)),
            ("starts", "".join(self._start(name) for name in self.starts)),
            ("user", '"{}","{}"\n'.format(*self.user) if self.user else ""),
            ("computer", registry("SYSTEM", ComputerName="APP-1")),
            ("secure_boot", "" if self.secure_boot is None else registry("X", UEFISecureBootEnabled=self.secure_boot)),
            (
                "updates",
                "".join(f"{PACKAGES}\\Package_for_{kb}~31bf3856ad364e35~amd64~~6.1.1.2\n" for kb in self.updates),
            ),
            ("share", registry("SYSTEM", **self.shares) if self.shares else ""),
            ("remote_desktop", registry("SYSTEM", **self.remote_desktop) if self.remote_desktop else ""),
            ("remote_desktop_port", registry("SYSTEM", PortNumber=self.remote_desktop_port)),
            ("remote_desktop_policy", registry("SOFTWARE", **self.remote_desktop_policy)),
            ("san", self._san()),
            ("partitions", "\n".join(self.partitions)),
            ("volumes", "\n".join(_association(*volume) for volume in self.volumes)),
            ("dynamic", LIST_DISK.format(rows="\n".join(self.disks))),
            ("storage_spaces", "\n".join(self.storage_spaces)),
            ("bitlocker", "\n".join(self.bitlocker)),
            ("routes", registry("SYSTEM", **dict.fromkeys(self.routes, "")) if self.routes else ""),
            ("proxy", f"    WinHttpSettings    REG_BINARY    {self.winhttp}\n"),
            ("policies", registry("SOFTWARE\\Policies", **self.policies)),
            *(
                (f"disk {disk}", f"Total free bytes        :  {free:,} ( GB)\n")
                for disk, free in self.free_bytes.items()
            ),
            ("firmware", registry("SYSTEM", PEFirmwareType=1)),
            ("bios", registry("HARDWARE", **self.bios)),
            ("aws_pv", registry("SOFTWARE", **self.aws_pv) if self.aws_pv else ""),
            ("firewall", self._rules(self.active)),
            ("firewall_policy", self._denials()),
            ("mobility", registry("SOFTWARE", **self.mobility) + registry("SOFTWARE", **self.server)),
            ("language", registry("SYSTEM", InstallLanguage=self.language)),
            ("culture", registry("Control Panel", LocaleName=self.culture)),
            ("user_languages", registry("Control Panel", PreferredUILanguages=self.user_languages)),
            ("machine_languages", registry("SYSTEM", PreferredUILanguages=self.machine_languages)),
            ("restrictions", "".join(registry(f"SOFTWARE\\{at}", **row) for at, row in enumerate(self.restrictions))),
            ("fips", registry("SYSTEM", Enabled=self.fips)),
            ("tls_server", registry("SYSTEM", **self.tls_server)),
            ("tls_client", registry("SYSTEM", **self.tls_client)),
            (
                "reboot",
                "\n".join(f"@@rc {code}" for code in self.reboot_codes) + registry("SOFTWARE", **self.updates_key),
            ),
            ("registration", f"@@rc {0 if self.registered else 1}"),
            ("passphrase", f"{self.passphrase}\n@@rc {0 if self.passphrase else 1}"),
            ("processors", f"{self.physical_cores}|{self.environment['NUMBER_OF_PROCESSORS']}\n"),
            ("memory", "" if self.memory_gib is None else f"{int(self.memory_gib * 2**30)}\n"),
            ("interfaces", "".join(registry(f"SYSTEM\\{{{at}}}", **row) for at, row in enumerate(self.interfaces))),
            ("shutdown", f"    ShutdownTime    REG_BINARY    {self.last_shutdown}\n"),
            ("product", "".join(registry(f"{PRODUCTS}\\{key}", Version=one) for key, one in self.versions())),
            ("kept_registration", f"@@rc {0 if self.kept_registration else 1}"),
            ("mysql_5_5", f"@@rc 1\n@@rc {0 if self.mysql_5_5 else 1}"),
            ("notes", registry("SOFTWARE\\asr-migrate", **self.notes)),
            ("left", "\n".join(self.left)),
            ("sites", self.sites),
            ("programs", "\n".join(f'"{name}","400","Services","0","4,096 K"' for name in self.programs)),
            *((f"url {host}", word) for host, word in self.urls.items()),
            *((f"reach {target}", word) for target, word in self.reached.items()),
        ]
        return "\r\n".join(f"@@ {name}\n{text}" for name, text in parts)

    def versions(self):
        """Return the versions of configuration server (9) and agent (5) as far as they are installed."""
        both = {"9": self.version, "5": self.agent_version or self.version}
        return [(key, version) for key, version in both.items() if version]

    def _rules(self, active):
        rows = {
            f"{group}-{i}": FIREWALL_RULE.format(active=active[group], group=group) for group in active for i in (1, 2)
        }
        return registry("SYSTEM", **rows, **self.rules)

    def _start(self, name):
        late = {"DelayedAutostart": 1} if name in self.delayed else {}
        return registry(f"SYSTEM\\CurrentControlSet\\Services\\{name}", Start=self.starts[name], **late)

    def _san(self):
        if self.san is None:
            return "@@rc 1\n"
        key = "SYSTEM\\CurrentControlSet\\Services\\partmgr\\Parameters"
        return (registry(key, **self.san) if self.san else "") + "@@rc 0\n"

    def _denials(self):
        denial = FIREWALL_RULE.replace("Action=Allow", "Action=Block")
        key = "SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
        rules = {group: denial.format(active="TRUE", group=group) for group in self.denied_by_policy}
        rest = (registry(f"{key}\\{below}", **values) for below, values in self.policy_keys.items())
        return registry(f"{key}\\FirewallRules", **rules) + "".join(rest)


def _association(partition, drive):
    """Return how a line of Win32_LogicalDiskToPartition is printed."""
    path = "\\\\APP-1\\root\\cimv2:Win32_"
    return f'{path}DiskPartition.DeviceID="{partition}"|{path}LogicalDisk.DeviceID="{drive}"'


USUAL_LINES = {
    "utc": SENT.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "host_name": "db-1",
    "machine": "x86_64",
    "user": "0",
    "groups": "root",
    "kernel": "2.6.32-573.el6.x86_64",
    "kernel_modules": "yes",
    "cmdline": "ro root=UUID=8a1c console=ttyS0",
    "initrd_storvsc": "yes",
    "runlevel": "3",
    "os_release": "Red Hat Enterprise Linux Server release 6.7 (Santiago)",
    "address": "10.20.1.13",
    "disk": "xvda",
    "free_kib /": str(8 * 2**20),
    "free_kib /usr/local": str(8 * 2**20),
    "free_kib /boot": str(2**18),
    "mount": ["/ /dev/xvda2 ext4 rw,relatime", "/boot /dev/xvda1 ext4 rw"],
    "writable /": "yes",
    "writable /boot": "yes",
    "writable /etc": "yes",
    "writable /var": "yes",
    "block": ["xvda\t\t\t", "xvda1\t\t\t", "xvda2\t\t\t"],
    "part": ["xvda1\txvda", "xvda2\txvda"],
    "uuid": ["11-aa\txvda1", "22-bb\txvda2"],
    "grub": "/boot/grub/grub.conf\troot=UUID=8a1c",
    "packages": "rpm",
    "package": ["lvm2\t2.02.118-3.el6", "openssl\t1.0.1e-42.el6", "openssh-server\t5.3p1-111.el6"],
    "package_database": "consistent",
    "sshd_program": "sshd",
    "sftp_server": "/usr/libexec/openssh/sftp-server",
    "ssh_at_boot": "yes",
    "shadow_field": "!!",
    "shadow_changed": "16500",
    "python": "python2.6",
    "openssl": "openssl",
    "dhcp_client": "dhclient",
    "time_service": "(ntpd)",
    "end": "0",
}
USUAL_FILES = {
    "/etc/ssh/sshd_config": "PermitRootLogin yes\nPasswordAuthentication yes\n"
    "Subsystem sftp /usr/libexec/openssh/sftp-server\n",
    "/etc/hosts": "127.0.0.1 localhost\n10.20.1.13 db-1\n",
    "/etc/fstab": "UUID=22-bb / ext4 defaults 1 1\nUUID=11-aa /boot ext4 defaults 1 2\n",
}


@dataclass
class LinuxHost:
    """A Linux host's answer to a probe; ``lines`` and ``files`` (content by path) replace the usual ones, None takes
    out.

    A line's value can be a list: the key is printed once for each.
    """

    lines: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)

    def stdout(self):
        """Return the answer as the host prints it."""
        rows = []
        for key, value in {**USUAL_LINES, **self._files(), **self.lines}.items():
            values = value if isinstance(value, list) else [value]
            rows += [f"{key}\t{one}\n" for one in values if one is not None]
        return "".join(rows)

    def _files(self):
        given = {path: content for path, content in {**USUAL_FILES, **self.files}.items() if content is not None}
        data = {path: content.encode("utf-8", "surrogateescape") for path, content in given.items()}
        absent = [path for path in self.files if path not in given]
        return {
            "file": [f"{path}\t{path}" for path in given] + [f"{path}\tabsent" for path in absent],
            "stat": [f"-rw-r--r-- 1 0 0 {len(content)}\t{path}" for path, content in data.items()],
            "hex": b"".join(data.values()).hex(),
        }


class Recorder:
    """A sender that answers in order and keeps what was sent, as text."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.exchanges = []

    def __call__(self, exchange):
        self.exchanges.append(exchange)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        return said

    @property
    def names(self):
        return [exchange.name for exchange in self.exchanges]


def decoded(exchange):
    """Return the PowerShell text of an exchange, which travels on standard input."""
    assert exchange.command.startswith(COMMAND_PREFIX)
    return "\n".join(_text_and_contents(exchange)[0])


def contents(exchange):
    """Return the contents of files that travel behind the text of an exchange, in order."""
    return [base64.b64decode(line) for line in reversed(_text_and_contents(exchange)[1])]


def _text_and_contents(exchange):
    count, *rows = exchange.stdin.decode().splitlines()
    return rows[: int(count)], rows[int(count) :]


def planned(profile, host):
    """Return the plan that a profile makes of a host."""
    return profile.plan(profile.read(answer(host.stdout())))


def rules(plan):
    """Return the rules that a plan's findings broke, by severity."""
    return {finding.rule: str(finding.severity) for finding in plan.findings}


@dataclass
class Kit:
    """The helpers, for tests that take one fixture."""

    answer = staticmethod(answer)
    decoded = staticmethod(decoded)
    contents = staticmethod(contents)
    planned = staticmethod(planned)
    rules = staticmethod(rules)
    registry = staticmethod(registry)
    service = staticmethod(service)
    windows = WindowsHost
    linux = LinuxHost
    recorder = Recorder
    sent = SENT


@pytest.fixture
def kit():
    return Kit()


@pytest.fixture
def clock():
    return ManualClock()
