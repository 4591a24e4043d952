"""Rules about the SSH server of a Linux source, which a push and the people after the failover need, as data."""

from __future__ import annotations

from asr_migrate.domain.readiness_rule import Severity
from asr_migrate.hosts import linux_firewall
from asr_migrate.hosts.linux_rule import FAILOVER, LOGIN, PUSH, HostRule, Subject, Values, pushed, when
from asr_migrate.hosts.linux_sshd import CONFIG, PORT


def _match(s: Subject) -> Values | None:
    found = s.seen.settings.overrides(s.seen.groups)
    certain = any(sure for _, sure in found)
    refuses = "refuses" if certain else "may refuse"
    return when(bool(found), said="; ".join(text for text, _ in found), refuses=refuses, warn=not certain)


RULES: tuple[HostRule, ...] = (
    HostRule(
        id="linux.ssh-boot",
        severity=Severity.WARNING,
        broken=lambda s: when(s.seen.ssh_at_boot == "no"),
        text="sshd of {name} is not started at boot; the Azure VM could not be reached",
        remedy="Run systemctl enable sshd (or ssh), chkconfig sshd on, or update-rc.d ssh defaults.",
        source=FAILOVER,
    ),
    HostRule(
        id="linux.ssh-firewall",
        severity=Severity.WARNING,
        broken=lambda s: when(linux_firewall.closes(s.seen.firewall, PORT)),
        text="the firewall of {name} drops what comes in, and no rule is seen that lets TCP port 22 in",
        remedy="Allow TCP 22 (firewall-cmd --permanent --add-service=ssh, ufw allow 22/tcp, or an iptables rule that "
        "is saved).",
        source=FAILOVER,
    ),
    HostRule(
        id="linux.openssh",
        applies=pushed,
        broken=lambda s: when(not s.seen.sshd_present),
        text=f"{{name}} has no OpenSSH server (sshd and {CONFIG}); the push needs one",
        remedy="Install and start openssh-server.",
        source=PUSH,
    ),
    HostRule(
        id="linux.ssh-port",
        applies=pushed,
        broken=lambda s: when(
            s.seen.sshd_present and PORT not in s.seen.settings.ports, ports=", ".join(s.seen.settings.ports)
        ),
        text="sshd of {name} listens on port {ports}; the push uses 22",
        remedy="Let sshd listen on port 22 as well (Port 22) until the machine is replicated.",
        source=PUSH,
    ),
    HostRule(
        id="linux.ssh-users",
        applies=pushed,
        broken=lambda s: when(
            bool(s.seen.settings.shuts_out(s.seen.groups)), said=s.seen.settings.shuts_out(s.seen.groups)
        ),
        text="sshd of {name} lets root not in: {said}; the push logs in as root",
        remedy=f"Add root in {CONFIG} (or a file that it includes) and reload sshd until the machine is replicated.",
        source=LOGIN,
    ),
    HostRule(
        id="linux.ssh-match",
        applies=pushed,
        broken=_match,
        text="sshd of {name} {refuses} the push, which logs in as root with a password: {said}",
        remedy="Check with sshd -T -C user=root,addr=<the appliance>,host=<the appliance>; before that block put one "
        "with Match User root Address <the appliance> that sets both to yes.",
        source=LOGIN,
    ),
    HostRule(
        id="linux.selinux",
        severity=Severity.WARNING,
        applies=pushed,
        broken=lambda s: when(s.seen.selinux == "mls"),
        text="{name} enforces SELinux's policy mls, which lets root not log in over SSH by default",
        remedy="Run setsebool ssh_sysadm_login on until the machine is replicated, or install by hand.",
        source=LOGIN,
    ),
)
