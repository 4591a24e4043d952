"""One run per wave on this computer."""

import json
import os
import signal
import subprocess
import sys

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.engine.local_lock import HeldHereError, Holder, lock_path, locked

HOLD = """
import sys, time, pathlib
from asr_migrate.engine.local_lock import Holder, locked
with locked(pathlib.Path(sys.argv[1]), Holder("run-a", "ann", 1, "2026-11-21T02:00:00+00:00")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return lock_path(tmp_path / "journal" / "wave1.jsonl")


def holder(run):
    return Holder(run, "bob", os.getpid(), "2026-11-21T03:00:00+00:00")


@pytest.fixture
def other(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_lock_stands_beside_the_journal_and_only_its_owner_reads_it(path):
    with locked(path, holder("a")):
        assert path.name == "wave1.jsonl.lock"
        assert path.stat().st_mode & 0o777 == 0o600
        assert json.loads(path.read_text())["run"] == "a"


def test_a_second_process_is_told_who_holds_the_wave_and_since_when(path, other):
    since = r"ann \(process 1\) since 2026-11-21T02:00:00\+00:00"
    with pytest.raises(HeldHereError, match=since) as refused, locked(path, holder("b")):
        pytest.fail("the lock was given twice")
    assert refused.value.code == "WaveHeld"
    assert json.loads(path.read_text())["run"] == "run-a"


def test_a_killed_process_gives_the_lock_free_and_the_next_knows_its_run(path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    with locked(path, holder("b")) as ended:
        assert ended == ("run-a",)


def test_runs_that_were_killed_one_after_the_other_are_all_known(path):
    for run in "abc":
        with locked(path, holder(run)):
            pass
    with locked(path, holder("d")) as ended:
        assert ended == ("c", "b", "a")


def test_only_the_latest_runs_are_remembered(path):
    for number in range(60):
        with locked(path, holder(f"run-{number:08}")):
            pass
    with locked(path, holder("last")) as ended:
        assert (len(ended), ended[0]) == (50, "run-00000059")


def test_nobody_was_before_the_first(path):
    with locked(path, holder("a")) as ended:
        assert ended == ()


@pytest.mark.parametrize("words", ["", "{", "[]", '{"run": "a"}', "\x00" * 50])
def test_words_that_cannot_be_read_name_nobody(path, words):
    path.parent.mkdir()
    path.write_text(words)
    with locked(path, holder("b")) as ended:
        assert ended == ()
    with locked(path, holder("c")) as ended:
        assert ended == ("b",)


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "x.lock"
    with pytest.raises(SetupError, match="cannot be used") as refused, locked(path, holder("a")):
        pytest.fail("there is no such folder")
    assert "asr_journal_dir" in refused.value.remedy
