"""One run of the product: bring waves to goal after goal, as the playbooks do one after the other.

    python wave_process.py description.json result.json

``description``: ``{"goals": [...], "waves": [{"session": {"landing_zone", "cloud", "wait_scale", "journal"},
"machines": [...]}]}``; a session's parameters are those that the modules give to ``asr_migrate.session``. Waves are
worked on at once, each goal in a session of its own; a machine that a goal failed for is left out of the goals behind
it, as Ansible leaves out a failed host. What came of it goes to ``result``: ``{"goals": {goal: {machine: result}},
"error": {...} or null}``. Exit code 0: every machine reached every goal; 2: some did not; 3: a wave as a whole could
not be worked on.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.wave import Wave
from asr_migrate.session import open_session

TIMEOUT_S = 6 * 3600.0
REACHED, SOME_FAILED, FAILED = 0, 2, 3
BEGAN_S = time.monotonic()


def tell(line: str) -> None:
    print(f"{time.monotonic() - BEGAN_S:7.3f} {line}", flush=True)


async def bring(wave: dict[str, Any], goals: Sequence[str], result: dict[str, Any]) -> bool:
    """Bring one wave to the goals; ``result`` holds what is known so far. Returns whether every machine reached all."""
    machines = wave["machines"]
    for name in goals:
        tell(f"goal {name}, {len(machines)} machines")
        async with open_session(wave["session"], False) as session:
            made = Wave.from_hosts(machines, session.landing_zone)
            outcome = await session.reach(session.engine(tell), made, Goal(name), TIMEOUT_S)
        result["goals"].setdefault(name, {}).update(outcome.by_machine())
        machines = [machine for machine in machines if outcome.machines[machine["name"]].reached]
        if not machines:
            break
    return len(machines) == len(wave["machines"])


async def work(description: dict[str, Any], result: dict[str, Any]) -> int:
    """Bring all waves to the goals and return the exit code. One that cannot be worked on does not stop the others."""
    goals = description["goals"]
    ended = await asyncio.gather(*(bring(wave, goals, result) for wave in description["waves"]), return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, AsrMigrateError):
            tell(f"failed: {outcome}")
            result["error"] = {
                "code": outcome.code,
                "message": outcome.message,
                "cause": outcome.cause,
                "remedy": outcome.remedy,
            }
        elif isinstance(outcome, BaseException):
            raise outcome
    if result["error"]:
        return FAILED
    return REACHED if all(ended) else SOME_FAILED


def main() -> int:
    description = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result: dict[str, Any] = {"goals": {}, "error": None}
    code = asyncio.run(work(description, result))
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
