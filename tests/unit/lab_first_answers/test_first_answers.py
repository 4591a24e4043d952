"""Whatever long-running operation a client begins: the first answer is one that the SDK takes.

Each is asked for once, by the SDK itself, in a scene in which it makes sense. Whether its job succeeds is what other
tests look at.
"""

import inspect
import json
import re
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient, operations
from tests.unit.lab_vault.test_through_the_sdk import client_of

from asr_lab.arm import landing_zone
from asr_lab.arm.resources import not_simulated
from asr_lab.arm.resources.storage_classifications import add_storage_classification

MODERN, CLASSIC, ESTATE = "protected_modern", "protected_classic", "estate"
SITE, REGIONS, PLAN = "protected_site", "failed_over_regions", "planned"


def group_name(kind):
    """Return the attribute of the client under which an operation group stands."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.removesuffix("Operations")).lower()


def begun():
    """Yield every operation that the SDK begins, as ``group.method``."""
    for kind, one in inspect.getmembers(operations, inspect.isclass):
        for name, _ in inspect.getmembers(one, inspect.isfunction):
            if name.startswith("begin_"):
                yield f"{group_name(kind)}.{name}"


def names(resource):
    """Return the names in an id below the vault: fabric, container, item."""
    return tuple(resource.partition("/vaults/")[2].split("/")[2::2])


def remainder(resource):
    return resource.rpartition("/")[2]


def given(**properties):
    return {"properties": properties}


def specific(provider, **details):
    return given(providerSpecificDetails={"instanceType": provider, **details})


def plan_failover(**more):
    details = [{"instanceType": "InMageRcm", "recoveryPointType": "Latest"}]
    return given(failoverDirection="PrimaryToRecovery", providerSpecificDetails=details, **more)


def running_job(scene):
    """Begin a test failover and return the name of its job."""
    answer = scene.lab.ask("POST", f"{scene.item}/testFailover", scene.test_body())
    scene.lab.advance(1)
    return remainder(answer.headers["x-ms-request-id"])


def failed_job(scene):
    fault = {"match": {"scenario": "TestFailover"}, "job": {"code": "28031", "message": "no quota"}, "times": 1}
    scene.lab.world.faults.add(fault)
    found = running_job(scene)
    scene.lab.advance(3600)
    return found


def waiting_job(scene):
    """Begin a test failover of the plan and return its job when it waits for a manual action."""
    job = scene.begin("testFailover", scene.test_body())
    assert scene.end(job)["state"] == "Suspended"
    return remainder(job)


def provider_of(scene):
    listed = scene.lab.get(f"{scene.fabric}/replicationRecoveryServicesProviders")["value"]
    return listed[0]["name"]


def item(scene):
    return names(scene.item)


def fabric(scene):
    return names(scene.fabric)


def mapping(scene):
    return (*names(scene.container), "mapping")


def vcenter(scene):
    """Make a vCenter and return its names."""
    scene.lab.do("PUT", f"{scene.fabric}/replicationvCenters/vc", scene.vcenter_body())
    return (*fabric(scene), "vc")


def recovery_point(scene):
    listed = scene.lab.get(f"{scene.item}/recoveryPoints")["value"]
    return given(recoveryPointId=listed[0]["id"], providerSpecificDetails={"instanceType": scene.provider})


def storage(scene):
    """Make two storage classifications and a mapping of one to the other; return its names and the target's id."""
    held = scene.lab.world.resources.get(scene.fabric)
    gold, silver = (add_storage_classification(scene.lab.world, held, name, name) for name in ("gold", "silver"))
    path = f"{gold}/replicationStorageClassificationMappings/gold-silver"
    scene.lab.do("PUT", path, given(targetStorageClassificationId=silver))
    return (*fabric(scene), "gold", "gold-silver"), silver


def another_storage_mapping(scene):
    there, silver = storage(scene)
    return (*there[:2], "another", given(targetStorageClassificationId=silver))


