"""What stands in the way of replicating a Linux machine. Each rule has a passing and a failing host in the tests.

Operating system, word length, virtualization and the kind of disks (NVMe, Xen) are judged by the readiness rules of
``asr_migrate.domain``, by the facts that the probe gives; they are not judged again here. A rule whose fact the host
could not tell holds.
"""

from __future__ import annotations

from collections.abc import Iterable

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import linux_rules_ssh, linux_rules_storage, linux_rules_system
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.linux_rule import HostRule, Subject, not_installed, to_install, to_run, when
from asr_migrate.hosts.want import SourceWant

RULES: tuple[HostRule, ...] = (*linux_rules_system.RULES, *linux_rules_storage.RULES, *linux_rules_ssh.RULES)

NOT_ROOT = HostRule(
    id="linux.root",
    broken=lambda s: when(s.seen.user not in ("", "0"), user=s.seen.user),
    text="{name} was read as user {user}; both reading and preparing it need root",
    remedy="Connect as root, or leave use_sudo unset for a user who may use sudo; give ansible_become_password where "
    "sudo asks for one.",
)


def findings(seen: LinuxFacts, want: SourceWant) -> list[Finding]:
    """Return what stands in the way; without root's rights only that, because the rest could not be read."""
    subject = Subject(seen, want)
    not_root = NOT_ROOT.finding(subject)
    if not_root:
        return [not_root]
    return _found(RULES, subject)


def of_installer(seen: LinuxFacts, want: SourceWant) -> list[Finding]:
    """Return what stands in the way of the Mobility service's installer alone; nothing when it is not going to run."""
    subject = Subject(seen, want)
    asked = [rule for rule in RULES if rule.applies in (not_installed, to_install, to_run)]
    return _found(asked, subject) if subject.runs_installer else []


def _found(rules: Iterable[HostRule], subject: Subject) -> list[Finding]:
    return [finding for rule in rules if (finding := rule.finding(subject))]
