"""Worlds that are written to a file and go on in another world, as after a restart of the lab."""

import pytest
from tests.unit.lab_azure_to_azure.conftest import Regions, regions
from tests.unit.lab_hyper_v.conftest import Site, bare
from tests.unit.lab_plans.conftest import Wave, wave
from tests.unit.lab_site_recovery.conftest import Lab, Ready, classic, lab, modern, ready

from asr_lab.arm import state_file
from asr_lab.arm.world import World

__all__ = ["Lab", "Ready", "Regions", "Site", "Wave", "bare", "classic", "lab", "modern", "ready", "regions", "wave"]


@pytest.fixture
def restart(tmp_path):
    """Write a Lab's world to a file and let the Lab go on with a new world that was filled from it."""
    path = tmp_path / "world.state"

    def again(lab: Lab) -> None:
        state_file.write(path, state_file.snapshot(lab.world, lab.now))
        world = World(lab.hosts)
        saved = state_file.restore(path, world)
        lab.world, lab.now = world, saved.now

    return again
