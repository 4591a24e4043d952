"""asr-migrate lab: the lab's own commands, run on this project's state directory.

The lab is a program of its own (``python -m asr_lab``); what follows a command's name goes to it as it is.
"""

from collections.abc import Callable
from pathlib import Path

import typer
from rich.console import Console

from asr_migrate.cli import rehearsal, screen
from asr_migrate.cli.project import find
from asr_migrate.domain.errors import AsrMigrateError

EXIT_PREPARE = 3

COMMANDS = {
    "up": "Start the lab in the background and say how clients reach it; it goes on where the last one stood.",
    "down": "End the lab; what Azure held is written to the state file first.",
    "status": "Show vaults, protected items, jobs and hosts.",
    "howto": "Print how to point a client at the lab: az, the SDKs, curl, AWS, Ansible, a shell.",
    "advance": "Let virtual time pass at once; everything that becomes due happens.",
    "inject": "Plant a fault or a scenario: in Azure's answers and jobs, on a host, or in the network.",
    "scenarios": "List the scenarios that inject --scenario takes.",
    "log": "Print the requests that Azure was sent, or write them to a file with their answers.",
    "reset": "Bring Azure, EC2 and the hosts back to how a fresh lab starts; keys and secrets stay.",
}

EPILOG = """
Examples:

  asr-migrate lab up --speed 3600                an hour of Azure passes in a second

  asr-migrate lab howto az                       commands that point the Azure CLI at the lab

  asr-migrate lab advance 90m                    let virtual time pass

  asr-migrate lab inject --scenario slow_region  make it slow, or fail

  asr-migrate lab log --writes                   what Azure was asked to change

Every command has --help. Exit codes: 0 done; 1 refused or failed, the reason is printed; 2 wrong usage; 3 not inside
the project.
"""

app = typer.Typer(
    help="Simulators of Azure, EC2 and hosts on this computer's loopback addresses.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _add(name: str, text: str) -> None:
    """Register a command that hands everything after its name to the lab's command of the same name."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
    app.command(name, help=text, context_settings=settings, add_help_option=False)(_runner(name))


def _runner(name: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        try:
            project = find(Path.cwd())
            code = rehearsal.lab(project, name, *context.args)
        except AsrMigrateError as error:
            screen.show_error(Console(stderr=True), error)
            raise typer.Exit(EXIT_PREPARE) from error
        raise typer.Exit(code)

    return run


for _name, _text in COMMANDS.items():
    _add(_name, _text)
