"""Runs that are killed at random moments while a fifth of Azure's answers are faulty."""

import asyncio
import os

from .__main__ import play_all
from .story import tell

KILLS = int(os.environ.get("KILLS") or 30)
FIRST_SEED = int(os.environ.get("FIRST_SEED") or 1)


def test_whatever_kills_the_runs_no_verb_is_repeated_and_no_machine_is_lost(tmp_path):
    told = asyncio.run(play_all(FIRST_SEED, KILLS, tmp_path, keep=False))
    wrong = [f"seed {one.seed} {one.architecture}: {violation}" for one in told for violation in one.violations]
    assert wrong == []
    assert sum(one.kills for one in told) >= KILLS


def test_journals_that_are_cut_off_at_any_byte_lose_no_machine(tmp_path):
    async def both():
        return await asyncio.gather(
            tell(tmp_path / "0", FIRST_SEED, "modernized", 3, cut=True, address="127.55.0.2"),
            tell(tmp_path / "1", FIRST_SEED + 2, "classic", 3, cut=True, address="127.55.0.3"),
        )

    assert [violation for told in asyncio.run(both()) for violation in told.violations] == []
