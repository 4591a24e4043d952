"""What can be asked of a job: cancel, restart, resume.

None of the three was recorded. By the specification each is a long-running operation that ends with the job; by the
recorded job bodies a running job offers Cancel and a failed one Restart. What follows from them is the lab's choice:

* a cancelled job leaves its item as a failed one would;
* a restart asks once more for what the job was asked for, so that everything is checked anew, and is a job of its own;
* what ``allowedActions`` does not list is refused at once with 400.
"""

from datetime import datetime
from functools import partial

from asr_lab.arm.models import checked
from asr_lab.arm.operations import CANCELLED, Operation
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.model import ProtectedItem, Stage
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import VAULT, VERSIONS
from asr_lab.arm.providers.work import accepted
from asr_lab.arm.resources.jobs import find_job
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World


@route("POST", VAULT + "/replicationJobs/{job}/cancel", versions=VERSIONS)
def cancel_job(world: World, request: Request, now: datetime) -> Response:
    """End a running job without its change."""
    job = _allowing(world, request, "Cancel")
    operation = _begin(world, now, job)
    operation.on_done = partial(_stop, job)
    job.closing = True
    return accepted(request, operation)


@route("POST", VAULT + "/replicationJobs/{job}/resume", versions=VERSIONS)
def resume_job(world: World, request: Request, now: datetime) -> Response:
    """Let a job go on that waits for a manual action; ``comments`` is what the person has to say of it."""
    job = _allowing(world, request, "Resume")
    given = checked(request, "ResumeJobParams").get("properties") or {} if request.body else {}
    operation = _begin(world, now, job)
    operation.on_done = partial(_go_on, job, str(given.get("comments") or ""))
    job.closing = True
    return accepted(request, operation)


@route("POST", VAULT + "/replicationJobs/{job}/restart", versions=VERSIONS)
def restart_job(world: World, request: Request, now: datetime) -> Response:
    """Start the work of a failed job anew; the answer leads to the new job."""
    job = _allowing(world, request, "Restart")
    original = job.request
    if original is None:
        raise _refusal(job, "Restart")
    if job.scenario == "EnableDr":
        _forget_failed_item(world, job, now)
    again = Request(
        original.method, original.path, dict(original.query), request.headers, original.body, request.principal
    )
    response = world.dispatch(again, now)
    job.restarted = True
    started = response.headers.get("x-ms-request-id", "")
    response.headers["Location"] = f"{started}/operationresults/{started.rpartition('/')[2]}"
    return response


def _stop(job: Operation, now: datetime) -> None:
    job.stop(now, CANCELLED)


def _go_on(job: Operation, comments: str, now: datetime) -> None:
    job.closing = False
    if job.running and job.on_resumed:
        job.on_resumed(now, comments)


def _allowing(world: World, request: Request, action: str) -> Operation:
    job = find_job(world, request)
    if action not in job.allowed_actions:
        raise _refusal(job, action)
    return job


def _refusal(job: Operation, action: str) -> Exception:
    offered = ", ".join(job.allowed_actions) or "nothing"
    return bad_request(
        "JobActionNotAllowed",
        f"{action} is not allowed for the job '{job.guid}' ({job.scenario}) in the state {job.state}.",
        causes=f"The job allows {offered} now.",
        action="Read the job and choose one of its allowedActions.",
    )


def _begin(world: World, now: datetime, job: Operation) -> Operation:
    operation = world.begin(now, target_id=job.job_id, duration_s=world.duration_s("any", "job_action"))
    operation.acts_on = job
    return operation


def _forget_failed_item(world: World, job: Operation, now: datetime) -> None:
    """Take away the item that a failed enable left behind, so that enabling can be asked for once more."""
    item = world.resources.get(job.target_id)
    if not isinstance(item, ProtectedItem) or item.stage is not Stage.ENABLING_FAILED:
        return
    provider = provider_named(item.provider)
    if isinstance(provider, ToAzure):
        provider.forget(world, item, now)
