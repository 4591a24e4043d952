"""``python -m asr_lab.contract FOLDER``: hold the lab against recorded sessions of Site Recovery."""

import argparse
import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console

from asr_lab.contract import recording, report
from asr_lab.contract.recording import BadInput
from asr_lab.contract.replay import Replay

_PLAIN_WIDTH = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the sessions of a folder and print what was found.

    Returns 0 when every exchange is answered as recorded, 1 when some are not, 2 when the input cannot be replayed.
    """
    given = _parser().parse_args(arguments)
    try:
        sessions = [recording.read(path) for path in _chosen(given.folder, given.only)]
    except BadInput as problem:
        print(problem, file=sys.stderr)
        return 2
    reports = [Replay(session).run() for session in sessions]
    console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH, no_color=True, highlight=False)
    report.show(reports, console, verbose=given.verbose)
    if given.json is not None:
        text = json.dumps(report.as_json(reports), indent=1, ensure_ascii=False)
        try:
            given.json.write_text(text + "\n", encoding="utf-8")
        except OSError as problem:
            print(f"{given.json} cannot be written ({problem}); name a file in a folder that exists.", file=sys.stderr)
            return 2
    return 0 if all(one.equal for one in reports) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m asr_lab.contract",
        description="Replay recorded sessions of Site Recovery through the lab and report every difference.",
        epilog="Exit status: 0 every exchange is answered as recorded, 1 some are not, 2 the input cannot be replayed.",
    )
    parser.add_argument("folder", type=Path, help="a folder of recorded sessions, *.json")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only files whose name begins so (or fits NAME with *); may be repeated",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found into FILE")
    parser.add_argument("--verbose", action="store_true", help="also list what is equal, allowed or not compared")
    return parser


def _chosen(folder: Path, only: Sequence[str]) -> list[Path]:
    found = recording.files(folder)
    if not only:
        return found
    chosen = [path for path in found if any(path.name.startswith(one) or fnmatchcase(path.name, one) for one in only)]
    if not chosen:
        raise BadInput(
            f"{folder} holds no file named {' or '.join(only)}; it holds {', '.join(p.name for p in found)}."
        )
    return chosen


if __name__ == "__main__":
    sys.exit(main())
