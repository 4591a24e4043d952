"""Recovery plans and jobs as azure-mgmt-recoveryservicessiterecovery drives and reads them."""

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient, models
from requests.adapters import BaseAdapter
from tests.unit.lab_plans.conftest import NAMES, TEST, Lab, Wave, action
from tests.worlds.zones import SUB

from asr_lab.arm.wire import Request

A_POLL_S = 30.0
URL = "https://lab.test"


class Straight(BaseAdapter):
    """Sends requests straight into a lab's world; each takes half a minute of its time."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        text = request.body.decode() if isinstance(request.body, bytes) else request.body
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": url.netloc}
        asked = Request(
            str(request.method),
            unquote(url.path),
            dict(parse_qsl(url.query)),
            headers,
            json.loads(text) if isinstance(text, str) and text else None,
            "someone",
        )
        self.lab.advance(A_POLL_S)
        told = self.lab.world.handle(asked, self.lab.now)
        answer = requests.Response()
        answer.status_code = told.status
        answer.headers.update({name: value for name, value in told.headers.items() if name != "Retry-After"})
        answer.raw = io.BytesIO(b"" if told.body is None else json.dumps(told.body).encode())
        answer.request, answer.url = request, str(request.url)
        return answer

    def close(self) -> None:
        """Nothing is open."""


class AnyToken:
    """A credential that is good for the lab's world."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("token", 4_000_000_000)


@pytest.fixture
def client(protected: Wave) -> SiteRecoveryManagementClient:
    """The SDK's client of the subscription; it does not wait between two polls."""
    session = requests.Session()
    session.mount("https://", Straight(protected.lab))
    return SiteRecoveryManagementClient(
        AnyToken(),
        SUB,
        base_url=URL,
        credential_scopes=[f"{URL}/.default"],
        transport=RequestsTransport(session=session, session_owner=False),
        polling_interval=0,
        retry_total=0,
    )


@pytest.fixture
def vault(protected: Wave) -> tuple[str, str]:
    """Resource group and name of the vault: the first two arguments of every call."""
    segments = protected.vault.split("/")
    return segments[4], segments[8]


def plan_input(wave: Wave, *groups: Mapping[str, Any]) -> models.CreateRecoveryPlanInput:
    return models.CreateRecoveryPlanInput(wave.plan_body(*groups))


def test_a_wave_from_its_plan_to_the_commit(
    protected: Wave, client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    plans = client.replication_recovery_plans
    made = plans.begin_create(*vault, "wave-1", plan_input(protected, protected.group(*NAMES))).result()
    assert [group.group_type for group in made.properties.groups] == ["Shutdown", "Failover", "Boot"]
    entry = models.RecoveryPlanInMageRcmFailoverInput(recovery_point_type="Latest")
    test = models.RecoveryPlanTestFailoverInput(
        properties=models.RecoveryPlanTestFailoverInputProperties(
            failover_direction="PrimaryToRecovery",
            network_type="VmNetworkAsInput",
            network_id=TEST,
            provider_specific_details=[entry],
        )
    )
    assert plans.begin_test_failover(*vault, "wave-1", test).result().properties.last_test_failover_time
    comments = models.RecoveryPlanTestFailoverCleanupInputProperties(comments="fine")
    clean = models.RecoveryPlanTestFailoverCleanupInput(properties=comments)
    plans.begin_test_failover_cleanup(*vault, "wave-1", clean).result()
    failover = models.RecoveryPlanUnplannedFailoverInput(
        properties=models.RecoveryPlanUnplannedFailoverInputProperties(
            failover_direction="PrimaryToRecovery",
            source_site_operations="NotRequired",
            provider_specific_details=[entry],
        )
    )
    plans.begin_unplanned_failover(*vault, "wave-1", failover).result()
    plans.begin_failover_commit(*vault, "wave-1").result()
    assert {protected.state(name) for name in NAMES} == {"UnplannedFailoverStatesBegin"}
    plans.begin_delete(*vault, "wave-1").result()
    assert list(plans.list(*vault)) == []


def test_a_job_that_waits_is_found_by_its_state_read_and_resumed(
    protected: Wave, client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look")]))
    job_id = protected.begin("unplannedFailover", protected.failover_body())
    protected.end(job_id)
    jobs = client.replication_jobs
    found = [job.name for job in jobs.list(*vault, filter="JobStatus eq 'Suspended'")]
    assert found == [job_id.rpartition("/")[2]]
    group = jobs.get(*vault, found[0]).properties.tasks[2].group_task_custom_details
    assert isinstance(group, models.RecoveryPlanGroupTaskDetails)
    assert isinstance(group.child_tasks[0].custom_details, models.ManualActionTaskDetails)
    comments = models.ResumeJobParams(properties=models.ResumeJobParamsProperties(comments="seen"))
    resumed = jobs.begin_resume(*vault, found[0], comments).result()
    assert (resumed.name, resumed.properties.state) == (found[0], "InProgress")


def test_a_cancelled_job_is_the_result_of_the_cancellation(
    protected: Wave, client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    protected.make_plan()
    name = protected.begin("testFailover", protected.test_body()).rpartition("/")[2]
    cancelled = client.replication_jobs.begin_cancel(*vault, name).result()
    assert (cancelled.name, cancelled.properties.state) == (name, "Cancelled")


def test_a_restart_ends_with_the_new_job(
    protected: Wave, client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    fault = {"match": {"scenario": "TestFailover"}, "job": {"code": "28031", "message": "No quota."}, "times": 3}
    protected.lab.world.faults.add(fault)
    protected.make_plan()
    job_id = protected.begin("testFailover", protected.test_body())
    protected.end(job_id)
    protected.run("testFailoverCleanup", {"properties": {}})
    restarted = client.replication_jobs.begin_restart(*vault, job_id.rpartition("/")[2]).result()
    assert restarted.id != job_id
    assert restarted.properties.state == "Succeeded"


def test_an_export_ends_with_a_job_that_has_an_address(
    client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    query = models.JobQueryParameter(job_status="Failed", job_output_type="Json")
    job = client.replication_jobs.begin_export(*vault, query).result()
    assert isinstance(job.properties.custom_details, models.ExportJobDetails)


def test_a_failed_plan_raises_the_error_of_its_first_item(
    protected: Wave, client: SiteRecoveryManagementClient, vault: tuple[str, str]
) -> None:
    match = {"scenario": "UnplannedFailover", "name": "web-2"}
    protected.lab.world.faults.add({"match": match, "job": {"code": "28031", "message": "No quota."}})
    protected.make_plan()
    body = models.RecoveryPlanUnplannedFailoverInput(protected.failover_body())
    with pytest.raises(HttpResponseError) as caught:
        client.replication_recovery_plans.begin_unplanned_failover(*vault, "wave-1", body).result()
    assert "28031" in str(caught.value)
