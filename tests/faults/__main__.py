"""``python -m tests.faults``: kill runs of whole waves until enough were killed, and print what came of every story.

Exit code 1 when anything was repeated, cancelled or lost. A story's folder with the lab's log, its jobs, and the output
of every run is kept then, or with ``--keep``.
"""

import argparse
import asyncio
import random
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .lab import ARCHITECTURES, Architecture
from .story import Told, tell

KILLS = 300
KILLS_IN_A_STORY = 10
AT_ONCE = 2
STORIES_WITHOUT_A_KILL = 5
FOLDER = Path(".cache") / "faults"
HEAD = ("seed", "architecture", "kills", "reruns", "writes", "repeated", "lost", "minutes")
WIDTHS = (10, 12, 5, 6, 6, 8, 4, 7)


def architecture_of(seed: int) -> Architecture:
    return ARCHITECTURES[seed % len(ARCHITECTURES)]


def line(values: Sequence[object]) -> str:
    return "  ".join(f"{value!s:>{width}}" for value, width in zip(values, WIDTHS, strict=True))


def row(told: Told) -> str:
    repeated, lost = told.count("repeated", "cancelled"), told.count("lost")
    minutes = f"{told.seconds / 60:.1f}"
    return line((told.seed, told.architecture, told.kills, told.reruns, told.writes, repeated, lost, minutes))


def sums(told: Sequence[Told], seconds: float) -> str:
    """Return the last row: how many stories, and the sums of the columns; the minutes are those that passed."""
    return line(
        (
            f"{len(told)} stories",
            "",
            sum(one.kills for one in told),
            sum(one.reruns for one in told),
            sum(one.writes for one in told),
            sum(one.count("repeated", "cancelled") for one in told),
            sum(one.count("lost") for one in told),
            f"{seconds / 60:.1f}",
        )
    )


async def play(seed: int, kills: int, folder: Path, keep: bool, place: int) -> Told:
    """Play one story in the loopback address of ``place`` and print its row."""
    story = folder / f"{seed}"
    shutil.rmtree(story, ignore_errors=True)
    told = await tell(story, seed, architecture_of(seed), kills, address=f"127.55.0.{2 + place}")
    print(row(told), flush=True)
    for violation in told.violations:
        print(f"  seed {told.seed}, {violation}", flush=True)
    if told.violations:
        print(f"  everything about it: {story}; again: python -m tests.faults --seed {seed}", flush=True)
    elif not keep:
        shutil.rmtree(story)
    return told


async def play_all(first_seed: int, kills: int, folder: Path, keep: bool) -> list[Told]:
    """Play stories, two at once, until ``kills`` runs were killed; the kills of a story are part of its seed."""
    told: list[Told] = []
    places = list(range(AT_ONCE))
    running: dict[asyncio.Task[Told], int] = {}
    seed = first_seed
    while running or sum(one.kills for one in told) < kills:
        while places and sum(one.kills for one in told) + KILLS_IN_A_STORY * len(running) < kills:
            place = places.pop()
            running[asyncio.create_task(play(seed, KILLS_IN_A_STORY, folder, keep, place))] = place
            seed += 1
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            places.append(running.pop(task))
            told.append(task.result())
        if len(told) >= STORIES_WITHOUT_A_KILL and not any(one.kills for one in told):
            break
    return told


async def play_as_asked(given: argparse.Namespace) -> int:
    """Play what the command line asks for, print the table and return the exit code."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    print(line(HEAD), flush=True)
    if given.seed is not None:
        told = [await play(given.seed, KILLS_IN_A_STORY, given.folder, True, 0)]
    else:
        first = given.first_seed if given.first_seed is not None else random.SystemRandom().randrange(1, 1_000_000)
        told = await play_all(first, given.kills, given.folder, given.keep)
    print(sums(told, loop.time() - began_s))
    return 1 if any(one.violations for one in told) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how many runs to kill in all (default {KILLS})")
    parser.add_argument("--seed", type=int, help="play only the story of this seed")
    parser.add_argument("--first-seed", type=int, help="the first story's seed; the others follow (default: random)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where stories are kept (default {FOLDER})")
    parser.add_argument("--keep", action="store_true", help="keep the folders of good stories, too")
    return asyncio.run(play_as_asked(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
