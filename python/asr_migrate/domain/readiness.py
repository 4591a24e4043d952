"""Can this machine be replicated, and will it run in Azure? Every rule is asked; none stops the others."""

from asr_migrate.domain.machine import Machine
from asr_migrate.domain.readiness_rule import Finding, Rule, Severity, Subject
from asr_migrate.domain.readiness_rules import RULES

__all__ = ["Finding", "Rule", "Severity", "Subject", "evaluate"]


def evaluate(machine: Machine, architecture: str, rules: tuple[Rule, ...] = RULES) -> tuple[Finding, ...]:
    """Return every finding about the machine, blockers first, then in the order of the rules.

    ``architecture`` is "classic" or "modernized"; ``rules`` defaults to all of them.
    """
    subject = Subject(machine, str(architecture))
    found = [finding for rule in rules if (finding := rule.finding(subject))]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.BLOCKER))
