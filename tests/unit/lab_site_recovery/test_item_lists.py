"""Lists of protected items: pages, filters, and what a beat looks at."""

from copy import deepcopy
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from asr_lab.arm.providers.in_mage_rcm import InMageRcm


def many(ready, number):
    """Put ``number`` further items into the container, all replicating."""
    world = ready.lab.world
    first = world.resources.get(ready.item)
    for count in range(number):
        name = f"machine-{count:04d}"
        made = replace(
            first,
            id=f"{ready.container}/replicationProtectedItems/{name}",
            name=name,
            friendly_name=name,
            source_id=name,
            machine_id=world.guid(),
            disks=deepcopy(first.disks),
            test_vm_ids=[],
        )
        world.resources.put(made.id, made)
        InMageRcm().enabled(world, made, ready.lab.now)


def page(ready, path, **query):
    body = ready.lab.get(path, **query)
    return [row["name"] for row in body["value"]], body["nextLink"]


@pytest.fixture
def crowd(modern):
    modern.protect()
    many(modern, 410)
    return modern


@pytest.mark.parametrize("below", ["vault", "container"])
def test_pages_have_200_items_and_the_link_leads_to_the_next(crowd, below):
    path = f"{getattr(crowd, below)}/replicationProtectedItems"
    names, link = page(crowd, path)
    sizes = [len(names)]
    while link:
        query = dict(parse_qsl(urlsplit(link).query))
        assert urlsplit(link).path.casefold() == path.casefold()
        assert query.pop("api-version")
        more, link = page(crowd, path, **query)
        sizes.append(len(more))
        names += more
    assert sizes == [200, 200, 11]
    assert len(set(names)) == 411


def test_the_link_keeps_the_filter(crowd):
    path = f"{crowd.vault}/replicationProtectedItems"
    _, link = page(crowd, path, **{"$filter": "InstanceType eq 'InMageRcm'"})
    assert dict(parse_qsl(urlsplit(link).query))["$filter"] == "InstanceType eq 'InMageRcm'"


def test_a_token_that_no_page_gave_is_refused(modern):
    answer = modern.lab.ask("GET", f"{modern.vault}/replicationProtectedItems", **{"$skipToken": "mine"})
    assert answer.status == 400
    assert "nextLink" in answer.body["error"]["message"]


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("InstanceType eq 'InMageRcm'", 6),
        ("instanceType eq 'inmagercm' and ProtectionState eq 'Protected'", 1),
        ("(ProtectionState eq 'InitialReplicationInProgress')", 5),
        ("FriendlyName eq 'machine-0003'", 1),
        ("RecoveryPlanName eq 'none'", 0),
        ("InstanceType eq 'A2A'", 0),
    ],
)
def test_items_can_be_filtered(modern, condition, count):
    modern.protect()
    many(modern, 5)
    listed = modern.lab.get(f"{modern.vault}/replicationProtectedItems", **{"$filter": condition})["value"]
    assert len(listed) == count


def test_a_filter_by_recovery_plan_finds_the_items_of_the_plan(modern):
    modern.protect()
    many(modern, 2)
    item = modern.lab.get(modern.item)
    member = {"id": item["id"], "virtualMachineId": item["properties"]["providerSpecificDetails"]["internalIdentifier"]}
    body = {
        "properties": {
            "primaryFabricId": modern.fabric,
            "recoveryFabricId": "Microsoft Azure",
            "failoverDeploymentModel": "ResourceManager",
            "groups": [
                {
                    "groupType": "Boot",
                    "replicationProtectedItems": [member],
                    "startGroupActions": [],
                    "endGroupActions": [],
                }
            ],
        }
    }
    job = modern.lab.do("PUT", f"{modern.vault}/replicationRecoveryPlans/plan-one", body)
    assert job["state"] == "Succeeded"
    path = f"{modern.vault}/replicationProtectedItems"
    listed = modern.lab.get(path, **{"$filter": "RecoveryPlanName eq 'PLAN-ONE'"})["value"]
    assert [row["name"] for row in listed] == [modern.item.rpartition("/")[2]]


def test_a_filter_that_is_not_understood_is_refused_with_what_is(modern):
    answer = modern.lab.ask("GET", f"{modern.vault}/replicationProtectedItems", **{"$filter": "Colour eq 'red'"})
    assert answer.status == 400
    assert "InstanceType" in answer.body["error"]["message"]


def test_each_connection_is_tried_once_a_beat_however_many_items_use_it(crowd):
    tried = []

    class Counting(type(crowd.lab.hosts)):
        def connects(self, source, target, port):
            tried.append((source, target, port))
            return super().connects(source, target, port)

    crowd.lab.hosts.__class__ = Counting
    crowd.lab.advance(600)
    assert len(set(tried)) == 2
    assert len(tried) <= 2 * 11