def reprotected(scene):
    """Fail a classic machine over and commit; return what reprotects it."""
    for verb, body in (("unplannedFailover", scene.failover_body()), ("failoverCommit", None)):
        assert scene.lab.do("POST", f"{scene.item}/{verb}", body)["state"] == "Succeeded"
    details = {
        "instanceType": "InMage",
        "masterTargetId": scene.server_id,
        "processServerId": scene.server_id,
        "retentionDrive": "R",
        "profileId": scene.policy,
        "datastoreName": "datastore",
    }
    return (*item(scene), given(failoverDirection="RecoveryToPrimary", providerSpecificDetails=details))


def another_appliance(scene):
    return {
        "instanceType": "InMageAzureV2",
        "targetVaultID": scene.vault,
        "targetFabricID": scene.fabric,
        "targetApplianceID": "none",
    }


def another_disk(scene):
    account = scene.details()["disksDefault"]["logStorageAccountId"]
    disk = {"diskId": "another", "diskType": "Standard_LRS", "logStorageAccountId": account}
    return specific("InMageRcm", disks=[disk])


PROPERTIES = given()
RUN_AS = given(runAsAccountId="1")
RCM_POLICY = {
    "instanceType": "InMageRcm",
    "recoveryPointHistoryInMinutes": 1440,
    "crashConsistentFrequencyInMinutes": 5,
    "appConsistentFrequencyInMinutes": 0,
    "enableMultiVmSync": "false",
}
ITEMS, PLANS, FABRICS = "replication_protected_items", "replication_recovery_plans", "replication_fabrics"
CONTAINERS, MAPPINGS = "replication_protection_containers", "replication_protection_container_mappings"
PROVIDERS, POLICIES = "replication_recovery_services_providers", "replication_policies"
NETWORKS, STORAGE = "replication_network_mappings", "replication_storage_classification_mappings"
IDENTITY = {"tenantId": "t", "applicationId": "a", "objectId": "o", "audience": "x", "aadAuthority": "y"}

