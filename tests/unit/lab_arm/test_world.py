"""The world itself: nothing by chance, everything can be saved, and it says when it changed."""

import os
import pickle
import subprocess
import sys

from asr_lab.arm import scenarios
from asr_lab.arm.wire import Request

STORY = """
import json
from datetime import UTC, datetime, timedelta
from asr_lab.arm.landing_zone import RESOURCE_GROUP, SUBSCRIPTION_ID, seed
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World

now = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
world = World(seed=7)
seed(world, now)
group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
vault = f"{group}/providers/Microsoft.RecoveryServices/vaults/v"
policy = {"instanceType": "InMageRcm", "recoveryPointHistoryInMinutes": 60, "crashConsistentFrequencyInMinutes": 5,
          "appConsistentFrequencyInMinutes": 0, "enableMultiVmSync": "false"}
asked = [
    ("PUT", vault, "2026-11-01", {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}),
    ("GET", vault, "2026-11-01", None),
    ("PUT", vault + "/replicationPolicies/p", "2025-08-01", {"properties": {"providerSpecificInput": policy}}),
    ("GET", vault + "/replicationPolicies/none", "2025-08-01", None),
    ("GET", vault + "/replicationPolicies", "2025-08-01", None),
    ("GET", vault + "/replicationJobs", "2025-08-01", None),
    ("POST", vault + "/replicationJobs", "2025-08-01", {}),
    ("GET", vault + "/nothing", "2025-08-01", None),
    ("GET", f"/subscriptions/{SUBSCRIPTION_ID}/providers", "2025-04-01", None),
]
for method, path, version, body in asked:
    answer = world.handle(Request(method, path, {"api-version": version}, {}, body, "someone"), now)
    print(json.dumps([answer.status, answer.headers, answer.body]))
    now += timedelta(seconds=90)
"""


def test_the_same_seed_and_the_same_requests_give_the_same_answers_in_every_process():
    told = [
        subprocess.run(
            [sys.executable, "-c", STORY],
            env={**os.environ, "PYTHONHASHSEED": chance},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for chance in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("\n") == 9


def test_a_world_is_saved_in_the_middle_of_an_operation_and_goes_on(world, clock, ask):
    scenarios.plant_any(world, {"scenario": "throttled"}, clock.now())
    world.faults.add({"match": {"name": "web"}, "effect": "stuck_replication"}, clock.now())
    world.keep_answers = True
    assert ask("PUT", ask.vault, ask.vault_body, version="2026-11-01").status == 201
    restored = pickle.loads(pickle.dumps(world))
    assert restored.planted("stuck_replication", name="web").since == clock.now()
    assert restored.throttle.on
    assert restored.log[-1].answer.body["name"] == "vault-legacy"
    clock.advance(61)
    asked = Request("GET", ask.vault, {"api-version": "2026-11-01"})
    told = [one.handle(asked, clock.now()) for one in (world, restored)]
    assert told[0].body["properties"]["provisioningState"] == "Succeeded"
    assert told[0] == told[1]


def test_two_worlds_that_were_saved_together_give_out_the_same_ids(world):
    restored = pickle.loads(pickle.dumps(world))
    assert restored.guid() == world.guid()


def test_it_says_when_it_may_have_changed(world, clock, ask):
    seen = world.changes
    ask("GET", ask.group)
    assert world.changes == seen
    ask.make_vault()
    assert world.changes > seen
    for change in (
        lambda: world.advance(clock.advance(3600)),
        lambda: world.faults.add({"match": {}, "status": 503}),
        world.faults.clear,
        world.throttle.switch_on,
        world.reset,
    ):
        seen = world.changes
        change()
        assert world.changes > seen


def test_what_modules_keep_is_gone_after_a_reset(world):
    world.kept["mine"] = 1
    world.reset()
    assert world.kept == {}
