"""Putting a host back: exactly what was there before, whatever was interrupted; another's change is left alone."""

import itertools

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.plan import Plan, Restorable, blocker
from asr_migrate.hosts.prepare import HostNotReadyError, prepare, restore
from asr_migrate.hosts.prior import Prior
from asr_migrate.keeping.files import FileStore
from asr_migrate.keeping.record import Record

from .toy_host import Killed, ToyHost, ToyProfile

BEFORE = {"a": "1", "b": "2", "other": "x"}
PROFILE = ToyProfile(a="9", b="8", new="7")


class Story:
    """One host with its record, prepared and put back as often as a test likes."""

    def __init__(self, folder, clock):
        self.host = ToyHost(**BEFORE)
        self.record = Record("app-1", FileStore(folder / "prior", "app-1"))
        self.clock = clock

    def prepare(self, profile=PROFILE, **options):
        return prepare(profile, self.host.send, self.clock, keep=self._keep, **options)

    def restore(self, **options):
        priors = self.record.load()
        return restore(PROFILE, priors, self.host.send, self.clock, leave=self._leave, **options)

    def _keep(self, priors):
        self.host.step()
        self.record.add(priors)
        self.host.step()

    def _leave(self, priors):
        self.host.step()
        self.record.leave(priors)
        self.host.step()

    def killed(self, call, kill_at):
        """Let a call be killed at a step; return whether it was, and did not end before."""
        self.host.steps, self.host.kill_at = 0, kill_at
        try:
            call()
        except Killed:
            return True
        finally:
            self.host.kill_at = None
        return False


@pytest.fixture
def story(tmp_path, clock):
    return Story(tmp_path, clock)


def test_a_host_is_put_back_to_what_it_was_in_three_round_trips_and_leaves_no_record(story, tmp_path):
    story.prepare()
    assert story.host.values == BEFORE | PROFILE.wanted
    result = story.restore()
    assert story.host.values == BEFORE
    assert result["round_trips"] == 3
    assert result["changed"] is True
    assert list((tmp_path / "prior").iterdir()) == []


def test_the_record_is_written_before_the_first_change(story):
    def refuse(priors):
        raise OSError(28, f"no space left for {len(priors)}")

    with pytest.raises(OSError, match="no space left for 3"):
        prepare(PROFILE, story.host.send, story.clock, keep=refuse)
    assert story.host.names == ["probe"]
    assert story.host.values == BEFORE


def test_a_second_restore_changes_nothing_and_costs_one_round_trip(story):
    story.prepare()
    story.restore()
    again = story.restore()
    assert (again["changed"], again["round_trips"], again["changes"]) == (False, 1, [])


def test_check_mode_tells_what_would_be_put_back_and_leaves_host_and_record(story):
    story.prepare()
    recorded = story.record.load()
    result = story.restore(change=False)
    assert result["changed"] is True
    assert result["diff"]["before"] == "a: 9\nb: 8\nnew: 7\n"
    assert result["diff"]["after"] == "a: 1\nb: 2\nnew: absent\n"
    assert story.host.values == BEFORE | PROFILE.wanted
    assert story.record.load() == recorded


def test_what_somebody_else_changed_since_is_left_alone_said_and_stays_on_record(story):
    story.prepare()
    story.host.values["a"] = "theirs"
    result = story.restore()
    assert story.host.values == BEFORE | {"a": "theirs"}
    assert [finding["rule"] for finding in result["findings"]] == ["restore.changed-since"]
    assert [prior.name for prior in story.record.load()] == ["a"]


def test_with_force_it_is_put_back_too(story):
    story.prepare()
    story.host.values["a"] = "theirs"
    story.restore(force=True)
    assert story.host.values == BEFORE
    assert story.record.load() == ()


def test_a_host_that_was_prepared_twice_with_other_wishes_goes_back_to_the_very_first_values(story):
    story.prepare()
    story.prepare(ToyProfile(a="10", c="11"))
    story.restore()
    assert story.host.values == BEFORE


def test_what_somebody_changed_between_two_preparations_is_not_taken_for_ours(story):
    story.prepare(ToyProfile(a="9"))
    story.host.values["a"] = "theirs"
    story.prepare(ToyProfile(a="10"))
    story.restore()
    assert story.host.values["a"] == "10"
    assert story.record.load() == (Prior("toy", "a", {"text": "1"}, {"text": "9"}),)


def test_a_blocker_forbids_putting_back_and_the_record_stays(story):
    story.prepare()
    recorded = story.record.load()

    class Blocked(ToyProfile):
        def restoration(self, reading, priors, **options):
            plan = super().restoration(reading, priors, **options)
            stop = blocker("toy.stop", "app-1 is read-only", "Mount it writable.", "ours")
            return Plan((stop,), plan.changes, plan.exchanges)

    blocked = Blocked()
    with pytest.raises(HostNotReadyError, match="read-only"):
        restore(blocked, recorded, story.host.send, story.clock, leave=story.record.leave)
    said = restore(blocked, recorded, story.host.send, story.clock, leave=story.record.leave, refuse=False)
    assert said["changed"] is False
    assert story.record.load() == recorded


#: More steps than a call has; a kill at a later step is no kill.
STEPS = range(12)


@pytest.mark.parametrize(("in_prepare", "in_restore"), list(itertools.product(STEPS, STEPS)))
def test_killed_anywhere_in_preparing_and_in_putting_back_and_run_again_the_host_is_as_before(
    story, in_prepare, in_restore
):
    if story.killed(story.prepare, in_prepare):
        story.prepare()
    assert story.host.values == BEFORE | PROFILE.wanted
    if story.killed(story.restore, in_restore):
        story.restore()
    assert story.host.values == BEFORE
    assert story.record.load() == ()


@pytest.mark.parametrize(("first", "second"), list(itertools.product(STEPS, STEPS)))
def test_preparing_killed_twice_and_never_ended_can_still_be_taken_back(story, first, second):
    story.killed(story.prepare, first)
    story.killed(story.prepare, second)
    story.restore()
    assert story.host.values == BEFORE
    assert story.record.load() == ()


def test_sources_of_both_families_can_be_put_back():
    assert isinstance(profiles.make("source", Os.LINUX, "db-1", {}), Restorable)
    assert isinstance(profiles.make("source", Os.WINDOWS, "app-1", {}), Restorable)
