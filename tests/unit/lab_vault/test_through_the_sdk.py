"""The vault-level operations as the SDK package sends and reads them; its waits advance the lab's time."""

import io
import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.recoveryservices import RecoveryServicesClient
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from requests.adapters import BaseAdapter
from tests.worlds.vaults import POLICIES
from tests.worlds.zones import SUB

from asr_lab.arm import landing_zone
from asr_lab.arm.wire import Request

GROUP_NAME = landing_zone.RESOURCE_GROUP
LISTS = (
    "replication_alert_settings",
    "replication_appliances",
    "replication_events",
    "replication_fabrics",
    "replication_jobs",
    "replication_migration_items",
    "replication_network_mappings",
    "replication_networks",
    "replication_policies",
    "replication_protected_items",
    "replication_protection_clusters",
    "replication_protection_container_mappings",
    "replication_protection_containers",
    "replication_protection_intents",
    "replication_recovery_plans",
    "replication_recovery_services_providers",
    "replication_storage_classification_mappings",
    "replication_storage_classifications",
    "replication_vault_setting",
    "replicationv_centers",
)


class Adapter(BaseAdapter):
    """Hands what requests would send to the world."""

    def __init__(self, lab):
        super().__init__()
        self.lab = lab

    def close(self):
        """Nothing is open."""

    def send(self, request, **_options):
        url = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()} | {"host": url.netloc}
        body = json.loads(request.body) if request.body else None
        asked = Request(request.method, unquote(url.path), dict(parse_qsl(url.query)), headers, body, "someone")
        told = self.lab.world.handle(asked, self.lab.now)
        content = b"" if told.body is None else json.dumps(told.body).encode()
        answer = requests.Response()
        answer.status_code, answer.url, answer.request, answer.reason = told.status, request.url, request, ""
        answer.headers.update(told.headers)
        answer.raw = urllib3.HTTPResponse(
            io.BytesIO(content), status=told.status, headers=told.headers, preload_content=False
        )
        return answer


class Transport(RequestsTransport):
    """A transport whose waits advance the lab's time."""

    def __init__(self, lab):
        session = requests.Session()
        session.mount("https://", Adapter(lab))
        super().__init__(session=session, session_owner=False)
        self.lab = lab

    def sleep(self, duration):
        self.lab.advance(duration)


class Credential:
    def get_token(self, *_scopes, **_options):
        return AccessToken("token", 9999999999)


def client_of(kind, lab):
    return kind(Credential(), SUB, transport=Transport(lab), authentication_policy=SansIOHTTPPolicy())


@pytest.fixture
def client(lab):
    return client_of(SiteRecoveryManagementClient, lab)


def test_every_list_of_a_vault_is_read_by_the_sdk(client, classic):
    classic.protect()
    classic.lab.do("PUT", f"{classic.fabric}/replicationvCenters/vcenter67", classic.vcenter_body())
    classic.lab.advance(300)
    read = {group: list(getattr(client, group).list(GROUP_NAME, "vault-legacy")) for group in LISTS}
    assert [len(read[group]) for group in ("replication_fabrics", "replicationv_centers", "replication_events")] == [
        1,
        1,
        3,
    ]
    assert read["replicationv_centers"][0].properties.last_heartbeat.tzinfo is not None


def test_fabrics_and_containers_come_and_go(client, lab, vault):
    details = {"properties": {"customDetails": {"instanceType": "Azure", "location": "eastus"}}}
    fabric = client.replication_fabrics.begin_create(GROUP_NAME, "vault", "east", details).result()
    assert fabric.properties.custom_details.location == "eastus"
    containers = client.replication_protection_containers
    given = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
    assert containers.begin_create(GROUP_NAME, "vault", "east", "mine", given).result().name == "mine"
    assert containers.begin_delete(GROUP_NAME, "vault", "east", "mine").result() is None
    assert client.replication_fabrics.begin_check_consistency(GROUP_NAME, "vault", "east").result().name == "east"
    assert client.replication_fabrics.begin_delete(GROUP_NAME, "vault", "east").result() is None
    assert list(client.replication_fabrics.list(GROUP_NAME, "vault")) == []


