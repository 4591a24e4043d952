"""``python -m asr_lab``: start, end and change the lab on this machine."""

import asyncio
import json
import logging
import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from asr_lab import lab_process
from asr_lab.lab_admin_client import AdminRefused, call
from asr_lab.lab_state import State

ARM_PORT = 8443
DEFAULT_NET = "127.20"

app = typer.Typer(
    help="The lab: Azure, EC2 and the machines of a small estate, simulated on loopback addresses of this machine.",
    epilog="Exit codes: 0 done, 1 refused or failed (the reason is printed), 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StateOption = Annotated[
    Path, typer.Option("--state", envvar="ASR_LAB_STATE", help="Directory of keys, secrets and logs of the lab.")
]
NetOption = Annotated[
    str, typer.Option("--net", envvar="ASR_LAB_NET", help="First two parts of the loopback network, such as 127.20.")
]
SpeedOption = Annotated[
    float, typer.Option("--speed", envvar="ASR_LAB_SPEED", min=0.001, help="Virtual seconds in a second.")
]
JsonArgument = Annotated[str, typer.Argument(metavar="JSON", help="A JSON object.")]
DEFAULT_STATE = Path(".lab")


@app.command(epilog="Example: python -m asr_lab up --net 127.21 --state /tmp/lab && . /tmp/lab/env")
def up(state: StateOption = DEFAULT_STATE, net: NetOption = DEFAULT_NET, speed: SpeedOption = 240.0) -> None:
    """Start the lab in the background; return when every port answers. Does nothing when it runs already."""
    files = State(state)
    pid = lab_process.running_pid(files)
    if pid:
        running = files.read_environment().get("ASR_LAB_NET", net)
        typer.echo(f"The lab runs already (process {pid}, network {running}).")
        return
    try:
        lab_process.start(files, ["--net", net, "--speed", str(speed)], typer.echo)
    except lab_process.LabFailed as failure:
        raise _refusal(failure) from None
    typer.echo(f"The lab is up. Settings for a shell: . {files.environment}")


@app.command()
def down(state: StateOption = DEFAULT_STATE) -> None:
    """End the lab."""
    try:
        ended = lab_process.stop(State(state))
    except lab_process.LabFailed as failure:
        raise _refusal(failure) from None
    typer.echo("The lab is down." if ended else "No lab runs.")


@app.command()
def status(state: StateOption = DEFAULT_STATE) -> None:
    """Show what the lab holds: vaults, protected items, jobs, hosts. Exit code 1 when no lab runs."""
    if lab_process.running_pid(State(state)) is None:
        typer.echo("No lab runs.")
        raise typer.Exit(1)
    _show(_call(state, "GET", "state"))


@app.command()
def reset(state: StateOption = DEFAULT_STATE) -> None:
    """Bring Azure, EC2 and the hosts back to how the lab started; keys and secrets stay."""
    _show(_call(state, "POST", "reset"))


@app.command(epilog="Example: python -m asr_lab advance 3600")
def advance(
    seconds: Annotated[float, typer.Argument(min=0, help="Virtual seconds.")], state: StateOption = DEFAULT_STATE
) -> None:
    """Push virtual time forward."""
    _show(_call(state, "POST", "advance", {"seconds": seconds}))


@app.command(
    epilog='Examples: inject \'{"match": {"method": "POST", "path": "*testFailover*"}, "status": 503, "times": 1}\' · '
    'inject --host db-rhel8 \'{"skew_s": 960}\' · inject --network \'{"block": [["10.20.1.11", "10.20.0.10", 9443]]}\''
)
def inject(
    fault: JsonArgument,
    host: Annotated[str | None, typer.Option(help="Plant the fault on this machine (its EC2 name).")] = None,
    network: Annotated[bool, typer.Option("--network", help="Change which ways are blocked.")] = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Plant a fault: in Azure's answers, on a host, or in the network between the hosts."""
    try:
        body = json.loads(fault)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; give a JSON object", param_hint="JSON") from None
    path = f"hosts/{host}" if host else "network" if network else "inject"
    _show(_call(state, "POST", path, body))


@app.command()
def log(
    writes: Annotated[bool, typer.Option("--writes", help="Only requests that could change something.")] = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print the requests that Azure was sent, one JSON object a line, oldest first."""
    for entry in _call(state, "GET", "log?writes=1" if writes else "log")["entries"]:
        typer.echo(json.dumps(entry))


@app.command(hidden=True)
def run(state: StateOption = DEFAULT_STATE, net: NetOption = DEFAULT_NET, speed: SpeedOption = 240.0) -> None:
    """Run the lab in the foreground, until it is interrupted."""
    say = lab_process.announce()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    try:
        with lab_process.holding_pid(State(state)):
            asyncio.run(_run(State(state), net, speed, say))
    except (lab_process.LabFailed, OSError) as failure:
        say(f"{lab_process.FAILED}{failure}")
        raise typer.Exit(1) from None


async def _run(state: State, net: str, speed: float, say: Any) -> None:
    # Imported here: the other commands answer at once, without the simulators' second of imports.
    from asr_lab.lab import Lab, PortTaken

    os.umask(0o022)
    ended = asyncio.Event()
    for word in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(word, ended.set)
    lab = Lab(state, net=net, speed=speed)
    try:
        await lab.start(say)
        say(lab_process.READY)
        await ended.wait()
    except PortTaken as taken:
        raise lab_process.LabFailed(str(taken)) from None
    finally:
        await lab.stop()


def _call(state: Path, method: str, path: str, body: Any = None) -> Any:
    files = State(state)
    net = files.read_environment().get("ASR_LAB_NET", DEFAULT_NET)
    try:
        return call(files, f"https://{net}.0.1:{ARM_PORT}", method, path, body)
    except AdminRefused as refusal:
        raise _refusal(refusal) from None


def _refusal(reason: Exception) -> typer.Exit:
    typer.echo(str(reason), err=True)
    return typer.Exit(1)


def _show(answer: Any) -> None:
    typer.echo(json.dumps(answer, indent=2))


if __name__ == "__main__":
    app()
