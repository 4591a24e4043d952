"""How often the vault is looked at, and how long the rest takes."""

import random

import pytest

from asr_migrate.engine.pace import IDLE_S, JITTER, QUIET_AFTER_S, SOON_S, STEADY_S, Pace, Progress, in_words


@pytest.fixture
def pace():
    return Pace(random.Random(1))


def near(found, wanted):
    return wanted * (1 - JITTER) <= found <= wanted * (1 + JITTER)


def test_a_change_that_is_near_is_looked_for_every_quarter_of_a_minute(pace):
    assert near(pace.rest_s(True, "a", 0), SOON_S)


def test_steady_replication_is_looked_at_each_minute(pace):
    assert near(pace.rest_s(False, "a", 0), STEADY_S)


def test_when_nothing_has_changed_for_a_quarter_of_an_hour_five_minutes_are_enough(pace):
    pace.rest_s(False, "a", 0)
    assert near(pace.rest_s(False, "a", QUIET_AFTER_S), IDLE_S)


def test_any_change_ends_the_long_rests(pace):
    pace.rest_s(False, "a", 0)
    pace.rest_s(False, "a", QUIET_AFTER_S)
    assert near(pace.rest_s(False, "b", QUIET_AFTER_S + 300), STEADY_S)


def test_two_runs_do_not_look_in_the_same_moments():
    assert Pace(random.Random(1)).spread(60) != Pace(random.Random(2)).spread(60)


def test_the_remaining_time_follows_from_the_pace_of_the_last_half_hour():
    progress = Progress()
    for minute, share in ((0, 1.0), (10, 2.0), (40, 20.0), (50, 30.0), (60, 40.0)):
        progress.add(share, minute * 60)
    assert progress.eta_s(60 * 60) == pytest.approx(60 * 60)


def test_one_share_alone_says_nothing_of_the_remaining_time():
    progress = Progress()
    progress.add(10.0, 0)
    progress.add(10.0, 60)
    assert progress.eta_s(60) is None


def test_a_share_that_falls_begins_anew_because_the_disks_are_copied_again():
    progress = Progress()
    for minute, share in ((0, 50.0), (10, 90.0), (20, 5.0)):
        progress.add(share, minute * 60)
    assert progress.eta_s(20 * 60) is None


def test_how_long_a_share_has_not_moved():
    progress = Progress()
    assert progress.unmoved_s(100) == 0
    progress.add(5.0, 100)
    progress.add(5.0, 900)
    assert progress.unmoved_s(1000) == 900


def test_a_copy_of_which_no_share_is_told_has_not_moved_since_it_began():
    progress = Progress()
    progress.copying(True, 100)
    progress.copying(True, 400)
    assert progress.unmoved_s(1000) == 900
    progress.add(5.0, 700)
    assert progress.unmoved_s(1000) == 300
    progress.copying(False, 1100)
    progress.copying(True, 2000)
    assert progress.unmoved_s(2100) == 100


@pytest.mark.parametrize(("seconds", "words"), [(5, "1 min"), (2400, "40 min"), (3 * 3600, "3 h")])
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words