def test_a_policy_lives_through_its_whole_life(client, vault):
    policies = client.replication_policies
    body = {"properties": {"providerSpecificInput": POLICIES["modernized"]}}
    made = policies.begin_create(GROUP_NAME, "vault", "policy", body).result()
    assert made.properties.provider_specific_details.recovery_point_history_in_minutes == 1440
    settings = {**POLICIES["modernized"], "recoveryPointHistoryInMinutes": 60}
    change = {"properties": {"replicationProviderSettings": settings}}
    changed = policies.begin_update(GROUP_NAME, "vault", "policy", change).result()
    assert changed.properties.provider_specific_details.recovery_point_history_in_minutes == 60
    assert policies.begin_delete(GROUP_NAME, "vault", "policy").result() is None


def test_a_failed_job_is_an_error_with_its_code(client, vault):
    body = {"properties": {"providerSpecificInput": {**POLICIES["modernized"], "recoveryPointHistoryInMinutes": 99999}}}
    with pytest.raises(HttpResponseError, match="15040"):
        client.replication_policies.begin_create(GROUP_NAME, "vault", "policy", body).result()


def test_settings_are_answered_at_once(client, vault):
    setting = {"properties": {"vmwareToAzureProviderType": "InMageRcm"}}
    made = client.replication_vault_setting.begin_create(GROUP_NAME, "vault", "default", setting).result()
    assert made.properties.vmware_to_azure_provider_type == "InMageRcm"
    alert = {"properties": {"sendToOwners": "Send", "customEmailAddresses": [], "locale": "en_US"}}
    told = client.replication_alert_settings.create(GROUP_NAME, "vault", "defaultAlertSetting", alert)
    assert told.properties.send_to_owners == "Send"


def test_servers_of_a_vmware_estate_are_driven_through_the_sdk(client, classic):
    classic.protect()
    name = classic.fabric.rpartition("/")[2]
    body = classic.vcenter_body()
    made = client.replicationv_centers.begin_create(GROUP_NAME, "vault-legacy", name, "vcenter67", body).result()
    assert made.properties.ip_address == body["properties"]["ipAddress"]
    change = {"properties": {"friendlyName": "renamed"}}
    changed = client.replicationv_centers.begin_update(GROUP_NAME, "vault-legacy", name, "vcenter67", change).result()
    assert changed.properties.friendly_name == "renamed"
    assert client.replicationv_centers.begin_delete(GROUP_NAME, "vault-legacy", name, "vcenter67").result() is None
    move = {"properties": {"sourceProcessServerId": classic.first, "targetProcessServerId": classic.second}}
    moved = client.replication_fabrics.begin_reassociate_gateway(GROUP_NAME, "vault-legacy", name, move).result()
    assert [server.machine_count for server in moved.properties.custom_details.process_servers] == ["0", "1"]
    renew = {"properties": {"renewCertificateType": "Cloud"}}
    renewed = client.replication_fabrics.begin_renew_certificate(GROUP_NAME, "vault-legacy", name, renew).result()
    assert renewed.properties.health == "Normal"


def test_health_is_refreshed_and_read(client, vault):
    refreshed = client.replication_vault_health.begin_refresh(GROUP_NAME, "vault").result()
    assert refreshed == client.replication_vault_health.get(GROUP_NAME, "vault")


def test_removing_the_infrastructure_is_accepted(client, modern):
    fabric = modern.fabric.rpartition("/")[2]
    client.replication_fabrics.begin_remove_infra(GROUP_NAME, "vault-current", fabric).result()
    assert list(client.replication_fabrics.list(GROUP_NAME, "vault-current")) == []


def test_what_is_not_simulated_is_an_error_of_the_sdk_that_names_it(client, vault):
    with pytest.raises(HttpResponseError, match=r"protection_intents\.create is not simulated"):
        client.replication_protection_intents.create(GROUP_NAME, "vault", "x", {})


def test_usages_and_operations_are_read_by_the_vaults_package(lab, vault):
    client = client_of(RecoveryServicesClient, lab)
    (usage,) = client.replication_usages.list(GROUP_NAME, "vault")
    assert (usage.protected_item_count, usage.jobs_summary.failed_jobs) == (0, 0)
    (quota,) = client.usages.list_by_vaults(GROUP_NAME, "vault")
    assert quota.current_value == 0
    assert len(list(client.operations.list())) > 100
