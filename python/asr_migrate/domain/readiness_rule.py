"""What a readiness rule is and what it finds; the rules themselves are data, in ``readiness_rules``.

A rule whose fact is unknown holds, so an unread fact never refuses a machine; where a blocker cannot be
excluded, a rule of its own warns that the fact is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asr_migrate.domain.machine import Machine


class Severity(StrEnum):
    """How a finding counts: a blocker leaves the machine out of its wave, a warning is only said aloud."""

    BLOCKER = "blocker"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One broken rule of one machine: what is wrong, what to do about it, and who says so."""

    rule: str
    severity: Severity
    text: str
    remedy: str
    source: str

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain strings, for Ansible and for JSON."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "text": self.text,
            "remedy": self.remedy,
            "source": self.source,
        }


@dataclass(frozen=True)
class Subject:
    """What a rule sees: the machine and the architecture ("classic" or "modernized") that is to move it."""

    machine: Machine
    architecture: str


def always(_: Subject) -> bool:
    """Apply to every machine."""
    return True


def nothing_more(_: Subject) -> dict[str, Any]:
    """Fill the text with the machine's name and the architecture only."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One demand of Site Recovery or Azure.

    ``applies`` says whether the rule concerns the machine at all, ``holds`` whether the machine meets it. ``text`` and
    ``remedy`` are filled with ``name``, ``architecture`` and whatever ``says`` returns.
    ``source`` names the document in words.
    """

    id: str
    severity: Severity
    applies: Callable[[Subject], bool] = always
    holds: Callable[[Subject], bool]
    text: str
    remedy: str
    source: str
    says: Callable[[Subject], dict[str, Any]] = nothing_more

    def finding(self, subject: Subject) -> Finding | None:
        """Return what is wrong with the subject by this rule, or None."""
        if not self.applies(subject) or self.holds(subject):
            return None
        values = {"name": subject.machine.name, "architecture": subject.architecture} | self.says(subject)
        return Finding(self.id, self.severity, self.text.format(**values), self.remedy.format(**values), self.source)
