"""Long-running operations: headers, status bodies and results as recorded."""

import pytest

from asr_lab.arm.operations import OperationError, OperationFailed, Target, Task

VERSION = "2025-08-01"
ERROR = OperationError("28031", "The test failover failed.", task="Second")
TASKS = (Task("First", duration_s=30), Task("Second", duration_s=60), Task("Third", duration_s=30, skipped=True))


@pytest.fixture
def item(ask):
    ask.make_vault()
    return f"{ask.vault}/replicationPolicies/p"


def path_of(url):
    return url.removeprefix("https://management.azure.com").partition("?")[0]


def test_the_start_is_an_empty_202_whose_urls_share_the_jobs_guid(world, clock, item):
    operation = world.begin(clock.now(), target_id=item, duration_s=60)
    started = operation.accepted()
    assert (started.status, started.body) == (202, None)
    vault = "/Subscriptions/" + item.partition("/subscriptions/")[2].partition("/replicationPolicies")[0]
    assert started.headers == {
        "Azure-AsyncOperation": f"{vault}/replicationOperationStatus/{operation.guid}",
        "Location": f"{vault}/replicationPolicies/p/operationresults/{operation.guid}",
        "Retry-After": "30",
        "x-ms-request-id": f"{vault}/replicationJobs/{operation.guid}",
    }


def test_urls_leave_the_world_absolute_with_the_clients_host_and_api_version(ask):
    answer = ask("PUT", ask.vault, ask.vault_body, version="2023-02-01")
    url = answer.headers["Azure-AsyncOperation"]
    assert url.startswith(f"https://management.azure.com{ask.vault}/operationStatus/")
    assert url.endswith("?api-version=2023-02-01")


def test_the_status_body_has_the_recorded_shape_and_succeeds_when_its_time_is_over(world, clock, ask, item):
    done = []
    operation = world.begin(clock.now(), target_id=item, duration_s=60, on_done=done.append)
    status = operation.status_path()
    running = ask("GET", status, version=VERSION).body
    assert running == {
        "error": None,
        "id": None,
        "name": operation.guid,
        "properties": None,
        "status": "InProgress",
        "startTime": "2026-04-01T08:01:01.0000000Z",
        "endTime": None,
        "percentComplete": None,
    }
    clock.advance(60)
    assert ask("GET", status, version=VERSION).body == {
        **running,
        "status": "Succeeded",
        "endTime": "2026-04-01T08:02:01.0000000Z",
    }
    assert done == [clock.now()]


def test_a_failed_operation_tells_code_and_message_and_does_not_take_effect(world, clock, ask, item):
    done, failed = [], []
    operation = world.begin(
        clock.now(),
        target_id=item,
        duration_s=5,
        on_done=done.append,
        fail=ERROR,
        on_failed=lambda due, error: failed.append(error.code),
    )
    clock.advance(5)
    body = ask("GET", operation.status_path(), version=VERSION).body
    assert body["status"] == "Failed"
    assert body["error"] == {"code": "28031", "message": "The test failover failed.", "details": None}
    assert (done, failed) == ([], ["28031"])


def test_an_effect_that_finds_an_obstacle_fails_the_operation(world, clock, item):
    def obstacle(due):
        raise OperationFailed(ERROR)

    operation = world.begin(clock.now(), target_id=item, duration_s=5, on_done=obstacle)
    world.advance(clock.advance(5))
    assert (operation.state, operation.error) == ("Failed", ERROR)


def test_a_warning_rides_on_a_success(world, clock, item):
    warning = OperationError("310024", "The name was not available.")
    operation = world.begin(clock.now(), target_id=item, duration_s=5, warning=warning)
    world.advance(clock.advance(5))
    body = operation.status(clock.now()).body
    assert (body["status"], body["error"]["code"]) == ("Succeeded", "310024")


def test_the_result_is_202_while_running_then_the_resource_or_204(world, clock, ask):
    ask.make_vault()
    item = world.begin(clock.now(), target_id=ask.vault, duration_s=5, style="vault")
    gone = world.begin(clock.now(), target_id=f"{ask.vault}/replicationPolicies/gone", duration_s=5)
    told = world.begin(clock.now(), target_id=ask.vault, duration_s=5, result=lambda due: {"told": True})
    paths = [operation.result_path() for operation in (item, gone, told)]
    assert [ask("GET", path, version="2025-08-01").status for path in paths] == [202, 202, 202]
    clock.advance(5)
    answers = [ask("GET", path, version="2025-08-01") for path in paths]
    assert [answer.status for answer in answers] == [200, 204, 200]
    assert answers[0].body["name"] == "vault-legacy"
    assert answers[2].body == {"told": True}


def test_the_tasks_of_a_job_go_by_in_proportion_to_their_durations_and_a_skipped_one_never_runs(world, clock, item):
    operation = world.begin(clock.now(), target_id=item, duration_s=240, tasks=TASKS)
    states = [[step.state for step in operation.progress(clock.advance(step_s))] for step_s in (10, 100, 80)]
    assert states == [
        ["InProgress", "NotStarted", "NotStarted"],
        ["Succeeded", "InProgress", "NotStarted"],
        ["Succeeded", "Succeeded", "NotStarted"],
    ]
    world.advance(clock.advance(240))
    assert [step.state for step in operation.progress(clock.now())] == ["Succeeded", "Succeeded", "Other"]


def test_the_task_that_the_error_names_is_the_failed_one_and_later_ones_never_start(world, clock, item):
    operation = world.begin(clock.now(), target_id=item, duration_s=240, tasks=TASKS, fail=ERROR)
    world.advance(clock.advance(240))
    assert [step.state for step in operation.progress(clock.now())] == ["Succeeded", "Failed", "NotStarted"]


def test_things_due_happen_in_order_and_those_they_cause_too(world, clock):
    seen = []
    world.after(clock.now(), 20, lambda due: seen.append(("late", due)))
    world.after(clock.now(), 10, lambda due: world.after(due, 5, lambda then: seen.append(("caused", then))))
    start = clock.now()
    world.advance(clock.advance(60))
    assert [(name, (due - start).total_seconds()) for name, due in seen] == [("caused", 15.0), ("late", 20.0)]


def test_reading_does_not_change_what_happens(world, clock, ask, item):
    operation = world.begin(clock.now(), target_id=item, duration_s=60, target=Target("x", "p"))
    for _ in range(3):
        ask("GET", operation.status_path(), version=VERSION)
    assert operation.running


def test_the_same_seed_gives_the_same_guids(world):
    other = type(world)(seed=world.seed)
    again = type(world)(seed=world.seed)
    assert [other.guid() for _ in range(3)] == [again.guid() for _ in range(3)]
