"""Write docs/lifecycle.md, docs/runbook.md and docs/lab-operations.md from the tables that the code itself uses.

``python scripts/generate_docs.py`` writes them; ``--check`` only says whether they are fresh (exit 1 when not).
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from asr_lab.arm.resources.not_simulated import operations as not_simulated
from asr_lab.sdk_operations import answer, sdk_operations
from asr_migrate.domain.durations import durations
from asr_migrate.domain.errors import CatalogueRow, catalogue
from asr_migrate.domain.gates import GATES, GATES_OF
from asr_migrate.domain.lifecycle import (
    GOALS,
    ROAD,
    VERBS,
    Act,
    AzureVm,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)
from asr_migrate.domain.machine import Os
from asr_migrate.domain.readiness_rules import RULES
from asr_migrate.engine.decide import decide
from asr_migrate.hosts import mobility_codes

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE_BY = "<!-- Made by scripts/generate_docs.py; change the tables it reads, then run it. -->"

MEANINGS = {
    Stage.ABSENT: "does not replicate",
    Stage.ENABLING: "replication is being switched on; a replication appliance pushes the Mobility service",
    Stage.REPLICATING: "initial replication runs, or waits for its first recovery point",
    Stage.PROTECTED: "replicates; can be tested and failed over",
    Stage.TESTING: "a test VM is being made in the isolated network",
    Stage.TEST_RUNNING: "the test VM is there, until somebody cleans up",
    Stage.CLEANING: "the test VM is being removed",
    Stage.TESTED: "a test failover passed and was cleaned up",
    Stage.FAILING_OVER: "the Azure VM is being made; this is never cancelled",
    Stage.FAILED_OVER: "the Azure VM runs; the recovery point may still be changed",
    Stage.COMMITTING: "the other recovery points are being given up",
    Stage.COMMITTED: "the failover is final; the replication still costs money",
    Stage.COMPLETING: "replication is being removed; the Azure VM stays",
    Stage.MIGRATED: "an ordinary Azure VM, tagged with the id of its source",
    Stage.BROKEN: "Site Recovery reports a failure; the wave goes on without this machine",
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table; a ``|`` inside a cell is escaped."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|").strip() for cell in row) + " |" for row in rows]


def stages(found: Iterable[Stage]) -> str:
    """Return stages in the order of the road."""
    return ", ".join(f"`{stage}`" for stage in sorted(found, key=list(Stage).index))


def diagram() -> list[str]:
    """Return the lifecycle as a Mermaid state diagram: an arrow for every verb that moves a machine.

    The gates that stand before a verb are named at its arrow.
    """
    lines = ["```mermaid", "stateDiagram-v2", "  direction LR", "  [*] --> absent"]
    ways = {
        Verb.REPLICATE: (Stage.ENABLING, Stage.REPLICATING, Stage.PROTECTED),
        Verb.STOP_REPLICATION: (Stage.ABSENT,),
    }
    for verb, row in VERBS.items():
        if row.leads_to in row.legal_from:
            continue
        gates = ", ".join(gate.name for gate in GATES_OF[verb])
        words = f"{verb} [{gates}]" if gates else str(verb)
        starts = sorted((stage for stage in row.legal_from if stage in ROAD), key=ROAD.index)
        road = ways.get(verb, (row.through, row.leads_to))
        lines += [f"  {start} --> {road[0]}: {words}" for start in starts]
        lines += [f"  {one} --> {after}" for one, after in pairwise(road)]
    broken = sorted({row.through for verb, row in VERBS.items() if verb in FAILS_VISIBLY}, key=ROAD.index)
    lines += [f"  {stage} --> broken: its job fails" for stage in broken]
    repairs = [(verb, row) for verb, row in VERBS.items() if Stage.BROKEN in row.legal_from]
    lines += [f"  broken --> {ways.get(verb, (row.through,))[0]}: {verb}" for verb, row in repairs]
    return [*lines, "  migrated --> [*]", "```"]


FAILS_VISIBLY = (Verb.REPLICATE, Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER)
"""The verbs whose failed job leaves the machine broken; after the others it stands where it stood."""


def decided(stage: Stage, goal: Goal) -> str:
    """Return what ``decide`` says of a machine at ``stage`` that needs nothing else: everything offered, gates open."""
    offered = frozenset(row.operation for row in VERBS.values() if row.operation)
    vm = AzureVm("vm", "", "", running=True)
    test_vm = vm if stage is Stage.TEST_RUNNING else None
    decision = decide(Observation(stage, allowed_operations=offered, vm=vm, test_vm=test_vm), goal)
    match decision:
        case Act():
            return f"**{decision.verb}**"
        case Refuse():
            return f"refused: {decision.code}" + (f", first `{decision.first}`" if decision.first else "")
        case Wait():
            return "waits"
    return "done"


def lifecycle() -> str:
    """Return docs/lifecycle.md."""
    verbs = [
        (
            f"`{verb}`",
            row.words,
            f"`{row.operation}`" if row.operation else "",
            stages(row.legal_from),
            f"`{row.leads_to}`",
            f"`{row.job}`",
        )
        for verb, row in VERBS.items()
    ]
    goals = [
        (
            f"`{goal}`",
            f"`{row.playbook}`",
            ", ".join(f"`{verb}`" for verb in row.verbs),
            stages(row.reached),
            _first(row.first),
        )
        for goal, row in GOALS.items()
    ]
    return "\n".join(
        [
            "# The lifecycle of a machine",
            "",
            MADE_BY,
            "",
            "Where a machine stands is read from Azure each time and kept nowhere. A playbook names a *goal*; whatever",
            "already lies behind a machine is not asked for again, so every playbook may be run again at any moment.",
            "",
            *diagram(),
            "",
            "## Stages",
            "",
            *table(("Stage", "The machine"), [(f"`{stage}`", MEANINGS[stage]) for stage in Stage]),
            "",
            "## Verbs",
            "",
            "A verb with an operation is sent only when Site Recovery lists it in the machine's `allowedOperations`.",
            "",
            *table(("Verb", "Meaning", "Operation", "Legal from", "Leads to", "Job"), verbs),
            "",
            "## Goals",
            "",
            *table(("Goal", "Playbook", "Verbs it may send", "Reached at", "Goal before it"), goals),
            "",
            "## Every stage and every goal",
            "",
            "What is decided for a machine at a stage (rows) that is asked for a goal (columns), when Site Recovery",
            "offers every operation, no job is seen and all gates are open: the verb that is sent, or what is said.",
            "A machine on which a job works is waited for, whatever the goal. A broken machine is cleaned up after a",
            "failed test; where only its failover failed, that is tried again.",
            "",
            *table(
                ("Stage", *(f"`{goal}`" for goal in Goal)),
                [(f"`{stage}`", *(decided(stage, goal) for goal in Goal)) for stage in Stage],
            ),
            "",
            "## Gates",
            "",
            "What must be true before a verb is sent, beside what Site Recovery requires. Those without a switch",
            "are always on; the others are switched on in `asr_gates`. Everything that somebody has to do is named at",
            "once. With `probes` a test counts as running, and a failover as reached, only when the Azure VM has",
            "passed them.",
            "",
            *table(
                ("Gate", "Switched on by", "Stands before", "Open when", "Codes"),
                [
                    (
                        gate.name,
                        f"`{gate.switch}`" if gate.switch else "",
                        ", ".join(f"`{verb}`" for verb in Verb if verb in gate.verbs),
                        gate.words,
                        ", ".join(f"`{code}`" for code in gate.codes),
                    )
                    for gate in GATES
                ],
            ),
            "",
            "## How long it takes",
            "",
            "Minutes for one machine, as check mode and `asr-migrate plan` tell them.",
            "",
            *table(
                ("Provider", "Verb", "Minutes", "Source"),
                [
                    (f"`{provider}`", f"`{verb}`", str(row["minutes"]), str(row["source"]))
                    for provider, rows in durations().items()
                    for verb, row in rows.items()
                ],
            ),
            "",
        ]
    )


def _first(goal: Goal | None) -> str:
    return f"`{goal}`" if goal else ""


def anchor(row: CatalogueRow) -> tuple[bool, int, str]:
    """Sort numbers by their value, then names."""
    return (not row.code.isdigit(), int(row.code) if row.code.isdigit() else 0, row.code)


def runbook() -> str:
    """Return docs/runbook.md."""
    rows = sorted(catalogue().values(), key=anchor)
    lines = [
        "# Runbook by error",
        "",
        MADE_BY,
        "",
        "Every error names a code, a cause and a remedy; this page has them all. After the remedy, run the same",
        "playbook again: it goes on where the machine stands. *Transient* means that running again may help without",
        "any change.",
        "",
        "A failover in progress must never be cancelled, neither here nor in the portal: Site Recovery stops",
        "replication before it begins, and a machine whose failover was cancelled does not replicate again.",
        "",
        "## Errors",
        "",
        *table(
            ("Code", "Cause", "Remedy", "Transient"),
            [(f"`{row.code}`", row.cause, row.remedy, "yes" if row.transient else "") for row in rows],
        ),
        "",
        "## When Azure does not answer",
        "",
        "- A read is tried again up to five times: after 429, 408 or 5xx, a connection that broke, an answer that was",
        "  cut off, a page that a proxy gave in Azure's place. Waits follow `Retry-After`, five minutes at most.",
        "- A write is sent again only after 429, which says that nothing was begun, and once with a new token after",
        "  401. Any other answer that leaves it open (408, 5xx, none) is looked up: the machine, its jobs, the policy.",
        "- A connection is given 30 seconds, the next bytes of an answer 60. An operation that Azure took is followed",
        "  for an hour, a change of a recovery plan for ten minutes; then the error names what goes on there",
        "  (`OperationStillRuns`), and nothing is cancelled.",
        "- A sign-in service that is away (`SignInUnavailable`) is waited for as Azure itself is. A sign-in that is",
        "  refused is asked for once and told at once.",
        "",
        *installers(),
        "## Findings of the assessment",
        "",
        "A *blocker* leaves the machine out of its wave, the others go on. A *warning* is only said aloud.",
        "",
        *table(
            ("Rule", "Severity", "Remedy", "Source"),
            [(f"`{rule.id}`", str(rule.severity), rule.remedy, rule.source) for rule in RULES],
        ),
        "",
    ]
    return "\n".join(lines)


def installers() -> list[str]:
    """Return the section on the installers of the Mobility service: exit codes, error names, texts of their logs."""
    known = mobility_codes.table()

    def rows(found: Iterable[tuple[object, mobility_codes.Known]]) -> list[str]:
        return table(("Seen", "Cause", "Remedy"), [(f"`{seen}`", one.cause, one.remedy) for seen, one in found])

    return [
        "## Installers of the Mobility service",
        "",
        "What `prepare_sources` says of an installer that failed: by its exit code, by the name that it wrote to",
        "`InstallerErrors.json` (there with `ASRMobilityService` before it), and by what its logs say (patterns).",
        "",
        "### Exit codes on Windows",
        "",
        *rows(sorted(known.codes[Os.WINDOWS].items())),
        "",
        "### Exit codes on Linux",
        "",
        *rows(sorted(known.codes[Os.LINUX].items())),
        "",
        "### Steps that are not the installer's own",
        "",
        "Our unpacking, and codes of the shell that could not start a program.",
        "",
        *rows(
            (f"{family}: {step}, {'any other' if code is None else code}", one)
            for family, by_step in known.steps.items()
            for step, by_code in by_step.items()
            for code, one in by_code.items()
        ),
        "",
        "### Names in InstallerErrors.json",
        "",
        *rows(sorted(known.errors.items())),
        "",
        "### Texts in logs",
        "",
        *rows((pattern if isinstance(pattern, str) else pattern.pattern, one) for pattern, one in known.texts),
        "",
    ]


VAULT = (
    "/subscriptions/{subscription_id}/resourceGroups/{resource_group_name}/providers/Microsoft.RecoveryServices"
    "/vaults/{resource_name}"
)
SHORT = {
    "V": VAULT,
    "F": "V/replicationFabrics/{fabric_name}",
    "C": "F/replicationProtectionContainers/{protection_container_name}",
    "I": "C/replicationProtectedItems/{replicated_protected_item_name}",
}
ANSWERS = {
    "served": "served",
    "empty": "an empty list, always",
    "missing": "404, always",
    "refuse": "501 NotSimulated",
}


def operations() -> str:
    """Return docs/lab-operations.md: what the lab does with every operation of the SDK."""
    reasons = {row.sdk: row.reason for row in not_simulated()}
    found = [(one, answer(one)) for one in sdk_operations()]
    groups: dict[str, list[Sequence[str]]] = {}
    for one, told in found:
        path = one.template
        for short, full in SHORT.items():
            path = path.replace(full, short)
        groups.setdefault(one.group, []).append(
            (f"`{one.name}`", f"`{one.method} {path}`", ANSWERS[told], reasons.get(one.sdk, ""))
        )
    served = sum(told == "served" for _, told in found)
    lines = [
        "# Operations of the lab",
        "",
        MADE_BY,
        "",
        "Every operation of every operation group of `azure-mgmt-recoveryservicessiterecovery`, and what the lab does",
        f"with it. {served} of {len(found)} are served. The others are answered with an error that names the operation",
        "and says what to do instead (501 `NotSimulated`); lists and reads of what can therefore never be made are",
        "answered as by a vault that has none of it.",
        "",
        *(f"- `{short}` is `{full}`." for short, full in SHORT.items()),
    ]
    for group, rows in sorted(groups.items()):
        lines += ["", f"## {group}", "", *table(("Operation", "Request", "The lab", "Why not"), rows)]
    return "\n".join([*lines, ""])


PAGES: dict[str, Callable[[], str]] = {
    "lifecycle.md": lifecycle,
    "runbook.md": runbook,
    "lab-operations.md": operations,
}


def stale() -> list[str]:
    """Return the names of the pages in docs/ that differ from what would be written."""
    return [name for name, made in PAGES.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != made()]


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` say which are stale."""
    found = stale()
    if "--check" in arguments:
        for name in found:
            print(f"docs/{name} is stale: run scripts/generate_docs.py")
        return int(bool(found))
    for name in found:
        (DOCS / name).write_text(PAGES[name]())
        print(f"docs/{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
