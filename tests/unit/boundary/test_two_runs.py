"""Two whole processes want one wave: one proceeds, the other says who works on it, and nothing is done twice."""

import asyncio
import signal

ONCE_EACH = {"web-01": 1, "web-02": 1, "web-03": 1}


def test_of_two_runs_at_once_one_proceeds_and_one_refuses_and_nothing_is_doubled(story):
    async def play(controllers):
        controllers.slow()
        runs = [asyncio.create_task(controllers.run(name)) for name in ("ann", "bob")]
        await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
        await controllers.until(lambda: controllers.jobs("EnableDr"))
        controllers.fast_forward()
        results = await asyncio.gather(*runs)
        return results, controllers.jobs("EnableDr"), controllers.leases

    results, jobs, leases = story(play)
    (won,) = [result for result in results if not result.get("failed")]
    (refused,) = [result for result in results if result.get("failed")]
    assert all(machine["reached"] for machine in won["machines"].values())
    assert refused["error"]["code"] == "WaveHeld"
    assert "is being worked on by" in refused["msg"]
    assert jobs == ONCE_EACH
    assert leases == []


def test_the_second_run_says_who_and_since_when_and_sends_nothing_about_a_machine(story):
    async def play(controllers):
        controllers.slow()
        first = await controllers.start("ann")
        await controllers.until(lambda: controllers.jobs("EnableDr"))
        refused = await controllers.run("bob")
        controllers.fast_forward()
        return refused, await controllers.result(first), controllers.jobs("EnableDr")

    refused, first, jobs = story(play)
    assert "wave w is being worked on by ann@here (run " in refused["msg"]
    assert " since 20" in refused["msg"]
    assert all(machine["reached"] for machine in first["machines"].values())
    assert jobs == ONCE_EACH


def test_a_second_run_of_the_same_controller_is_refused_before_azure_is_asked_to_hold_anything(story):
    async def play(controllers):
        controllers.slow()
        first = await controllers.start("ann")
        await controllers.until(lambda: controllers.leases)
        refused = await controllers.run("ann")
        await controllers.until(lambda: controllers.jobs("EnableDr"))
        controllers.fast_forward()
        await controllers.result(first)
        return refused, first.pid

    refused, pid = story(play)
    assert f"this wave is being worked on by ann@here (process {pid}) since 20" in refused["msg"]
    assert refused["error"]["code"] == "WaveHeld"


def test_after_a_kill_the_same_controller_goes_on_at_once_and_another_waits_for_the_lease_to_be_stale(story):
    async def play(controllers):
        controllers.slow()
        first = await controllers.start("ann")
        await controllers.until(lambda: len(controllers.jobs("EnableDr")) == 3)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        held = controllers.leases
        refused = await controllers.run("bob")
        again = await controllers.start("ann")
        await controllers.until(lambda: controllers.leases not in ([], held))
        controllers.fast_forward()
        resumed = await controllers.result(again)
        return held, refused, resumed, controllers.jobs("EnableDr")

    held, refused, resumed, jobs = story(play)
    assert len(held) == 1
    assert refused["error"]["code"] == "WaveHeld"
    assert "15 minutes" in refused["error"]["remedy"]
    assert all(machine["reached"] for machine in resumed["machines"].values())
    assert jobs == ONCE_EACH


def test_a_stale_lease_is_taken_over_by_another_controller(story):
    async def play(controllers):
        controllers.slow()
        first = await controllers.start("ann")
        await controllers.until(lambda: len(controllers.jobs("EnableDr")) == 3)
        first.send_signal(signal.SIGKILL)
        await first.wait()
        controllers.fast_forward(901)
        second = await controllers.start("bob")
        await controllers.until(lambda: any("bob@here" in lease for lease in controllers.leases))
        controllers.fast_forward()
        return await controllers.result(second), controllers.jobs("EnableDr")

    result, jobs = story(play)
    assert all(machine["reached"] for machine in result["machines"].values())
    assert jobs == ONCE_EACH


def test_a_run_that_lost_the_wave_asks_for_nothing_more(story):
    async def play(controllers):
        controllers.slow()
        started = await controllers.start("ann")
        await controllers.until(lambda: len(controllers.jobs("EnableDr")) == 3)
        tags = controllers.lab.world.resources.get(controllers.lab.vault_id)["tags"]
        tags.clear()
        return await controllers.result(started)

    result = story(play)
    assert "this run was taken for dead" in result["stopped"]


def test_check_mode_warns_of_a_run_that_holds_the_wave_and_holds_nothing_itself(story):
    async def play(controllers):
        controllers.slow()
        first = await controllers.start("ann")
        await controllers.until(lambda: controllers.jobs("EnableDr"))
        looked = await controllers.run("bob", parameters={"_ansible_check_mode": True})
        assert len(controllers.leases) == 1
        controllers.fast_forward()
        await controllers.result(first)
        return looked

    looked = story(play)
    assert "wave w is being worked on by ann@here" in str(looked["warnings"])


def test_a_wave_that_has_the_goal_is_only_looked_at(story):
    async def play(controllers):
        await controllers.run("ann")
        controllers.lab.world.log.clear()
        again = await controllers.run("ann")
        return again, controllers.lab.world.writes

    again, writes = story(play)
    assert again["changed"] is False
    assert writes == []
