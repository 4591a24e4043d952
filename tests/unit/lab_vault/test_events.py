"""Events: what makes them, how they are named, and the recorded filters."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from asr_lab.arm.providers.events import Event, add_event, event_name

SILENT = {"match": {"name": "legacy-cs"}, "effect": "appliance_without_heartbeat"}


def events(servers, text="", **more):
    query = {"$filter": text} if text else {}
    return servers.lab.get(f"{servers.vault}/replicationEvents", **query, **more)["value"]


def summaries(servers, text=""):
    return [
        (one["properties"]["eventCode"], one["properties"]["affectedObjectFriendlyName"], one["properties"]["severity"])
        for one in events(servers, text)
    ]


def test_a_vault_in_which_nothing_happened_has_no_events(lab, vault):
    assert lab.get(f"{vault}/replicationEvents") == {"value": [], "nextLink": None}


def test_the_number_in_an_events_name_is_the_recorded_one():
    at = datetime(2017, 10, 27, 7, 23, 34, 776078, tzinfo=UTC)
    name = event_name("VmHealthy", at, "an item")
    assert name.startswith("VmMonitoringEvent;909183641070701502")


def test_registered_servers_are_events(classic):
    assert summaries(classic) == [
        ("SrsServerHealthChanged", "legacy-cs", "OK"),
        ("SrsServerHealthChanged", "legacy-ps", "OK"),
    ]


def test_a_silent_server_is_a_critical_event(classic):
    classic.lab.world.faults.add(SILENT)
    (event,) = events(classic, "Severity eq 'Critical'")
    properties = event["properties"]
    assert (properties["eventCode"], properties["description"]) == (
        "SRSDRAHeartbeatMissing",
        "Dra not reachable on server.",
    )
    assert properties["healthErrors"][0]["errorCode"] == "583"
    assert properties["fabricId"] == classic.fabric
    assert properties["providerSpecificDetails"] is None


def test_a_machine_that_is_protected_is_an_event_with_its_providers_details(classic):
    classic.protect()
    (event,) = events(classic, "EventType eq 'VmHealth' and AffectedObjectFriendlyName eq 'app-2012'")
    properties = event["properties"]
    assert event["name"].startswith("VmMonitoringEvent;")
    assert (properties["severity"], properties["eventType"]) == ("OK", "VmHealth")
    assert properties["providerSpecificDetails"] == {
        "instanceType": "InMageAzureV2",
        "eventType": None,
        "category": None,
        "component": None,
        "correctiveAction": None,
        "details": None,
        "summary": None,
        "siteName": "legacy-cs",
    }


def test_a_machine_whose_data_does_not_come_is_a_critical_event(classic):
    classic.protect()
    classic.lab.hosts.blocked.add(("10.20.1.12", "10.20.0.10", 9443))
    classic.lab.advance(2 * 3600)
    (event,) = events(classic, "EventType eq 'VmHealth' and Severity eq 'Critical'")
    assert event["properties"]["description"] == "Virtual machine health is in Critical state."
    assert event["properties"]["healthErrors"]


def test_a_failed_job_is_an_event(classic):
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Disable", "recoveryPointHistory": -1}
    job = classic.lab.policy(classic.vault, settings, "bad")
    (event,) = events(classic, "EventType eq 'JobStatus'")
    properties = event["properties"]
    assert properties["description"] == "Create replication policy failed for bad."
    assert properties["eventSpecificDetails"]["jobStatus"] == job["state"] == "Failed"
    assert properties["eventSpecificDetails"]["jobId"].rpartition("/")[2]


def test_one_event_has_another_type_than_in_the_list(classic):
    classic.lab.world.faults.add(SILENT)
    (listed,) = events(classic, "Severity eq 'Critical'")
    one = classic.lab.get(listed["id"])
    assert (listed["properties"]["eventType"], one["properties"]["eventType"]) == ("ServerHealth", "AgentHealth")
    assert {**one["properties"], "eventType": "ServerHealth"} == listed["properties"]


def test_an_event_that_is_not_there_is_a_404(classic):
    path = f"{classic.vault}/replicationEvents/VmMonitoringEvent;1_2"
    assert classic.lab.refused("GET", path)[:2] == (404, "ArmResourceDoesNotExist")


def test_events_are_filtered_by_fabric_and_time(classic):
    fabric = classic.fabric.rpartition("/")[2]
    assert len(events(classic, f"FabricName eq '{fabric}'")) == 2
    assert events(classic, "FabricName eq 'other'") == []
    assert len(events(classic, "StartTime eq '2026-03-01T00:00:00Z'")) == 2
    assert events(classic, "StartTime eq '2026-03-02T00:00:00Z'") == []
    assert len(events(classic, "(EventType eq 'ServerHealth') and EndTime eq '2026-03-02T00:00:00Z'")) == 2


@pytest.mark.parametrize("text", ["Severity ne 'OK'", "Colour eq 'red'", "StartTime eq 'soon'"])
def test_a_filter_that_is_not_understood_is_refused(classic, text):
    response = classic.lab.ask("GET", f"{classic.vault}/replicationEvents", **{"$filter": text})
    assert response.status == 400
    assert response.body["error"]["code"] == "BadRequest"


def test_events_come_newest_first_and_keep_their_names(classic):
    classic.protect()
    names = [event["name"] for event in events(classic)]
    classic.lab.advance(60)
    assert [event["name"] for event in events(classic)] == names
    times = [event["properties"]["timeOfOccurrence"] for event in events(classic)]
    assert times == sorted(times, reverse=True)


def test_the_service_of_2016_told_less_of_an_error(classic):
    classic.lab.world.faults.add(SILENT)
    (event,) = events(classic, "Severity eq 'Critical'", api="2016-08-10")
    assert event["properties"]["healthErrors"][0]["errorLevel"] is None
    assert "affectedObjectCorrelationId" not in event["properties"]


def test_an_event_can_be_put_into_a_vault(lab, vault):
    held = Event("VmMonitoringEvent;1_2", "Code", "Text", "VmHealth", "AgentHealth", "vm", "OK", lab.now, None)
    add_event(lab.world, vault, held)
    assert lab.names(f"{vault}/replicationEvents") == ["VmMonitoringEvent;1_2"]


def test_events_come_in_pages(lab, vault):
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Enable", "recoveryPointHistory": -1}
    bad = {"properties": {"providerSpecificInput": settings}}
    for number in range(205):
        assert lab.ask("PUT", f"{vault}/replicationPolicies/policy-{number}", bad).status == 202
    lab.advance(60)
    first = lab.get(f"{vault}/replicationEvents")
    token = unquote(first["nextLink"].partition("$skipToken=")[2])
    second = lab.get(f"{vault}/replicationEvents", **{"$skipToken": token})
    assert (len(first["value"]), len(second["value"]), second["nextLink"]) == (200, 5, None)
    assert len({event["name"] for event in [*first["value"], *second["value"]]}) == 205
