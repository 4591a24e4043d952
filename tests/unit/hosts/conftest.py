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
    states: dict = field(default_factory=lambda: {"w32time": 4})
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
    restrictions: dict = field(default_factory=dict)
    fips: int = 0
    tls_server: dict = field(default_factory=dict)
    tls_client: dict = field(default_factory=dict)
    reboot_codes: tuple = (1, 1)
    registered: bool = False
    passphrase: str = ""

    def stdout(self):
        """Return the answer as the host prints it."""
        parts = [
            ("clock", self.utc.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"),
            ("os", registry("SOFTWARE\\...", **self.os) if self.os else ""),
            ("environment", registry("SYSTEM\\...", **self.environment)),
            ("identity", "app-1\n" + "\n".join(f'"GROUP","Alias","{sid}","Enabled"' for sid in self.sids)),
            ("addresses", "   IPv4 Address. . . : 10.20.1.11(Preferred)\n   Subnet Mask . . . : 255.255.255.0\n"),
            ("services", "\n".join(f"HKEY_LOCAL_MACHINE\\SYSTEM\\Services\\{name}" for name in self.installed)),
            ("states", "".join(service(name, state) for name, state in self.states.items())),
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
            ("restrictions", registry("SOFTWARE", **self.restrictions)),
            ("fips", registry("SYSTEM", Enabled=self.fips)),
            ("tls_server", registry("SYSTEM", **self.tls_server)),
            ("tls_client", registry("SYSTEM", **self.tls_client)),
            ("reboot", "\n".join(f"@@rc {code}" for code in self.reboot_codes)),
            ("registration", f"@@rc {0 if self.registered else 1}"),
            ("passphrase", f"{self.passphrase}\n@@rc {0 if self.passphrase else 1}"),
            *((f"reach {target}", word) for target, word in self.reached.items()),
        ]
        return "\r\n".join(f"@@ {name}\n{text}" for name, text in parts)

    def _rules(self, active):
        rows = {
            f"{group}-{i}": FIREWALL_RULE.format(active=active[group], group=group) for group in active for i in (1, 2)
        }
        return registry("SYSTEM", **rows)

    def _denials(self):
        denial = FIREWALL_RULE.replace("Action=Allow", "Action=Block")
        return registry(
            "SOFTWARE", **{group: denial.format(active="TRUE", group=group) for group in self.denied_by_policy}
        )


@dataclass
class LinuxHost:
    """A Linux host's answer to a probe; ``lines`` replace the usual ones, None takes one out."""

    lines: dict = field(default_factory=dict)

    def stdout(self):
        """Return the answer as the host prints it."""
        usual = {
            "utc": SENT.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "host_name": "db-1",
            "machine": "x86_64",
            "kernel": "2.6.32-573.el6.x86_64",
            "os_release": "Red Hat Enterprise Linux Server release 6.7 (Santiago)",
            "address": "10.20.1.13",
            "hosts_address": "10.20.1.13",
            "disk": "xvda",
            "free_kib /": str(8 * 2**20),
            "free_kib /usr/local": str(8 * 2**20),
            "sshd_config": "present",
            "sshd_permitrootlogin": "yes",
            "sshd_passwordauthentication": "yes",
            "sshd_sftp": "/usr/libexec/openssh/sftp-server",
            "root_password": "wanted",
            "python": "python2.6",
            "dhcp_client": "dhclient",
            "time_service": "(ntpd)",
            "end": "0",
        }
        merged = {**usual, **self.lines}
        return "".join(f"{key}\t{value}\n" for key, value in merged.items() if value is not None)


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
    """Return the PowerShell text of an exchange."""
    assert exchange.command.startswith(COMMAND_PREFIX)
    return base64.b64decode(exchange.command.removeprefix(COMMAND_PREFIX)).decode("utf-16-le")


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
