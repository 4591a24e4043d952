"""The command asr-migrate: rehearse a migration in the lab, plan one, run it for real, see its report.

Exit codes: 0 done; 1 the rehearsal or the report shows a machine that is neither migrated nor refused for a reason, or
the plan one that would be refused; 2 wrong usage; 3 something has to be prepared first; 4 the run was stopped, what it
had asked of Azure goes on. ``run`` ends with ansible-playbook's own code otherwise, but with 2 for its 4 (a host that
could not be reached).
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asr_migrate.cli import lab as lab_commands
from asr_migrate.cli import plan as plans
from asr_migrate.cli import processes, rehearsal, screen, stopping, verdict
from asr_migrate.cli.project import Project, find
from asr_migrate.domain.errors import AsrMigrateError, InputError

EXIT_NOT_AS_EXPECTED = 1
EXIT_USAGE = 2
EXIT_PREPARE = 3
EXIT_STOPPED = 4
ANSIBLE_FAILED = 2
ANSIBLE_UNREACHABLE = 4
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
EPILOG = """
Examples:

  asr-migrate rehearse                      all waves, in a fresh lab

  asr-migrate rehearse --wave legacy        one wave only

  asr-migrate run assess -i inventory/mine  look at the real machines

  asr-migrate plan -i inventory/mine        everything that would be sent, in order

  asr-migrate run --lab migrate --check     what a run in the lab would do

  asr-migrate lab log --writes              what Azure was asked to change

Exit codes: 0 done; 1 a machine was neither migrated nor refused for a reason, or would be refused; 2 wrong usage;
3 something must be prepared first; 4 the run was stopped, and what it had asked of Azure goes on. "run" ends with the
exit code of ansible-playbook otherwise, but with 2 where that is 4 (a host could not be reached).
"""

RUN_EPILOG = """
Examples:

  asr-migrate run replicate -i inventory/mine            one step, for every wave

  asr-migrate run failover -i inventory/mine -e asr_waves=wave_one

  asr-migrate run migrate -i inventory/mine --check      what it would do; see also "asr-migrate plan"

Ctrl-C, or SIGTERM, stops a run at any moment: nothing more is asked for, what Azure is doing goes on and is named, and
the exit code is 4. The same command picks it up again. Never cancel a failover in the portal.

Exit codes: 0 every machine is where it was asked to be; 2 a machine or a task failed, or a host could not be reached;
3 something must be prepared first; 4 stopped; others as of ansible-playbook.
"""

PLAN_EPILOG = """
Examples:

  asr-migrate plan -i inventory/mine                     the whole migration of every wave

  asr-migrate plan failover -i inventory/mine --wave one

  asr-migrate plan -i inventory/mine --json > plan.json

A goal that has to be reached first is taken as reached, so that the plan of the whole migration is complete. What a
gate would hold back today is named with the gate.

Exit codes: 0 planned; 1 a machine would be refused; 2 wrong usage; 3 it could not be planned.
"""

app = typer.Typer(
    help="Move machines to Azure with Azure Site Recovery, in waves, and rehearse it on a laptop first.",
    epilog=EPILOG,
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
    """Turn our errors into a message and an exit code."""
    try:
        yield
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


@app.command()
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
        machines = rehearsal.expected(project, environment, waves)
        arguments = [*rehearsal.lab_arguments(project), *rehearsal.limit(waves)]
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
    again = " ".join([program, "run --lab migrate", *rehearsal.limit(waves)])
    promise = "finds everything done and changes nothing" if good else "goes on where each machine stands"
    for words, command in (("Run it again:", f"{again}   ({promise})"), ("Stop the lab:", f"{program} lab down")):
        console.print(f"{words:<15} {command}", soft_wrap=True, highlight=False)


@app.command(context_settings=PASS_ON, epilog=RUN_EPILOG)
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
    """Run a playbook, say what goes on in Azure if it was stopped, and return our exit code."""
    with stopping.run_folder() as folder:
        code = rehearsal.playbook(project, environment | stopping.environment(folder), name, line)
        stopped = stopping.stopped(folder)
    if stopped:
        screen.show_stopped(errors, stopped)
        return EXIT_STOPPED
    return ANSIBLE_FAILED if code == ANSIBLE_UNREACHABLE else code


@app.command(epilog=PLAN_EPILOG)
def plan(
    playbook: Annotated[str, typer.Argument(help="A playbook of playbooks/ by name, or a path.")] = "migrate",
    lab: Lab = False,
    inventory: Inventory = None,
    wave: Waves = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """List every change that a playbook would ask for, in order, with its reason; reads only, nothing is sent."""
    with told():
        project = find(Path.cwd())
        arguments = [*_inventories(inventory), *rehearsal.limit(wave or [])]
        line = rehearsal.playbook_line(project, playbook, ["--check", *_sources(project, lab, arguments), *arguments])
        with stopping.run_folder() as folder:
            environment = _environment(project, lab) | stopping.environment(folder)
            code, output = processes.listen(line, environment, Path.cwd())
            found = plans.read(folder)
        if code and not found.refused:
            raise processes.failed(line[0], code, output, f"planning {playbook}")
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        _tell_plan(found)
    if found.refused:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _tell_plan(found: plans.Plan) -> None:
    if found.writes:
        console.print(plans.table(found))
    told = f"{len(found.writes)} changes" + (f", about {found.calls} requests to Azure" if found.calls else "")
    console.print(f"{told}. Nothing was sent." if found.writes else "Nothing would be changed.", highlight=False)
    if found.refused:
        console.print(plans.refusals(found.refused))


def _environment(project: Project, lab: bool) -> dict[str, str]:
    return project.lab_environment() if lab else project.environment()


def _sources(project: Project, lab: bool, arguments: list[str]) -> list[str]:
    """Return the arguments that name the lab's inventory, unless ``arguments`` name one."""
    if any(word.startswith(("-i", "--inventory")) for word in arguments):
        return []
    if lab:
        return rehearsal.lab_arguments(project)
    raise InputError(
        "-i",
        "(not given)",
        "no inventory is given",
        remedy="Give -i with your copy of inventory/example, or --lab for the lab's own (before a playbook's name).",
    )


@app.command()
def status(lab: Lab = False, inventory: Inventory = None, wave: Waves = None) -> None:
    """Show where every machine stands now, read from Azure; changes and writes nothing."""
    with told():
        project = find(Path.cwd())
        arguments = [*_inventories(inventory), *rehearsal.limit(wave or [])]
        line = [*_sources(project, lab, arguments), *arguments]
        rows = rehearsal.look(project, _environment(project, lab), line)
    console.print(screen.summary(rows, "Where the machines stand"))


def _inventories(inventory: list[str] | None) -> list[str]:
    return [word for entry in inventory or [] for word in ("-i", entry)]


@app.command()
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
        more = [*_inventories(inventory), *rehearsal.limit(waves), "-e", f"asr_reports_dir={where}"]
        code = _play(project, "report", lab, more)
        rows = verdict.rows(rehearsal.reports(where, waves))
    console.print(screen.summary(rows, "The waves"))
    console.print(f"Reports: {where}", soft_wrap=True, highlight=False)
    if code or not all(row.good for row in rows):
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)
