"""What a rule about a Linux source is: one demand, what it sees, and how it becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.readiness_rule import Finding, Severity
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.want import SourceWant

CHECKS = "Site Recovery documentation, prerequisite checks on Linux"
PUSH = "Site Recovery documentation, prerequisites for push installation on Linux"
FAILOVER = "Site Recovery documentation, before a failover of Linux"
MATRIX = "Site Recovery documentation, support matrix for VMware and physical machines"
LOGIN = "Azure Migrate tutorial for AWS instances, and sshd_config(5)"


@dataclass(frozen=True)
class Subject:
    """What a rule sees: the host, and what the user wants of it."""

    seen: LinuxFacts
    want: SourceWant

    @property
    def runs_installer(self) -> bool:
        """Whether this run installs or upgrades the Mobility service, also one that is ready (moved, or older)."""
        return LinuxMobility(self.want.mobility).runs_installer(self.seen.os_name, self.seen.mobility)

    @property
    def to_install(self) -> bool:
        """Whether the Mobility service is still to come, by push or by hand."""
        comes = not self.seen.mobility.ready and (self.want.push or self.want.mobility.by_hand)
        return comes or self.runs_installer

    @property
    def to_push(self) -> bool:
        """Whether the appliance is still to push it."""
        return self.want.push and not self.seen.mobility.ready


Values = Mapping[str, Any]


def always(_: Subject) -> bool:
    """Apply to every host."""
    return True


def not_installed(subject: Subject) -> bool:
    """Apply until the Mobility service is installed, registered and running, and when its installer runs again."""
    return not subject.seen.mobility.ready or subject.runs_installer


def to_install(subject: Subject) -> bool:
    """Apply to a host that gets the Mobility service, or a newer one."""
    return subject.to_install


def to_run(subject: Subject) -> bool:
    """Apply to a host on which this run starts the Mobility service's installer."""
    return subject.runs_installer


def pushed(subject: Subject) -> bool:
    """Apply to a host that the Mobility service is still to be pushed to."""
    return subject.to_push


@dataclass(frozen=True, kw_only=True)
class HostRule:
    """One demand. ``broken`` returns None when the host meets it, else the values that ``text`` and ``remedy`` take.

    ``name``, the host's name, is always among them. ``severity`` can depend on the values: ``warn`` True in them makes
    a warning of a blocker.
    """

    id: str
    severity: Severity = Severity.BLOCKER
    applies: Callable[[Subject], bool] = always
    broken: Callable[[Subject], Values | None]
    text: str
    remedy: str
    source: str = CHECKS

    def finding(self, subject: Subject) -> Finding | None:
        """Return what is wrong with the host by this rule, or None."""
        values = self.broken(subject) if self.applies(subject) else None
        if values is None:
            return None
        severity = Severity.WARNING if values.get("warn") else self.severity
        filled = {"name": subject.seen.host_name, **values}
        return Finding(self.id, severity, self.text.format(**filled), self.remedy.format(**filled), self.source)


def when(broken: bool, **values: Any) -> Values | None:
    """Return the values of a rule that is ``broken``, else None."""
    return values if broken else None
