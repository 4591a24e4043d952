"""The rehearsal: a fresh lab, the whole migration, and a look at whether every machine ended as it had to."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asr_migrate.cli import processes, verdict
from asr_migrate.cli.project import Project
from asr_migrate.domain.errors import InputError, SetupError

WAVE_GROUP = "wave_"
REPORTS = "reports/rehearsal"
#: Where the rehearsal's inventory has prior values kept, in the lab's state directory.
PRIOR = "prior"


def lab(project: Project, *arguments: str, environment: Mapping[str, str] | None = None) -> int:
    """Run the lab's own command on the project's state directory and return its exit code."""
    command, *rest = arguments
    line = [sys.executable, "-m", "asr_lab", command, "--state", str(project.state), *rest]
    return processes.stream(line, environment or project.environment(), project.root)


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


def expected(project: Project, environment: Mapping[str, str], waves: Sequence[str]) -> dict[str, str]:
    """Return every machine of the rehearsal's inventory and its wave; ``waves`` limits them, none means all.

    Raises InputError for a wave that the inventory does not have.
    """
    line = [processes.program("ansible-inventory"), "-i", str(project.rehearsal_inventory), "--list"]
    listed = json.loads(processes.capture(line, environment, project.root, "reading the rehearsal's inventory"))
    known = {name.removeprefix(WAVE_GROUP): _hosts(listed, name) for name in listed if name.startswith(WAVE_GROUP)}
    if unknown := sorted(set(waves) - set(known)):
        have = ", ".join(sorted(known)) or "none"
        remedy = f"The inventory has these waves: {have}."
        raise InputError("--wave", ", ".join(unknown), "there is no such wave in the rehearsal", remedy=remedy)
    return {host: wave for wave, hosts in known.items() if not waves or wave in waves for host in hosts}


def _hosts(listed: Mapping[str, Any], group: str) -> list[str]:
    found = [str(host) for host in listed.get(group, {}).get("hosts", [])]
    return found + [host for child in listed.get(group, {}).get("children", []) for host in _hosts(listed, child)]


def limit(waves: Sequence[str]) -> list[str]:
    """Return the arguments that keep Ansible to these waves, their appliances and the controller."""
    if not waves:
        return []
    groups = [name for wave in waves for name in (f"{WAVE_GROUP}{wave}", f"landing_zone_{wave}")]
    return ["--limit", ",".join([*groups, "localhost"])]


def reports(folder: Path, waves: Sequence[str]) -> list[dict[str, Any]]:
    """Return the wave reports in ``folder``, in the order of the waves' names."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*-report.json"))]
    return [report for report in found if not waves or report["wave"] in waves]


def lab_arguments(project: Project) -> list[str]:
    """Return the arguments that send Ansible to the lab, with the rehearsal's reports in a folder of their own."""
    folder = f"asr_reports_dir={project.root / REPORTS}"
    return ["-i", str(project.rehearsal_inventory), "--extra-vars", folder]


def playbook(project: Project, environment: Mapping[str, str], name: str, arguments: Sequence[str]) -> int:
    """Run a playbook with its output on ours and return Ansible's exit code."""
    return processes.stream(playbook_line(project, name, arguments), environment)


def playbook_line(project: Project, name: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs a playbook."""
    return [processes.program("ansible-playbook"), *arguments, str(project.playbook(name))]


def look(project: Project, environment: Mapping[str, str], arguments: Sequence[str]) -> list[verdict.Row]:
    """Return where every machine stands now, read from Azure; nothing is kept.

    Raises SetupError, quoting Ansible, when it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="asr-migrate-") as folder:
        extra = ["--extra-vars", f"report_dir={folder}"]
        line = [processes.program("ansible-playbook"), *arguments, *extra, str(project.playbook("report"))]
        processes.capture(line, environment, Path.cwd(), "reading where the machines stand")
        return verdict.rows(reports(Path(folder), []))


def judge(
    project: Project, machines: Mapping[str, str], waves: Sequence[str], ansible_exit: int
) -> tuple[list[verdict.Row], bool]:
    """Return the summary's rows and whether the rehearsal ended as it has to."""
    found = verdict.rows(reports(project.root / REPORTS, waves))
    found += verdict.missing(found, machines)
    return found, verdict.passed(found, ansible_exit)
