"""The state file: who can read it, what is refused, and that nothing but records is loaded."""

import pickle
import stat
from datetime import UTC, datetime
from functools import partial

import pytest

from asr_lab.arm import state_file
from asr_lab.arm.landing_zone import seed
from asr_lab.arm.state_file import StateFileUnusable, StateNotKept
from asr_lab.arm.world import World

NOW = datetime(2026, 4, 1, 8, tzinfo=UTC)


@pytest.fixture
def world():
    made = World(seed=3)
    seed(made, NOW)
    return made


@pytest.fixture
def path(tmp_path, world):
    found = tmp_path / "world.state"
    state_file.write(found, state_file.snapshot(world, NOW, parts={"blocked": [["a", "b", "9443"]]}))
    return found


def refusal(path):
    other = World()
    with pytest.raises(StateFileUnusable) as refused:
        state_file.restore(path, other)
    assert len(other.resources) == 0
    assert str(path) in str(refused.value)
    assert "lab up --fresh" in str(refused.value)
    return refused.value.reason


def test_only_its_owner_can_read_it_and_no_half_file_is_left(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["world.state"]


def test_time_and_what_stands_beside_the_world_come_back(path, world):
    other = World()
    saved = state_file.restore(path, other)
    assert (saved.now, saved.parts) == (NOW, {"blocked": [["a", "b", "9443"]]})
    assert list(other.resources.ids()) == list(world.resources.ids())
    assert other.seed == 3


def test_the_lock_and_the_hosts_are_those_of_the_new_world(path):
    world = World()
    lock, hosts = world.lock, world.hosts
    state_file.restore(path, world)
    assert world.lock is lock
    assert world.hosts is hosts


class Person:
    """Stands for an object of the lab that the file only names."""

    def __init__(self):
        self.called = []

    def call(self, due):
        self.called.append(due)


def test_what_the_lab_makes_anew_is_named_and_not_written(world, tmp_path):
    path, before, after = tmp_path / "world.state", Person(), Person()
    world.after(NOW, 60, partial(world.effect, "stuck_replication"))
    content = state_file.snapshot(world, NOW, outside={"person": before})
    state_file.write(path, content)
    state_file.restore(path, World(), outside={"person": after})
    assert b"Person" not in content


def test_a_name_that_the_lab_does_not_have_is_refused(world, tmp_path):
    path, person = tmp_path / "world.state", Person()
    world.faults.person = person
    state_file.write(path, state_file.snapshot(world, NOW, outside={"person": person}))
    assert refusal(path) == "it refers to 'person', which this lab does not have"


@pytest.mark.parametrize("cut", [10, 400, -1])
def test_a_damaged_file_is_refused(path, cut):
    path.write_bytes(path.read_bytes()[:cut])
    assert "damaged" in refusal(path) or "not a state file" in refusal(path)


def test_a_changed_byte_is_noticed(path):
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.write_bytes(raw)
    assert refusal(path) == "it is damaged: its checksum does not fit"


@pytest.mark.parametrize("content", [b"", b"# a text\n", pickle.dumps({"world": {}})])
def test_a_foreign_file_is_refused(path, content):
    path.write_bytes(content)
    assert refusal(path) == "it is not a state file of the lab"


def test_a_newer_format_is_refused(path):
    path.write_bytes(path.read_bytes().replace(b"asr-lab-state 1 ", b"asr-lab-state 2 ", 1))
    assert refusal(path) == "its format is 2, this version reads format 1"


def test_another_version_of_the_package_is_refused(path):
    mine = f'"version":"{state_file.package_version()}"'.encode()
    path.write_bytes(path.read_bytes().replace(mine, b'"version":"99.0.0"', 1))
    assert "version 99.0.0 of the package wrote it" in refusal(path)


def test_records_with_other_fields_are_refused(path):
    head, _, rest = path.read_bytes().partition(b'exchange_log.ExchangeLog":"')
    path.write_bytes(head + b'exchange_log.ExchangeLog":"' + b"00000000" + rest[8:])
    assert refusal(path) == "its records of ExchangeLog have other fields than this version's"


class Evil:
    """Pickles as a call of a function that is no part of the lab."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ((print, "hello"), "builtins.print"),
        ((getattr, "text", "__class__"), "__class__ of builtins.str"),
        ((getattr, "text", "upper"), "upper of builtins.str"),
        ((seed, 1, 2), "asr_lab.arm.landing_zone.seed"),
    ],
)
def test_nothing_but_records_of_the_lab_is_loaded(world, tmp_path, call, named, capsys):
    path = tmp_path / "world.state"
    world.faults.evil = Evil(*call)
    state_file.write(path, state_file.snapshot(world, NOW))
    assert named in refusal(path)
    assert capsys.readouterr().out == ""


def test_a_callback_that_no_file_can_hold_is_named(world):
    world.after(NOW, 60, lambda due: None)
    with pytest.raises(StateNotKept, match="test_a_callback_that_no_file_can_hold_is_named"):
        state_file.snapshot(world, NOW)


def test_an_old_file_is_kept_aside(path):
    old = state_file.keep_aside(path)
    assert old.name == "world.state.old"
    assert not path.exists()
    assert state_file.keep_aside(path) is None
