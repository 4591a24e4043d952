"""What the engine mends by itself, and how often."""

from collections import Counter

import pytest

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Goal, Observation, Stage, Verb
from asr_migrate.engine import remedies

FINAL = ServiceError("no", code="28031")
TRANSIENT = ServiceError("not now", code="503", transient=True)


def test_a_clean_up_that_failed_is_asked_for_again_and_said_before(story):
    story.reach_all(Goal.PROTECTED, Goal.TEST_RUNNING)
    story.vault.failing["web", "testFailoverCleanup"] = "28031"
    result = story.reach(Goal.TESTED).machines["web"]
    assert result.reached
    assert story.vault.sent.count(("web", "testFailoverCleanup")) == 2
    assert len(result.remedies) == 1
    said = [number for number, line in enumerate(story.lines) if "remedy: remove the test VM again (1 of 2)" in line]
    assert said


def test_a_clean_up_is_asked_for_again_twice_and_then_told(story):
    story.reach_all(Goal.PROTECTED, Goal.TEST_RUNNING)
    story.vault.on_sweep = lambda: story.vault.failing.update({("web", "testFailoverCleanup"): "28031"})
    outcome = story.reach(Goal.TESTED)
    assert outcome.machines["web"].error.code == "28031"
    assert outcome.machines["db"].reached
    assert story.vault.sent.count(("web", "testFailoverCleanup")) == 3


@pytest.mark.parametrize("verb", [Verb.REPLICATE, Verb.TEST_FAILOVER, Verb.FAIL_OVER, Verb.DISCOVER])
def test_what_is_for_a_person_is_not_mended(verb):
    assert remedies.retry(verb, TRANSIENT, Counter()) is None


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.COMMIT, Verb.COMPLETE, Verb.STOP_REPLICATION])
def test_a_final_error_is_not_tried_again_and_a_transient_one_is_bounded(verb):
    used = Counter()
    assert remedies.retry(verb, FINAL, used) is None
    assert [bool(remedies.retry(verb, TRANSIENT, used)) for _ in range(4)] == [True, True, False, False]


def test_critical_health_with_resync_on_offer_is_mended_once(story):
    story.reach_all(Goal.PROTECTED)
    item = story.vault.items["web"]["properties"]
    item["replicationHealth"] = "Critical"
    item["allowedOperations"] = [*item["allowedOperations"], "RepairReplication"]

    def heal():
        if ("web", "repairReplication") in story.vault.sent and not story.vault.running:
            item["replicationHealth"] = "Normal"
            item["allowedOperations"] = ["UnplannedFailover", "DisableProtection", "TestFailover"]

    story.vault.on_sweep = heal
    outcome = story.reach(Goal.PROTECTED)
    assert outcome.machines["web"].reached
    assert outcome.machines["web"].remedies == (remedies.RESYNC_WORDS,)
    assert story.vault.sent.count(("web", "repairReplication")) == 1


def test_check_mode_lists_the_resync_that_a_run_sends(story):
    story.reach_all(Goal.PROTECTED)
    item = story.vault.items["web"]["properties"]
    item["replicationHealth"] = "Critical"
    assert story.reach(Goal.PROTECTED, check_mode=True).writes == ()
    item["allowedOperations"] = [*item["allowedOperations"], "RepairReplication"]
    (write,) = story.reach(Goal.PROTECTED, check_mode=True).writes
    assert (write.machine, write.path) == ("web", "replicationProtectedItems/web/repairReplication")
    story.vault.sent.clear()
    story.reach(Goal.PROTECTED, timeout_s=60)
    assert story.vault.sent == [("web", "repairReplication")]


def test_resync_is_not_for_a_machine_that_has_failed_over():
    seen = Observation(Stage.FAILED_OVER, frozenset({"RepairReplication"}), health="Critical")
    assert remedies.resync(seen, Goal.PROTECTED, Counter()) is None


def test_a_server_that_stays_unknown_lets_the_appliance_refresh_once(story):
    story.vault.sources.pop()
    story.reach(Goal.PROTECTED, timeout_s=7200)
    assert story.vault.sent.count(("", "refreshProvider")) == 1
    assert any("remedy: refresh the appliance's provider" in line for line in story.lines)
