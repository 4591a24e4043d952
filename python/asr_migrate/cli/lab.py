"""asr-migrate lab: the lab's own commands, run on this project's state directory."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asr_migrate.cli import rehearsal, screen
from asr_migrate.cli.project import find
from asr_migrate.domain.errors import AsrMigrateError, InputError

EXIT_USAGE = 2
EXIT_PREPARE = 3

app = typer.Typer(
    help="Simulators of Azure, EC2 and hosts on this computer's loopback addresses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _run(*arguments: str) -> None:
    """Run one command of the lab and end with its exit code."""
    try:
        code = rehearsal.lab(find(Path.cwd()), *arguments)
    except AsrMigrateError as error:
        screen.show_error(Console(stderr=True), error)
        raise typer.Exit(EXIT_USAGE if isinstance(error, InputError) else EXIT_PREPARE) from error
    raise typer.Exit(code)


@app.command()
def up() -> None:
    """Start the lab and wait until it is ready; it keeps what it was told before."""
    _run("up")


@app.command()
def down() -> None:
    """Stop the lab."""
    _run("down")


@app.command()
def status() -> None:
    """Say whether the lab runs and what it knows."""
    _run("status")


@app.command()
def reset() -> None:
    """Make the running lab forget everything it was told."""
    _run("reset")


@app.command()
def log(
    writes: Annotated[bool, typer.Option("--writes", help="Only requests that could change something.")] = False,
) -> None:
    """Print what the simulated Azure was asked, one line a request."""
    _run("log", *(["--writes"] if writes else []))


@app.command()
def advance(seconds: Annotated[float, typer.Argument(min=0, help="Virtual seconds.")]) -> None:
    """Let virtual time pass at once."""
    _run("advance", f"{seconds:g}")


@app.command()
def inject(
    fault: Annotated[
        str, typer.Argument(help='JSON, e.g. \'{"match": {"method": "POST"}, "status": 503, "times": 1}\'')
    ],
    host: Annotated[str | None, typer.Option(help="Plant the fault on this machine instead of in Azure.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Say which ways between hosts are blocked.")] = False,
) -> None:
    """Make the simulated Azure, a host or the network fail as the JSON says."""
    try:
        if not isinstance(json.loads(fault), dict):
            raise ValueError("it is no JSON object")
    except ValueError as error:
        wrong = InputError("FAULT", fault, f"is no rule: {error}", remedy="Give one JSON object in single quotes.")
        screen.show_error(Console(stderr=True), wrong)
        raise typer.Exit(EXIT_USAGE) from error
    _run("inject", *(["--host", host] if host else []), *(["--network"] if network else []), fault)
