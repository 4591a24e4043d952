"""A disk that is full in the middle of a run, as a real process: what was sent is named, and nothing more is sent."""

import json

import pytest

LIMIT = 8192
LIMITED = ("sh", "-c", f'ulimit -f {LIMIT // 512}; exec "$@"', "sh")
ITEM = "/replicationProtectedItems/"


def filled(path, room):
    """Make a journal that has room for so many bytes more."""
    path.parent.mkdir(parents=True)
    path.write_text("x" * (LIMIT - room - 1) + "\n")


def asked(lines):
    """Return the machines that a journal's whole lines say a request was about to be sent for."""
    told = [json.loads(line) for line in lines if line.startswith('{"schema"') and line.endswith("}")]
    return [one["path"].rpartition(ITEM)[2] for one in told if one["event"] == "sending" and ITEM in one["path"]]


@pytest.mark.parametrize("room", [2600, 2900, 3200, 3500, 3800])
def test_a_run_whose_journal_is_full_sends_nothing_more_names_what_goes_on_and_gives_the_wave_back(
    story, tmp_path, room
):
    journal = tmp_path / "ann" / "w.jsonl"
    filled(journal, room)

    async def play(controllers):
        controllers.slow()
        process = await controllers.start("ann", command=LIMITED, PYTHONDONTWRITEBYTECODE="1")
        result = await controllers.result(process)
        return result, controllers.jobs("EnableDr"), controllers.leases

    result, jobs, leases = story(play)
    assert leases == []
    assert set(asked(journal.read_text().split("\n"))) >= set(jobs), "no change without evidence"
    assert f"no further writes: the journal {journal} cannot be written (File too large)" in result["stopped"]
    assert set(result["going_on"]) == set(jobs), "what was sent is named"
    failed = {name: machine["error"] for name, machine in result["machines"].items() if name not in jobs}
    assert {error["code"] for error in failed.values()} <= {"JournalUnwritable", "Stopped"}
    assert all("was not sent" in error["message"] for error in failed.values() if error["code"] != "Stopped")


def test_a_run_that_finds_no_room_for_its_first_line_sends_nothing(story, tmp_path):
    journal = tmp_path / "ann" / "w.jsonl"
    filled(journal, 60)

    async def play(controllers):
        result = await controllers.result(await controllers.start("ann", command=LIMITED, PYTHONDONTWRITEBYTECODE="1"))
        return result, controllers.lab.world.writes, controllers.leases

    result, writes, leases = story(play)
    assert result["error"]["code"] == "JournalUnwritable"
    assert "PATCH tags/default was not sent" in result["msg"]
    assert (writes, leases) == ([], [])
