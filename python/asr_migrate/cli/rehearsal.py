"""The rehearsal: a fresh lab, the whole migration, and a look at whether every machine ended as it had to."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr_migrate.cli import failures, processes, verdict
from asr_migrate.cli.project import Project
from asr_migrate.domain.errors import SetupError

NAMED = {"ASR_LAB_PROGRAM": "asr-migrate lab"}
"""Lets the lab's help and examples name this command."""
REPORTS = "reports/rehearsal"
#: Where the rehearsal's inventory has prior values kept, in the lab's state directory.
PRIOR = "prior"


def lab(project: Project, *arguments: str) -> int:
    """Run the lab's own command on the project's state directory and return its exit code."""
    command, *rest = arguments
    line = [sys.executable, "-m", "asr_lab", command, "--state", str(project.state), *rest]
    return processes.stream(line, project.environment() | NAMED, project.root).code


def start_lab(project: Project, *, fresh: bool) -> None:
    """Bring the lab up; ``fresh`` forgets everything that an earlier one was told.

    Raises SetupError when it does not come up.
    """
    if fresh:
        lab(project, "down")
    if code := lab(project, "up", *(["--fresh"] if fresh else [])):
        raise SetupError(
            f"the lab did not start (exit {code})",
            code="LabNotStarted",
            cause=f"see {project.state / 'lab.log'}",
            remedy="Correct what the log names, then run asr-migrate rehearse again.",
        )
    if fresh:
        _forget(project.root / REPORTS)
        _forget(project.state / PRIOR)


def _forget(folder: Path) -> None:
    """Remove what an earlier rehearsal left: reports, and what its hosts were, could pass for this one's."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SetupError(
            f"what the last rehearsal left in {folder} cannot be removed",
            code="OldRehearsal",
            cause=str(error),
            remedy="Remove the folder, then run asr-migrate rehearse again.",
        ) from None


def reports(folder: Path, waves: Sequence[str]) -> list[dict[str, Any]]:
    """Return the reports of these waves (all that are there, if none is named) in ``folder``, in the order of names.

    Raises SetupError for one that cannot be read.
    """
    ending = "-report.json"
    paths = sorted(folder.glob(f"*{ending}"))
    return [_report(path) for path in paths if not waves or path.name.removesuffix(ending) in waves]


def _report(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        verdict.rows([told])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SetupError(
            f"the report {path} cannot be read",
            code="ReportDamaged",
            cause=f"{type(error).__name__}: {error}",
            remedy="Remove the file; the report playbook writes it anew.",
        ) from error
    return told


def lab_arguments(project: Project) -> list[str]:
    """Return the arguments that send Ansible to the lab, with the rehearsal's reports in a folder of their own."""
    folder = f"asr_reports_dir={project.root / REPORTS}"
    return ["-i", str(project.rehearsal_inventory), "--extra-vars", folder]


def playbook(project: Project, environment: Mapping[str, str], name: str, arguments: Sequence[str]) -> processes.Ended:
    """Run a playbook with its output on ours and return how it ended."""
    return processes.stream(playbook_line(project, name, arguments), environment)


def playbook_line(project: Project, name: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs a playbook."""
    return [processes.program("ansible-playbook"), *arguments, str(project.playbook(name))]


def look(
    project: Project, environment: Mapping[str, str], arguments: Sequence[str], run_folder: Path
) -> list[verdict.Row]:
    """Return where every machine stands now, read from Azure; nothing is kept.

    ``run_folder`` is the one that ``environment`` names for what a run leaves. Raises SetupError with the cause when it
    cannot be read.
    """
    doing = "reading where the machines stand"
    with tempfile.TemporaryDirectory(prefix="asr-migrate-") as folder:
        extra = ["--extra-vars", f"report_dir={folder}"]
        line = playbook_line(project, "report", [*arguments, *extra])
        ended = processes.listen(line, environment, Path.cwd())
        if ended.code:
            found = failures.read(run_folder)
            raise failures.raised(found, doing) if found else processes.failed(line[0], ended.code, ended.output, doing)
        failures.require_hosts(run_folder, doing)
        return verdict.rows(reports(Path(folder), []))


def judge(
    project: Project, machines: Mapping[str, str], waves: Sequence[str], ansible_exit: int
) -> tuple[list[verdict.Row], bool]:
    """Return the summary's rows and whether the rehearsal ended as it has to."""
    found = verdict.rows(reports(project.root / REPORTS, waves))
    found += verdict.missing(found, machines)
    return found, verdict.passed(found, ansible_exit)
