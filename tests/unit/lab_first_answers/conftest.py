"""Scenes in which every long-running operation of the SDK can be asked for, without a socket."""

import pytest
from tests.unit.lab_azure_to_azure.conftest import Regions, ready, regions
from tests.unit.lab_hyper_v.conftest import Site, bare, site
from tests.unit.lab_plans.conftest import Wave, action, wave
from tests.unit.lab_site_recovery.conftest import Ready, classic, lab, modern
from tests.unit.lab_vault.conftest import Classic
from tests.unit.lab_vault.conftest import Lab as VaultLab

__all__ = ["action", "bare", "classic", "lab", "modern", "ready", "regions", "site", "wave"]


@pytest.fixture
def protected_modern(modern: Ready) -> Ready:
    modern.protect()
    return modern


@pytest.fixture
def protected_classic(classic: Ready) -> Ready:
    classic.protect()
    return classic


@pytest.fixture
def protected_site(site: Site) -> Site:
    site.protect()
    return site


@pytest.fixture
def failed_over_regions(ready: Regions) -> Regions:
    ready.protect()
    ready.fail_over_and_commit()
    return ready


@pytest.fixture
def planned(wave: Wave) -> Wave:
    """A recovery plan of three protected machines, with a manual action."""
    wave.protect()
    wave.make_plan(wave.group("web-1", "web-2", start=[action("look")]), wave.group("db-1"))
    return wave


@pytest.fixture
def estate() -> Classic:
    """A configuration server with a second process server and a vCenter."""
    made = Classic(VaultLab())
    made.protect()
    return made
