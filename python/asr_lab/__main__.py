"""``python -m asr_lab``: start, end, ask and change the lab on this machine. ``asr-migrate lab`` is the same."""

import asyncio
import json
import logging
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from asr_lab import lab_howto, lab_process, lab_screen
from asr_lab.lab_admin_client import AdminRefused, call
from asr_lab.lab_state import State

ARM_PORT = 8443
DEFAULT_NET = "127.20"
DEFAULT_SPEED = 240.0
DEFAULT_STATE = Path(".lab")
PROGRAM = os.environ.get("ASR_LAB_PROGRAM", "python -m asr_lab")
"""What the user typed; asr-migrate sets it so that help and examples name its own command."""

app = typer.Typer(
    help="The lab: Azure, EC2 and the machines of a small estate, simulated on loopback addresses of this machine.",
    epilog="Exit codes: 0 done, 1 refused or failed (the reason is printed), 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StateOption = Annotated[
    Path, typer.Option("--state", envvar="ASR_LAB_STATE", help="Directory of keys, secrets, state and logs of the lab.")
]
NetOption = Annotated[
    str | None,
    typer.Option(
        "--net",
        envvar="ASR_LAB_NET",
        help="First two parts of the loopback network; by default that of the last lab, at first 127.20.",
    ),
]
SpeedOption = Annotated[
    float | None,
    typer.Option(
        "--speed",
        envvar="ASR_LAB_SPEED",
        min=0.001,
        help="Virtual seconds in a second; by default as in the last lab, at first 240.",
    ),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Begin anew; the old state file is kept aside.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@app.command(epilog=f"Example: {PROGRAM} up --speed 3600 · Then: {PROGRAM} howto az")
def up(
    state: StateOption = DEFAULT_STATE,
    net: NetOption = None,
    speed: SpeedOption = None,
    fresh: FreshOption = False,
) -> None:
    """Start the lab in the background and say how clients reach it; it goes on where the last one stood."""
    files = State(state)
    pid = lab_process.running_pid(files)
    if pid:
        running = files.read_environment().get("ASR_LAB_NET", DEFAULT_NET)
        typer.echo(f"The lab runs already (process {pid}, network {running}).")
        if fresh:
            typer.echo(f"It is not fresh; begin anew with: {PROGRAM} reset", err=True)
            raise typer.Exit(1)
    else:
        last = {} if fresh else files.read_environment()
        arguments = [
            *("--net", net or last.get("ASR_LAB_NET", DEFAULT_NET)),
            *("--speed", str(speed or last.get("ASR_LAB_SPEED", DEFAULT_SPEED))),
        ]
        try:
            lab_process.start(files, [*arguments, *(["--fresh"] if fresh else [])], typer.echo)
        except lab_process.LabFailed as failure:
            raise _refusal(failure) from None
        typer.echo("The lab is up.")
    typer.echo(lab_howto.summary(_place(files), PROGRAM))


@app.command()
def down(state: StateOption = DEFAULT_STATE) -> None:
    """End the lab; what Azure held is written to the state file first."""
    try:
        ended = lab_process.stop(State(state))
    except lab_process.LabFailed as failure:
        raise _refusal(failure) from None
    typer.echo("The lab is down." if ended else "No lab runs.")
    log = State(state).log
    if ended and log.exists() and log.stat().st_size:
        typer.echo(f"It had something to say: {log}")


@app.command()
def status(as_json: JsonOption = False, state: StateOption = DEFAULT_STATE) -> None:
    """Show vaults, protected items, jobs and hosts. Exit code 1 when no lab runs."""
    if lab_process.running_pid(State(state)) is None:
        typer.echo("No lab runs.")
        raise typer.Exit(1)
    _answer(_call(state, "GET", "state"), as_json, lab_screen.state)


@app.command(epilog=f"Clients: {', '.join(lab_howto.TOPICS)}. Example: {PROGRAM} howto az")
def howto(
    client: Annotated[str, typer.Argument(help="env, az, sdk, curl, aws or ansible.")] = "env",
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print how to point a client at the lab: commands and code with this lab's addresses, without secrets."""
    if client not in lab_howto.TOPICS:
        raise typer.BadParameter(f"{client}: choose one of {', '.join(lab_howto.TOPICS)}", param_hint="CLIENT")
    typer.echo(lab_howto.TOPICS[client].text(_place(State(state))), nl=False)


@app.command()
def reset(state: StateOption = DEFAULT_STATE) -> None:
    """Bring Azure, EC2 and the hosts back to how a fresh lab starts; keys and secrets stay."""
    _say_time("The lab is as a fresh one. ", _call(state, "POST", "reset"))


@app.command(
    epilog=f"Examples: {PROGRAM} advance 3600 · {PROGRAM} advance 90m · {PROGRAM} advance 2d",
)
def advance(
    time: Annotated[str, typer.Argument(help="Virtual time: seconds, or a number with s, m, h or d.")],
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Let virtual time pass at once; everything that becomes due happens."""
    _say_time("", _call(state, "POST", "advance", {"seconds": _seconds(time)}))


@app.command(
    epilog='Examples: inject \'{"match": {"method": "POST", "path": "*testFailover*"}, "status": 503, "times": 1}\' · '
    "inject --scenario slow_region · inject --scenario my.yml --name 'web-*' · inject --clear · "
    'inject --host db-rhel8 \'{"skew_s": 960}\' · inject --network \'{"block": [["10.20.1.11", "10.20.0.10", 9443]]}\''
)
def inject(
    fault: Annotated[str, typer.Argument(metavar="JSON", help="A JSON object (or a list of them).")] = "",
    host: Annotated[str | None, typer.Option(help="Plant the fault on this machine (its EC2 name).")] = None,
    network: Annotated[bool, typer.Option("--network", help="Change which ways are blocked.")] = False,
    scenario: Annotated[
        str | None, typer.Option(help="A scenario by name (see the command scenarios), or a YAML file of yours.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="With --scenario: only for machines of this name.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take back every fault planted in Azure.")] = False,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Plant a fault or a scenario: in Azure's answers and jobs, on a host, or in the network between the hosts."""
    if sum((bool(fault), scenario is not None, clear)) != 1:
        raise typer.BadParameter("give exactly one of: a JSON object, --scenario, --clear", param_hint="JSON")
    if name and not scenario:
        raise typer.BadParameter("--name needs --scenario", param_hint="--name")
    if clear:
        _print_json(_call(state, "DELETE", "inject"))
    elif scenario is not None:
        _print_json(_call(state, "POST", "inject", _scenario(scenario, name)))
    else:
        path = f"hosts/{host}" if host else "network" if network else "inject"
        _print_json(_call(state, "POST", path, _json(fault)))


@app.command()
def scenarios(as_json: JsonOption = False, state: StateOption = DEFAULT_STATE) -> None:
    """List the scenarios that inject --scenario takes."""
    _answer(_call(state, "GET", "scenarios")["scenarios"], as_json, lab_screen.scenarios)


@app.command(epilog=f"Example: {PROGRAM} log --keep-answers, then your client, then {PROGRAM} log --as-session my.json")
def log(
    writes: Annotated[bool, typer.Option("--writes", help="Only requests that could change something.")] = False,
    last: Annotated[int | None, typer.Option(min=1, help="Only the newest.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, with the bodies.")] = False,
    as_session: Annotated[
        Path | None, typer.Option(help="Write the exchanges to this file, in the format of recorded sessions.")
    ] = None,
    keep_answers: Annotated[
        bool | None, typer.Option("--keep-answers/--forget-answers", help="Whether answers are kept from now on.")
    ] = None,
    state: StateOption = DEFAULT_STATE,
) -> None:
    """Print the requests that Azure was sent, oldest first, or write them to a file with their answers."""
    if keep_answers is not None:
        _call(state, "POST", "log", {"keep_answers": keep_answers})
        typer.echo("Answers are kept from now on." if keep_answers else "Answers are not kept from now on.")
        return
    if as_session is not None:
        _write_session(as_session, _call(state, "GET", "log?session=1"))
        return
    query = "&".join(filter(None, ["writes=1" if writes else "", f"last={last}" if last else ""]))
    for entry in _call(state, "GET", f"log?{query}")["entries"]:
        typer.echo(json.dumps(entry) if as_json else lab_screen.log_line(entry))


@app.command(hidden=True)
def run(
    state: StateOption = DEFAULT_STATE,
    net: NetOption = None,
    speed: SpeedOption = None,
    fresh: FreshOption = False,
) -> None:
    """Run the lab in the foreground, until it is interrupted."""
    say = lab_process.announce()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    try:
        with lab_process.holding_pid(State(state)):
            asyncio.run(_run(State(state), net or DEFAULT_NET, speed or DEFAULT_SPEED, fresh, say))
    except (lab_process.LabFailed, OSError) as failure:
        say(f"{lab_process.FAILED}{failure}")
        raise typer.Exit(1) from None


async def _run(state: State, net: str, speed: float, fresh: bool, say: Callable[[str], None]) -> None:
    # Imported here: the other commands answer at once, without the simulators' second of imports.
    from asr_lab.arm.state_file import StateFileUnusable
    from asr_lab.lab import Lab, PortTaken

    os.umask(0o022)
    ended = asyncio.Event()
    for word in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(word, ended.set)
    lab = Lab(state, net=net, speed=speed, fresh=fresh)
    try:
        await lab.start(say)
        say(lab_process.READY)
        await ended.wait()
    except (PortTaken, StateFileUnusable) as refusal:
        raise lab_process.LabFailed(str(refusal)) from None
    finally:
        await lab.stop()


def _place(files: State) -> lab_howto.Place:
    try:
        return lab_howto.place(files, files.read_environment())
    except KeyError:
        raise _refusal(f"no lab has run in {files.directory}; start one with: {PROGRAM} up") from None


def _call(state: Path, method: str, path: str, body: Any = None) -> Any:
    files = State(state)
    net = files.read_environment().get("ASR_LAB_NET", DEFAULT_NET)
    try:
        return call(files, f"https://{net}.0.1:{ARM_PORT}", method, path, body)
    except AdminRefused as refusal:
        raise _refusal(refusal) from None


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise typer.BadParameter(f"{text}: give seconds, or a number with s, m, h or d, such as 90m", param_hint="TIME")
    return float(found[1]) * UNITS[found[2]]


def _json(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; give one JSON object in single quotes", param_hint="JSON") from None
    if not isinstance(found, dict | list):
        raise typer.BadParameter("give one JSON object in single quotes", param_hint="JSON")
    return found


def _scenario(given: str, name: str | None) -> Any:
    """Return what is sent for a scenario: its name, or the document in a file."""
    path = Path(given)
    if path.suffix in (".yml", ".yaml") or path.is_file():
        try:
            document = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise typer.BadParameter(f"{path} cannot be read: {error}", param_hint="--scenario") from None
        if not isinstance(document, dict):
            raise typer.BadParameter(f"{path} holds no mapping with title and rows", param_hint="--scenario")
        if name:
            raise typer.BadParameter("a file says itself which machines it means", param_hint="--name")
        return document
    return {"scenario": given, **({"match": {"name": name}} if name else {})}


def _write_session(path: Path, session: Any) -> None:
    exchanges = session["exchanges"]
    if not exchanges:
        raise _refusal(f"the log holds no exchange with its answer; keep them with: {PROGRAM} log --keep-answers")
    try:
        path.write_text(json.dumps(session, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise _refusal(f"{path} cannot be written: {error.strerror}") from None
    typer.echo(f"{path}: {len(exchanges)} exchanges")


def _say_time(words: str, answer: Any) -> None:
    typer.echo(f"{words}Virtual time is {answer['now'][:19].replace('T', ' ')} UTC.")


def _answer(answer: Any, as_json: bool, screen: Callable[[Any], Any]) -> None:
    if as_json:
        _print_json(answer)
    else:
        lab_screen.show(screen(answer))


def _refusal(reason: Exception | str) -> typer.Exit:
    typer.echo(str(reason).replace("python -m asr_lab", PROGRAM), err=True)
    return typer.Exit(1)


def _print_json(answer: Any) -> None:
    typer.echo(json.dumps(answer, indent=2))


if __name__ == "__main__":
    app(prog_name=PROGRAM)