CALLS = {
    f"{FABRICS}.begin_create": (
        SITE,
        lambda s: ("site-2", given(customDetails={"instanceType": "FabricSpecificCreationInput"})),
    ),
    f"{FABRICS}.begin_check_consistency": (CLASSIC, fabric),
    f"{FABRICS}.begin_delete": (CLASSIC, fabric),
    f"{FABRICS}.begin_purge": (SITE, fabric),
    f"{FABRICS}.begin_migrate_to_aad": (CLASSIC, fabric),
    f"{FABRICS}.begin_remove_infra": (MODERN, fabric),
    f"{FABRICS}.begin_renew_certificate": (CLASSIC, lambda s: (*fabric(s), given(renewCertificateType="Cloud"))),
    f"{FABRICS}.begin_reassociate_gateway": (
        ESTATE,
        lambda s: (*fabric(s), given(sourceProcessServerId=s.first, targetProcessServerId=s.second)),
    ),
    "replication_jobs.begin_cancel": (MODERN, lambda s: (running_job(s),)),
    "replication_jobs.begin_restart": (MODERN, lambda s: (failed_job(s),)),
    "replication_jobs.begin_resume": (PLAN, lambda s: (waiting_job(s), given(comments="done"))),
    "replication_jobs.begin_export": (MODERN, lambda s: ({"jobStatus": "Failed"},)),
    f"{NETWORKS}.begin_create": (REGIONS, lambda s: ("fabric-we", "azureNetwork", "again", s.network_mapping_body())),
    f"{NETWORKS}.begin_update": (REGIONS, lambda s: ("fabric-we", "azureNetwork", "to-ne", s.network_mapping_body())),
    f"{NETWORKS}.begin_delete": (REGIONS, lambda s: ("fabric-we", "azureNetwork", "to-ne")),
    f"{POLICIES}.begin_create": (MODERN, lambda s: ("policy-2", given(providerSpecificInput=RCM_POLICY))),
    f"{POLICIES}.begin_update": (MODERN, lambda s: ("policy", given(replicationProviderSettings=RCM_POLICY))),
    f"{POLICIES}.begin_delete": (MODERN, lambda s: ("policy",)),
    f"{ITEMS}.begin_create": (MODERN, lambda s: (*item(s), s.enable_body())),
    f"{ITEMS}.begin_update": (MODERN, lambda s: (*item(s), specific("InMageRcm", targetVmSize="Standard_D4s_v5"))),
    f"{ITEMS}.begin_delete": (MODERN, lambda s: (*item(s), PROPERTIES)),
    f"{ITEMS}.begin_purge": (MODERN, item),
    f"{ITEMS}.begin_add_disks": (MODERN, lambda s: (*item(s), another_disk(s))),
    f"{ITEMS}.begin_remove_disks": (REGIONS, lambda s: (*item(s), specific("A2A", vmManagedDisksIds=s.disks()[1:]))),
    f"{ITEMS}.begin_apply_recovery_point": (CLASSIC, lambda s: (*item(s), recovery_point(s))),
    f"{ITEMS}.begin_failover_cancel": (MODERN, item),
    f"{ITEMS}.begin_failover_commit": (MODERN, item),
    f"{ITEMS}.begin_planned_failover": (SITE, lambda s: (*item(s), s.failover_body())),
    f"{ITEMS}.begin_unplanned_failover": (MODERN, lambda s: (*item(s), s.failover_body())),
    f"{ITEMS}.begin_test_failover": (MODERN, lambda s: (*item(s), s.test_body())),
    f"{ITEMS}.begin_test_failover_cleanup": (MODERN, lambda s: (*item(s), PROPERTIES)),
    f"{ITEMS}.begin_repair_replication": (CLASSIC, item),
    f"{ITEMS}.begin_reprotect": (CLASSIC, reprotected),
    f"{ITEMS}.begin_resolve_health_errors": (MODERN, lambda s: (*item(s), given(healthErrors=[]))),
    f"{ITEMS}.begin_switch_provider": (
        CLASSIC,
        lambda s: (
            *item(s),
            given(targetInstanceType="InMageRcm", providerSpecificDetails=another_appliance(s)),
        ),
    ),
    f"{ITEMS}.begin_update_appliance": (
        MODERN,
        lambda s: (
            *item(s),
            given(targetApplianceId=s.server_id, providerSpecificDetails={"instanceType": "InMageRcm"}),
        ),
    ),
    f"{ITEMS}.begin_update_mobility_service": (MODERN, lambda s: (*item(s), RUN_AS)),
    f"{ITEMS}.begin_reinstall_mobility_service": (MODERN, lambda s: (*item(s), RUN_AS)),
    f"{MAPPINGS}.begin_create": (
        MODERN,
        lambda s: (
            *names(s.container),
            "again",
            given(targetProtectionContainerId="Microsoft Azure", policyId=s.policy),
        ),
    ),
    f"{MAPPINGS}.begin_update": (
        REGIONS,
        lambda s: (
            *names(s.container_here),
            "mapping",
            given(providerSpecificInput={"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}),
        ),
    ),
    f"{MAPPINGS}.begin_delete": (MODERN, lambda s: (*mapping(s), PROPERTIES)),
    f"{MAPPINGS}.begin_purge": (MODERN, mapping),
    f"{CONTAINERS}.begin_create": (
        REGIONS,
        lambda s: ("fabric-we", "more", given(providerSpecificInput=[{"instanceType": "A2A"}])),
    ),
    f"{CONTAINERS}.begin_delete": (REGIONS, lambda s: names(s.container_there)),
    f"{CONTAINERS}.begin_discover_protectable_item": (
        CLASSIC,
        lambda s: (*names(s.container), given(friendlyName="app-2", ipAddress="10.20.1.99", osType="Windows")),
    ),
    f"{CONTAINERS}.begin_switch_protection": (REGIONS, lambda s: (*names(s.container_here), s.switch_body())),
    f"{PLANS}.begin_create": (PLAN, lambda s: ("another", s.plan_body(s.group("web-1")))),
    f"{PLANS}.begin_update": (PLAN, lambda s: (remainder(s.plan), given(groups=[s.group("web-1")]))),
    f"{PLANS}.begin_delete": (PLAN, lambda s: (remainder(s.plan),)),
    f"{PLANS}.begin_test_failover": (PLAN, lambda s: (remainder(s.plan), s.test_body())),
    f"{PLANS}.begin_test_failover_cleanup": (PLAN, lambda s: (remainder(s.plan), PROPERTIES)),
    f"{PLANS}.begin_planned_failover": (PLAN, lambda s: (remainder(s.plan), plan_failover())),
    f"{PLANS}.begin_unplanned_failover": (
        PLAN,
        lambda s: (remainder(s.plan), plan_failover(sourceSiteOperations="NotRequired")),
    ),
    f"{PLANS}.begin_failover_commit": (PLAN, lambda s: (remainder(s.plan),)),
    f"{PLANS}.begin_failover_cancel": (PLAN, lambda s: (remainder(s.plan),)),
    f"{PLANS}.begin_reprotect": (PLAN, lambda s: (remainder(s.plan),)),
    f"{PROVIDERS}.begin_create": (
        MODERN,
        lambda s: (
            *fabric(s),
            "11111111-2222-4333-8444-555555555555",
            given(
                machineName="appliance-2", authenticationIdentityInput=IDENTITY, resourceAccessIdentityInput=IDENTITY
            ),
        ),
    ),
    f"{PROVIDERS}.begin_delete": (SITE, lambda s: (*fabric(s), provider_of(s))),
    f"{PROVIDERS}.begin_purge": (SITE, lambda s: (*fabric(s), provider_of(s))),
    f"{PROVIDERS}.begin_refresh_provider": (CLASSIC, lambda s: (*fabric(s), provider_of(s))),
    f"{STORAGE}.begin_create": (SITE, another_storage_mapping),
    f"{STORAGE}.begin_delete": (SITE, lambda s: storage(s)[0]),
    "replication_vault_health.begin_refresh": (MODERN, lambda s: ()),
    "replication_vault_setting.begin_create": (
        MODERN,
        lambda s: ("default", given(vmwareToAzureProviderType="InMageRcm")),
    ),
    "replicationv_centers.begin_create": (ESTATE, lambda s: (*fabric(s), "vc", s.vcenter_body())),
    "replicationv_centers.begin_update": (ESTATE, lambda s: (*vcenter(s), given(friendlyName="renamed"))),
    "replicationv_centers.begin_delete": (ESTATE, vcenter),
}

NOT_SIMULATED = {row.sdk for row in not_simulated.operations()}


def test_every_operation_that_the_sdk_begins_is_asked_for_here_or_known_not_to_be_simulated():
    assert sorted(set(begun()) - CALLS.keys() - NOT_SIMULATED) == []


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_the_first_answer_is_one_that_the_sdk_takes(operation, request):
    scene_name, arguments_of = CALLS[operation]
    scene = request.getfixturevalue(scene_name)
    arguments = arguments_of(scene)
    client = client_of(SiteRecoveryManagementClient, scene.lab)
    group, _, name = operation.partition(".")
    first = []
    try:
        getattr(getattr(client, group), name)(
            landing_zone.RESOURCE_GROUP,
            scene.vault.rpartition("/")[2],
            *arguments,
            polling=False,
            raw_response_hook=lambda answer: first.append(answer.http_response),
        )
    except HttpResponseError as refused:
        pytest.fail(f"{refused.status_code}: {refused.message}")
    except json.JSONDecodeError:
        # The SDK reads the empty body of a 202 when it is told not to poll.
        assert first[0].status_code == 202
    if first[0].status_code == 202:
        status = urlsplit(first[0].headers["Azure-AsyncOperation"])
        assert status.scheme == "https"
        assert int(first[0].headers["Retry-After"]) > 0
