"""What tells a machine from another of its name, and that neither gets what is on record of the other."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.identity import conflict, identity, words
from asr_migrate.hosts.prepare import prepare, restore
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.prior_record import OtherMachineError
from asr_migrate.hosts.windows_probe import CRYPTOGRAPHY
from asr_migrate.keeping.files import FileStore
from asr_migrate.keeping.record import Record

UUID, SWAPPED = "ec2e1916-9099-7caf-fd21-012345abcdef", "16192eec-9990-af7c-fd21-012345abcdef"
SHADOW = Prior("shadow", "root", {"field": "$6$theirs", "changed": "1"}, {"field": "$6$ours$x", "changed": "2"})


def test_values_have_one_spelling_and_what_says_nothing_is_left_out():
    assert identity({"asset_tag": "i-0123456789abcdef0 ", "machine_id": UUID.replace("-", "")}) == {
        "asset_tag": "i-0123456789abcdef0",
        "machine_id": UUID,
    }
    assert identity({"machine_guid": UUID.upper()}) == {"machine_guid": UUID}
    blank = {"asset_tag": "Not Specified", "product_uuid": "Not Settable", "hypervisor_uuid": "0" * 32}
    assert identity(blank) == {}
    assert words({}) == ""


def test_a_kernel_that_turns_the_first_bytes_of_the_firmware_s_uuid_shows_the_same_machine():
    assert identity({"product_uuid": UUID}) == identity({"product_uuid": SWAPPED}) != {}
    assert identity({"hypervisor_uuid": UUID}) != identity({"hypervisor_uuid": SWAPPED})


@pytest.mark.parametrize(
    ("recorded", "seen", "differ"),
    [
        ({"asset_tag": "i-1"}, {"asset_tag": "i-1"}, None),
        ({"asset_tag": "i-1", "machine_id": "a"}, {"asset_tag": "i-1", "machine_id": "b"}, None),
        ({"asset_tag": "i-1", "machine_id": "a"}, {"asset_tag": "i-2", "machine_id": "a"}, ("i-1", "i-2")),
        ({"machine_id": "a"}, {"asset_tag": "i-2", "machine_id": "b"}, ("machine_id a", "machine_id b")),
        ({"machine_id": "a"}, {"asset_tag": "i-2"}, None),
        ({}, {"machine_id": "b"}, None),
    ],
)
def test_the_strongest_kind_that_both_tell_decides(recorded, seen, differ):
    told = conflict(recorded, seen)
    assert (told is None) == (differ is None)
    assert all(word in text for word, text in zip(differ or (), told or (), strict=True))


@pytest.fixture
def record(tmp_path):
    return Record("db-1", FileStore(tmp_path / "prior", "db-1"))


def linux(kit, tag, **files):
    return kit.answer(kit.linux({"asset_tag": tag}, files).stdout())


def windows(kit, guid):
    said = kit.windows().stdout() + f"\r\n@@ machine\n{kit.registry(CRYPTOGRAPHY, MachineGuid=guid)}"
    return kit.answer(said)


MINE, THEIRS = "i-0123456789abcdef0", "i-0fedcba9876543210"
OTHER = UUID.replace("e", "d")
HOSTS = [
    (Os.LINUX, {"push": True, "root_password": "Root-1!"}, linux, MINE, THEIRS),
    (Os.WINDOWS, {"push": True}, windows, UUID, OTHER),
]


@pytest.mark.parametrize(("family", "want", "answer", "mine", "theirs"), HOSTS)
def test_a_record_is_not_mixed_with_another_machine_s(kit, clock, record, family, want, answer, mine, theirs):
    profile = profiles.make("source", family, "db-1", want)
    record.check(profile.read(answer(kit, theirs)).machine)
    record.add((SHADOW,))
    send = kit.recorder(answer(kit, mine))
    with pytest.raises(OtherMachineError) as refused:
        prepare(profile, send, clock, keep=record.add, check=record.check)
    assert send.names == ["probe"]
    assert record.load() == (SHADOW,)
    for said in (record.place, mine, theirs):
        assert said in refused.value.message
    assert "asr_prior_dir" in refused.value.remedy


@pytest.mark.parametrize(("family", "want", "answer", "mine", "theirs"), HOSTS)
def test_a_machine_is_not_put_back_to_what_another_was(kit, clock, record, family, want, answer, mine, theirs):
    profile = profiles.make("source", family, "db-1", {})
    record.check(profile.read(answer(kit, theirs)).machine)
    record.add((SHADOW,))
    send = kit.recorder(answer(kit, mine))
    with pytest.raises(OtherMachineError):
        restore(profile, record.load(), send, clock, leave=record.leave, check=record.check)
    assert len(send.names) == 1
    assert record.load() == (SHADOW,)


def test_a_record_that_names_no_machine_is_restored_and_is_the_machine_s_from_then_on(kit, clock, record):
    record.add((SHADOW,))
    profile = profiles.make("source", Os.LINUX, "db-1", {})
    send = kit.recorder(linux(kit, MINE))
    result = restore(profile, record.load(), send, clock, leave=record.leave, check=record.check, change=False)
    assert result["changed"] is False
    record.check({"asset_tag": MINE})
    record.add((SHADOW,))
    with pytest.raises(OtherMachineError):
        record.check({"asset_tag": THEIRS})
    record.check({})


def test_two_machines_of_one_name_get_different_hashes_of_one_password(kit):
    fields = set()
    for tag in (MINE, THEIRS, MINE):
        profile = profiles.make("source", Os.LINUX, "db-1", {"push": True, "root_password": "Root-1!"})
        plan = profile.plan(profile.read(linux(kit, tag)))
        fields.add(next(item.after["field"] for item in plan.prior if item.kind == "shadow"))
        assert profile.secrets[-1] in fields
    assert len(fields) == 2
