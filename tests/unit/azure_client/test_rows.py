"""What is kept of the rows of lists: all that anybody reads of them, and nothing of what nobody reads."""

from itertools import product

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.azure import freshness, rows
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.lifecycle import Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Site, Sweep
from asr_migrate.engine import doubt
from asr_migrate.engine.bulk import Batch, plan_call
from asr_migrate.engine.bulk_outcome import outcomes
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm
from asr_migrate.report.collect import recovery_point_id

ZONE = short_zone()
PROVIDERS = [InMageRcm, InMageAzureV2]
WEB = Machine(
    name="web",
    source_id="i-1",
    wave="w",
    os="linux",
    addresses=("10.20.1.21",),
    target={"vm_name": "vm-web", "private_ip": "10.1.1.9"},
)
CONTAINER = "/vault/replicationFabrics/f/replicationProtectionContainers/c"
SITE = Site("f", "c", "process-server", run_as_accounts={"root": "1"})
STATES = [
    {"protectionState": "InitialReplicationInProgress"},
    {"protectionState": "Protected", "allowedOperations": ["TestFailover", "UnplannedFailover"]},
    {"protectionState": "Protected", "allowedOperations": ["TestFailoverCleanup"]},
    {"protectionState": "UnplannedFailoverCommitPending", "activeLocation": "Recovery"},
    {"protectionState": "EnablingFailed"},
    {"protectionState": "Protected", "currentScenario": {"scenarioName": "TestFailover", "jobId": "/jobs/j"}},
]
FAULTS = ("healthErrors", "replicationHealthErrors", "failoverHealthErrors")


class Noting(dict):
    """An object of an answer that notes in ``forgotten`` whatever is read of it and is not kept."""

    def __init__(self, found, shape, forgotten):
        super().__init__({key: noting(value, (shape or {}).get(key), forgotten) for key, value in found.items()})
        self.shape, self.forgotten = shape, forgotten

    def _note(self, key):
        if key not in self.shape:
            self.forgotten.add(key)

    def get(self, key, default=None):
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self._note(key)
        return super().__contains__(key)


def noting(value, shape, forgotten):
    if shape is None:
        return value
    if isinstance(value, list):
        return [noting(one, shape, forgotten) for one in value]
    return Noting(value, shape, forgotten)


def item(instance_type, *, details=(), **properties):
    nic = {"nicId": "n", "isPrimaryNic": "true", "ipConfigs": [{}]}
    told = {"instanceType": instance_type, "vmNics": [nic], **dict(details)}
    known = {"providerSpecificDetails": told, **{key: [{}] for key in FAULTS}, **properties}
    return {"id": f"{CONTAINER}/replicationProtectedItems/web", "name": "web", "properties": known}


def job(scenario, state):
    told = {"scenarioName": scenario, "state": state, "startTime": "2026-01-01T00:00:00", "targetObjectId": "guid"}
    return {"name": "j", "properties": {**told, "tasks": [], "errors": []}}


def read_by_everybody(provider, row, jobs):
    """Let all code that reads items of a sweep read ``row``; ``jobs`` are the vault's."""
    sweep = Sweep((row,), jobs, site=SITE)
    seen = provider.observe(WEB, sweep)
    assert seen.stage is not Stage.ABSENT
    doubt.names_of(WEB, seen, row)
    provider.update(WEB, row)
    for verb in (Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER, Verb.COMMIT, Verb.COMPLETE):
        provider.act(verb, WEB, row)
    plan_call(Batch("asr-w-1", Verb.FAIL_OVER, ((WEB,),)), {"web": row}, "network")
    outcomes(jobs[0], {"web": row})
    recovery_point_id(row)
    freshness.behind([row], jobs, {row["id"].lower(): jobs[0]})


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("state", STATES)
def test_whatever_is_read_of_an_item_is_kept(provider, state):
    provider = provider(LandingZone.model_validate(ZONE))
    forgotten = set()
    for details in ({}, {"internalIdentifier": "guid"}):
        row = noting(item(provider.instance_type, details=details, **state), rows.ITEM, forgotten)
        for scenario, told in product(sorted(freshness.VERBS), ("InProgress", "Succeeded", "Failed")):
            read_by_everybody(provider, row, (job(scenario, told),))
    assert forgotten == set()


@pytest.mark.parametrize(("provider", "shape"), [(InMageRcm, rows.SERVER), (InMageAzureV2, rows.PROTECTABLE)])
def test_whatever_is_read_of_a_source_is_kept(provider, shape):
    architecture = Architecture.CLASSIC if provider is InMageAzureV2 else Architecture.MODERNIZED
    provider = provider(LandingZone.model_validate({**ZONE, "architecture": architecture}))
    forgotten = set()
    custom = {"ipAddress": "10.20.1.22"}
    told = {"displayName": "web", "friendlyName": "web", "customDetails": custom, "networkAdapters": [{}]}
    sweep = Sweep(sources=(noting({"id": "/machines/1", "properties": told}, shape, forgotten),), site=SITE)
    assert provider.observe(WEB, sweep).stage is Stage.ABSENT
    assert provider.enable(WEB, SITE, sweep).body
    assert forgotten == set()


def test_a_row_is_cut_to_what_is_read_and_keeps_what_it_lacks_absent():
    found = item("InMageRcm", policyId="/policies/p", protectionState="Protected", eventCorrelationId="x")
    details = found["properties"]["providerSpecificDetails"]
    details |= {"protectedDisks": [{"diskId": "d"}], "targetVmName": "vm-web"}
    nics = [{"nicId": "n", "isPrimaryNic": "true", "ipConfigs": [{}]}]
    assert rows.item({**found, "type": "items"}) == item(
        "InMageRcm",
        protectionState="Protected",
        providerSpecificDetails={"instanceType": "InMageRcm", "targetVmName": "vm-web", "vmNics": nics},
    )


def test_a_row_that_cannot_be_read_stays_as_it_is():
    broken = {"id": "/items/web", "name": "web", "properties": "not an object"}
    assert rows.item(broken) == broken
    scenario = item("InMageRcm", currentScenario="not an object", healthErrors=["no object", None])
    assert rows.item(scenario) == scenario


def test_two_rows_share_the_texts_that_they_have_in_common():
    first, second = (
        rows.item(item("InMageRcm", protectionState="".join(["Pro", "tected"]), allowedOperations=["".join("Commit")]))
        for _ in range(2)
    )
    one, other = first["properties"], second["properties"]
    assert one["protectionState"] is other["protectionState"]
    assert one["allowedOperations"][0] is other["allowedOperations"][0]
