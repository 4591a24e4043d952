"""The command asr-migrate: rehearse a migration in the lab, plan one, run it for real, see its report.

Exit codes: 0 done; 1 the rehearsal or the report shows a machine that is neither migrated nor refused for a reason, or
the plan one that would be refused; 2 wrong usage; 3 something has to be prepared first; 4 the run was stopped, what it
had asked of Azure goes on. ``run`` ends with ansible-playbook's own code otherwise, but with 2 for its 4 (a host that
could not be reached).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asr_migrate.cli import failures, inventories, processes, rehearsal, screen, stopping, verdict, words
from asr_migrate.cli import lab as lab_commands
from asr_migrate.cli import plan as plans
from asr_migrate.cli.project import Project, find
from asr_migrate.domain.errors import AsrMigrateError, InputError

TASK = re.compile(r"(?:TASK|PLAY) \[(?:asr\.migrate\.)?(.+)\] \*+$")
EXIT_NOT_AS_EXPECTED = 1
EXIT_USAGE = 2
EXIT_PREPARE = 3
EXIT_STOPPED = 4
ANSIBLE_FAILED = 2
ANSIBLE_UNREACHABLE = 4
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}

app = typer.Typer(
    help="Move machines to Azure with Azure Site Recovery, in waves, and rehearse it on a laptop first.",
    epilog=words.APP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(lab_commands.app, name="lab")
console = Console()
errors = Console(stderr=True)

Waves = Annotated[list[str] | None, typer.Option("--wave", help="Only this wave; may be given several times.")]
Inventory = Annotated[
    list[str] | None, typer.Option("--inventory", "-i", help="Ansible inventory; as for ansible-playbook.")
]
Lab = Annotated[bool, typer.Option("--lab", help="Against the lab that is up, with its inventory.")]


@contextmanager
def told() -> Iterator[None]:
    """Turn our errors, and a signal that asks us to stop, into a message and an exit code."""
    try:
        with processes.stoppable():
            yield
    except processes.StoppedError as stop:
        screen.show_stopped(errors, ())
        raise typer.Exit(EXIT_STOPPED) from stop
    except AsrMigrateError as error:
        screen.show_error(errors, error)
        raise typer.Exit(EXIT_USAGE if isinstance(error, InputError) else EXIT_PREPARE) from error


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"asr-migrate {metadata.version('asr-migrate')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Set up nothing; every command finds the project by itself."""


@app.command(epilog=words.REHEARSE)
def rehearse(
    wave: Waves = None,
    keep_state: Annotated[
        bool, typer.Option("--keep-state", help="Go on in the lab as it is, instead of a fresh one.")
    ] = False,
) -> None:
    """Migrate the lab's machines from EC2 to Azure, on this computer, and check that each ended as it had to."""
    waves = wave or []
    with told():
        project = find(Path.cwd())
        rehearsal.start_lab(project, fresh=not keep_state)
        environment = project.lab_environment()
        machines = inventories.machines(["-i", str(project.rehearsal_inventory)], environment, waves)
        arguments = [*rehearsal.lab_arguments(project), *inventories.limit(waves)]
        code = _stoppable(project, environment, "migrate", arguments)
        if code == EXIT_STOPPED:
            raise typer.Exit(EXIT_STOPPED)
        rows, good = rehearsal.judge(project, machines, waves, code)
    _tell_end(project, rows, waves, code, good)
    if not good:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _tell_end(project: Project, rows: list[verdict.Row], waves: list[str], code: int, good: bool) -> None:
    console.print()
    console.print(screen.summary(rows, "The rehearsal"))
    if code:
        console.print(f"[red]ansible-playbook ended with {code}[/red]; the failed task above says why and what to do.")
    for page in sorted((project.root / rehearsal.REPORTS).glob("*-report.html")):
        if not waves or page.name.removesuffix("-report.html") in waves:
            console.print(f"{'Report:':<15} {page}", soft_wrap=True, highlight=False)
    program = os.path.relpath(processes.program("asr-migrate"))
    again = " ".join([program, "run --lab migrate", *inventories.limit(waves)])
    promise = "finds everything done and changes nothing" if good else "goes on where each machine stands"
    for label, command in (("Run it again:", f"{again}   ({promise})"), ("Stop the lab:", f"{program} lab down")):
        console.print(f"{label:<15} {command}", soft_wrap=True, highlight=False)


@app.command(context_settings=PASS_ON, epilog=words.RUN)
def run(
    context: typer.Context,
    playbook: Annotated[str, typer.Argument(help="A playbook of playbooks/ by name, or a path.")],
    lab: Lab = False,
) -> None:
    """Run a playbook; what follows its name goes to ansible-playbook as it is: -i, --check, --limit and so on."""
    with told():
        project = find(Path.cwd())
        code = _play(project, playbook, lab, context.args)
    raise typer.Exit(code)


def _play(project: Project, name: str, lab: bool, arguments: list[str]) -> int:
    """Run a playbook against the lab or against the inventory in ``arguments``, and return our exit code."""
    line = [*_sources(project, lab, arguments), *arguments]
    project.playbook(name)
    return _stoppable(project, _environment(project, lab), name, line)


