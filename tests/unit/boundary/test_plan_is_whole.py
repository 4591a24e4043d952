"""What a run sends is a part of what its plan lists, goal by goal."""

import asyncio
import json
from collections import Counter

import pytest

from .conftest import Playbooks
from .test_quiesce import Hook

VERBS = ("replicate", "test_failover", "clean_up_test", "failover", "complete_migration", "stop_replication")


def shown(write):
    """Return a request of the lab's log as the plan writes it: method and the end of its path."""
    segments = [part for part in write["path"].split("/") if part]
    lowered = [part.lower() for part in segments]
    below = segments[len(lowered) - lowered[::-1].index("providers") + 1 :]
    return f"{write['method']} {'/'.join(below[-3:] if len(below) % 2 else below[-2:])}"


def without_name(request):
    """Return a request without the name that Site Recovery gives what it is about (plans list inventory names)."""
    method, _, path = request.partition(" ")
    parts = path.split("/")
    return " ".join([method, *(part for number, part in enumerate(parts) if number != 1)])


async def plan(playbooks, verb, **variables):
    """Return what ``asr-migrate plan --json`` prints for one goal."""
    process = await playbooks.start("plan", verb, "--json", stderr=asyncio.subprocess.DEVNULL, **variables)
    code, text = await playbooks.ended(process)
    assert code == 0, text
    return text


@pytest.mark.parametrize("verbs", [VERBS[:5], (VERBS[0], VERBS[5])], ids=["the whole way", "leaving"])
def test_what_a_run_sends_stands_in_its_plan(story, tmp_path, verbs):
    hook = Hook(tmp_path)

    async def play(controllers):
        playbooks, found = Playbooks(controllers, tmp_path), []
        for verb in verbs:
            variables = {"asr_quiesce_commands": hook.commands} if verb == "failover" else {}
            text = await plan(playbooks, verb, **variables)
            controllers.lab.world.log.clear()
            code, output = await playbooks.play(verb, **variables)
            assert code == 0, output
            sent = [shown({"method": one.method, "path": one.path}) for one in controllers.lab.world.writes]
            found.append((verb, json.loads(text)["writes"], sent))
        return found

    for verb, planned, sent in story(play):
        listed = {without_name(write["request"]) for write in planned}
        assert {without_name(request) for request in sent} <= listed, verb
        assert Counter(write["request"] for write in planned)["RUN"] == (3 if verb == "failover" else 0)
        assert sum("tags/default" in write["request"] for write in planned) == 1, verb
    assert len(hook.stopped) == (3 if "failover" in verbs else 0)


def test_a_plan_of_a_wave_that_is_there_lists_nothing(told):
    async def play(controllers, playbooks):
        return await plan(playbooks, "replicate")

    assert json.loads(told(play))["writes"] == []


def test_check_mode_says_that_a_goal_would_be_reached(told):
    async def play(controllers, playbooks):
        return await playbooks.play("test_failover", "--check")

    code, output = told(play)
    assert code == 0, output
    assert "web-01: test_running would be reached; it is protected now" in output
    assert "test_running reached" not in output
