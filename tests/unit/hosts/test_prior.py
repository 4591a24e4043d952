"""Prior values: how a record grows, how it is written down and read, and that a damaged one is never written over."""

import json
import stat

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts.prior import Prior, merged
from asr_migrate.hosts.prior_record import Recorded, RecordUnreadableError, decode, encode
from asr_migrate.keeping.files import FileStore
from asr_migrate.keeping.record import Record

HOSTS = Prior("file", "/etc/hosts", {"content": "127.0.0.1 lo\udce9\n", "mode": "0644"}, {"content": "more"})
KEY = Prior("registry", "HKLM\\SYSTEM\\X\\\\Value", None, {"type": "REG_DWORD", "data": "0x1"})
ROOT = Prior("shadow", "root", {"field": "$6$old", "changed": "19700"}, {"field": "$6$new", "changed": "20000"})


ME = {"asset_tag": "i-0123456789abcdef0", "machine_id": "5f1d"}


@pytest.fixture
def record(tmp_path):
    return Record("app-1", FileStore(tmp_path / "prior", "app-1"))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_before_stays_and_after_follows_our_own_changes():
    newer = Prior("file", "/etc/hosts", HOSTS.after, {"content": "even more"})
    assert merged((HOSTS,), (newer, KEY)) == (
        Prior("file", "/etc/hosts", HOSTS.before, {"content": "even more"}),
        KEY,
    )


def test_a_change_that_was_never_made_is_planned_anew():
    other = Prior("file", "/etc/hosts", HOSTS.before, {"content": "other"})
    assert merged((HOSTS,), (other,)) == (other,)


def test_a_pair_that_somebody_s_change_came_between_stands():
    assert merged((HOSTS,), (Prior("file", "/etc/hosts", {"content": "theirs"}, {"content": "x"}),)) == (HOSTS,)


def test_a_record_is_read_as_it_was_written_bytes_that_are_no_text_included():
    assert decode(encode("app-1", (HOSTS, KEY, ROOT), ME), "app-1", "there") == Recorded((HOSTS, KEY, ROOT), ME)


def test_only_a_secret_kind_has_secrets():
    assert HOSTS.secrets == ()
    assert set(ROOT.secrets) >= {"$6$old", "$6$new"}


def test_a_record_is_its_owner_s_alone_and_nothing_is_left_beside_it(record, tmp_path):
    record.add((HOSTS,))
    directory = tmp_path / "prior"
    assert [path.name for path in directory.iterdir()] == ["app-1.json"]
    assert (mode(directory), mode(directory / "app-1.json")) == (0o700, 0o600)


def test_a_file_that_a_kill_left_beside_the_record_is_used_up_by_the_next_one(record, tmp_path):
    record.add((HOSTS,))
    beside = tmp_path / "prior" / ".app-1.json.new"
    beside.write_text('{"schema":')
    beside.chmod(0o644)
    assert record.load() == (HOSTS,)
    record.add((KEY,))
    assert not beside.exists()
    assert mode(tmp_path / "prior" / "app-1.json") == 0o600
    beside.write_text("half")
    record.leave(())
    assert list((tmp_path / "prior").iterdir()) == []


def test_a_record_of_nothing_is_removed_and_one_that_is_not_there_is_empty(record, tmp_path):
    record.leave(())
    assert record.load() == ()
    record.add((HOSTS, KEY))
    record.leave((KEY,))
    assert record.load() == (KEY,)
    record.leave(())
    assert list((tmp_path / "prior").iterdir()) == []


def test_a_name_that_is_a_path_stays_in_the_directory(tmp_path):
    Record("../app", FileStore(tmp_path / "prior", "../app")).add((HOSTS,))
    assert [path.name for path in (tmp_path / "prior").iterdir()] == ["..%2Fapp.json"]


def damaged(**changed):
    data = json.loads(encode("app-1", (ROOT,), ME))
    return json.dumps(data | changed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is damaged: it is not JSON"),
        (encode("app-1", (ROOT,), ME)[:90], "is damaged: it is not JSON"),
        ("[]", "is damaged: it has the schema number None"),
        (damaged(schema="1"), "is damaged: it has the schema number '1'"),
        (damaged(schema=3), "has schema 3; this version of asr.migrate reads up to 2"),
        (damaged(schema=0), "is damaged: schema: Input should be 1 or 2"),
        (damaged(host="web-1"), "is the record of host 'web-1', not of 'app-1'"),
        (damaged(priors=[{"kind": "shadow"}]), "is damaged: priors.0.name: Field required"),
        (damaged(priors=[{"kind": "shadow", "name": "root", "before": "$6$old", "after": None}]), "priors.0.before"),
        ("\udcff", "is damaged: it is not JSON"),
    ],
)
def test_a_record_that_cannot_be_read_is_named_and_never_written_over(record, tmp_path, text, said):
    path = tmp_path / "prior" / "app-1.json"
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    for call in (record.load, lambda: record.add((KEY,)), lambda: record.leave((KEY,))):
        with pytest.raises(RecordUnreadableError) as refused:
            call()
        assert said in refused.value.message
        assert str(path) in refused.value.message
        assert refused.value.remedy
        assert "$6$" not in str(refused.value.as_dict())
    assert path.read_bytes() == before


def test_a_directory_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "prior").write_text("a file")
    store = FileStore(tmp_path / "prior" / "below", "app-1")
    with pytest.raises(SetupError, match="cannot be read") as refused:
        Record("app-1", store).add((HOSTS,))
    assert "asr_prior_dir" in refused.value.remedy


def test_a_record_of_the_first_schema_names_no_machine():
    data = json.loads(encode("app-1", (ROOT,), ME)) | {"schema": 1}
    del data["machine"]
    assert decode(json.dumps(data), "app-1", "there") == Recorded((ROOT,), {})


def test_the_machine_stays_named_when_things_leave_the_record(record, tmp_path):
    record.check(ME)
    record.add((HOSTS, KEY))
    again = Record("app-1", FileStore(tmp_path / "prior", "app-1"))
    again.leave((KEY,))
    assert json.loads((tmp_path / "prior" / "app-1.json").read_text())["machine"] == ME