def _stoppable(project: Project, environment: dict[str, str], name: str, line: list[str]) -> int:
    """Run a playbook, say what goes on in Azure if it was stopped, and return our exit code.

    Raises SetupError when it had no host to work on.
    """
    with stopping.run_folder() as folder:
        ended = rehearsal.playbook(project, environment | stopping.environment(folder), name, line)
        with processes.unmoved():
            stopped = stopping.stopped(folder)
        if not (stopped or ended.code):
            failures.require_hosts(folder, f"running {name}")
    if stopped or (ended.asked and ended.code):
        screen.show_stopped(errors, stopped)
        return EXIT_STOPPED
    return ANSIBLE_FAILED if ended.code == ANSIBLE_UNREACHABLE else ended.code


@app.command(epilog=words.PLAN)
def plan(
    playbook: Annotated[str, typer.Argument(help="A playbook of playbooks/ by name, or a path.")] = "migrate",
    lab: Lab = False,
    inventory: Inventory = None,
    wave: Waves = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List every change that a playbook would make, in order, with its reason; reads only, nothing is sent."""
    with told():
        project = find(Path.cwd())
        environment, arguments = _target(project, lab, inventory, wave)
        line = rehearsal.playbook_line(project, playbook, ["--check", *arguments])
        with stopping.run_folder() as folder:
            ended = processes.listen(line, environment | stopping.environment(folder), Path.cwd(), _heard)
            found = plans.read(folder)
            if not ended.code:
                failures.require_hosts(folder, f"planning {playbook}")
        if ended.code and not (found.refused or found.failed):
            raise processes.failed(line[0], ended.code, ended.output, f"planning {playbook}")
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        _tell_plan(found)
    if found.failed:
        raise typer.Exit(EXIT_PREPARE)
    if found.refused:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _heard(line: str) -> None:
    """Show how far the planning is: the plays, the tasks and the progress lines."""
    if (task := TASK.match(line)) is not None:
        line = f"  .. {task.group(1)}"
    elif not line.startswith("  .. "):
        return
    errors.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)


def _tell_plan(found: plans.Plan) -> None:
    if found.writes:
        console.print(plans.table(found))
    told = f"{len(found.writes)} changes" + (f", about {found.calls} requests to Azure" if found.calls else "")
    console.print(f"{told}. Nothing was sent." if found.writes else "Nothing would be changed.", highlight=False)
    if found.refused:
        console.print(plans.refusals(found.refused))
    if found.failed:
        console.print(plans.failed(found.failed))


def _target(
    project: Project, lab: bool, inventory: list[str] | None, waves: list[str] | None
) -> tuple[dict[str, str], list[str]]:
    """Return the environment and the arguments for Ansible that name the inventory and the waves.

    Raises InputError for an inventory that does not exist and for a wave that has no machine.
    """
    environment = _environment(project, lab)
    named = _inventories(inventory)
    sources = [*_sources(project, lab, named), *named]
    if waves:
        inventories.machines(sources, environment, waves)
    return environment, [*sources, *inventories.limit(waves or [])]


def _environment(project: Project, lab: bool) -> dict[str, str]:
    return project.lab_environment() if lab else project.environment()


def _sources(project: Project, lab: bool, arguments: list[str]) -> list[str]:
    """Return the arguments that name the lab's inventory, unless ``arguments`` name one, which has to exist."""
    if any(word.startswith(("-i", "--inventory")) for word in arguments):
        inventories.require(arguments)
        return []
    if lab:
        return rehearsal.lab_arguments(project)
    raise InputError(
        "-i",
        "(not given)",
        "no inventory is given",
        remedy="Give -i with your copy of inventory/example, or --lab for the lab's own (before a playbook's name).",
    )


@app.command(epilog=words.STATUS)
def status(lab: Lab = False, inventory: Inventory = None, wave: Waves = None) -> None:
    """Show where every machine stands now, read from Azure; changes and writes nothing."""
    with told():
        project = find(Path.cwd())
        environment, line = _target(project, lab, inventory, wave)
        with stopping.run_folder() as folder:
            rows = rehearsal.look(project, environment | stopping.environment(folder), line, folder)
    console.print(screen.summary(rows, "Where the machines stand"))


def _inventories(inventory: list[str] | None) -> list[str]:
    return [word for entry in inventory or [] for word in ("-i", entry)]


@app.command(epilog=words.REPORT)
def report(
    lab: Lab = False,
    inventory: Inventory = None,
    wave: Waves = None,
    folder: Annotated[Path | None, typer.Option(help="Where the report playbook writes (asr_reports_dir).")] = None,
) -> None:
    """Read every wave's state from Azure, write its report, and show the result of each machine."""
    waves = wave or []
    with told():
        project = find(Path.cwd())
        where = (folder or project.root / (rehearsal.REPORTS if lab else "reports")).resolve()
        environment, arguments = _target(project, lab, inventory, waves)
        code = _stoppable(project, environment, "report", [*arguments, "-e", f"asr_reports_dir={where}"])
        if code == EXIT_STOPPED:
            raise typer.Exit(EXIT_STOPPED)
        rows = verdict.rows(rehearsal.reports(where, waves))
    console.print(screen.summary(rows, "The waves"))
    console.print(f"Reports: {where}", soft_wrap=True, highlight=False)
    if code or not all(row.good for row in rows):
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)
