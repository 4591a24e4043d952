"""Recovery points: which there are, what they are called, and when none come."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import Gap, Replication
from asr_lab.arm.world import World


def listed(ready):
    return ready.lab.get(f"{ready.item}/recoveryPoints")["value"]


def times(points):
    return [datetime.fromisoformat(point["properties"]["recoveryPointTime"]) for point in points]


def test_there_is_no_recovery_point_before_the_item_is_protected(ready):
    ready.lab.do("PUT", ready.item, ready.enable_body())
    assert listed(ready) == []


def test_the_newest_hour_has_a_point_each_five_minutes_and_older_hours_have_one(ready):
    ready.protect()
    ready.lab.advance(6 * 3600)
    found = times(listed(ready))
    gaps = [newer - older for newer, older in pairwise(found)]
    assert set(gaps[:12]) == {timedelta(minutes=5)}
    assert set(gaps[13:]) == {timedelta(hours=1)}
    assert len(found) < 20


def test_points_older_than_the_policy_keeps_them_are_gone(ready):
    ready.protect()
    ready.lab.advance(3 * 86400)
    found = times(listed(ready))
    assert found[0] - found[-1] <= timedelta(hours=24)


def test_a_point_keeps_its_name_and_time_between_two_reads(ready):
    ready.protect()
    ready.lab.advance(1800)
    before = listed(ready)
    ready.lab.advance(600)
    after = listed(ready)
    assert [point["name"] for point in before] == [point["name"] for point in after[2:]]
    assert times(before) == times(after)[2:]


def test_a_point_can_be_read_alone_whatever_the_case_of_its_name(ready):
    ready.protect()
    point = listed(ready)[0]
    assert ready.lab.get(point["id"].replace(point["name"], point["name"].upper())) == point


def test_a_point_that_is_not_there_is_a_404(ready):
    ready.protect()
    assert ready.lab.ask("GET", f"{ready.item}/recoveryPoints/none").status == 404


def test_the_item_names_its_newest_point_under_the_alias_of_the_container(modern):
    modern.protect()
    modern.lab.advance(700)
    newest = listed(modern)[0]["name"]
    shown = modern.properties()["providerSpecificDetails"]["lastRecoveryPointId"]
    assert shown.endswith(f"/recoveryPoints/{newest}")
    assert "/replicationProtectionContainers/cloud_" in shown


def test_the_rpo_grows_until_the_next_point(modern):
    modern.protect()
    modern.lab.advance(3600)
    first = modern.properties()["providerSpecificDetails"]["lastRpoInSeconds"]
    modern.lab.advance(60)
    second = modern.properties()["providerSpecificDetails"]["lastRpoInSeconds"]
    assert 0 <= first < 300
    assert second in (first + 60, first + 60 - 300)


def test_no_point_comes_after_a_failover(ready):
    ready.protect()
    ready.lab.advance(1200)
    ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())
    before = listed(ready)
    ready.lab.advance(7200)
    assert listed(ready) == before


def test_points_of_a_policy_with_application_consistency_say_so(modern):
    settings = modern.lab.get(modern.policy)["properties"]["providerSpecificDetails"]
    modern.lab.do(
        "PATCH",
        modern.policy,
        {
            "properties": {
                "replicationProviderSettings": {
                    "instanceType": settings["instanceType"],
                    "recoveryPointHistoryInMinutes": 1440,
                    "crashConsistentFrequencyInMinutes": 5,
                    "appConsistentFrequencyInMinutes": 60,
                    "enableMultiVmSync": "false",
                }
            }
        },
    )
    modern.protect()
    modern.lab.advance(4000)
    kinds = [point["properties"]["recoveryPointType"] for point in listed(modern)]
    assert kinds.count("ApplicationConsistent") == 2
    assert set(kinds) == {"ApplicationConsistent", "CrashConsistent"}


@pytest.fixture
def protected(modern):
    """An item as the world keeps it, and the time."""
    modern.protect()
    world: World = modern.lab.world
    return world.resources.get(modern.item), modern.lab


def test_a_gap_that_is_over_leaves_a_hole_in_the_points(protected):
    item, lab = protected
    replication: Replication = item.replication
    lab.advance(3600)
    began = replication.protected_at + timedelta(minutes=21)
    replication.gaps.append(Gap(began, "unreachable", began + timedelta(minutes=18)))
    inside = [one for one in timeline.points(item, lab.now) if began < one.at < began + timedelta(minutes=18)]
    assert inside == []
    assert len(timeline.points(item, lab.now)) >= 8


def test_reading_does_not_change_an_item(protected):
    item, lab = protected
    lab.advance(100)
    before = repr(item)
    for _ in range(3):
        timeline.points(item, lab.now)
        timeline.allowed_operations(item, lab.now)
        lab.get(item.id)
    assert repr(item) == before
