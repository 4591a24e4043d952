"""Resource groups, networks, storage, virtual machines and discovery sites."""

import pytest

from asr_lab.arm.landing_zone import RESOURCE_GROUP, SUBSCRIPTION_ID
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm, delete_vm, set_power
from asr_lab.arm.resources.off_azure import add_machine, add_run_as_account, add_site
from asr_lab.arm.wire import ArmError

SUB = f"/subscriptions/{SUBSCRIPTION_ID}"
NETWORK, STORAGE, COMPUTE, DISK, OFF = "2026-03-01", "2026-09-01", "2026-04-01", "2026-03-02", "2023-06-06"
GIB = 1024**3


@pytest.fixture
def subnet(ask):
    return f"{ask.group}/providers/Microsoft.Network/virtualNetworks/vnet-prod/subnets/apps"


@pytest.fixture
def vm(world, clock, ask, subnet):
    def make(name="web", ip=None):
        return create_vm(
            world,
            clock.now(),
            resource_group=ask.group.upper(),
            name=name,
            size="Standard_B2s",
            location="westeurope",
            nics=[VmNic(subnet, ip)],
            disks=[VmDisk(f"{name}-os", 30 * GIB, boot=True), VmDisk(f"{name}-data", 5 * GIB + 1)],
            tags={"asr-source-id": "i-1"},
        )

    return make


def test_the_subscription_is_listed_with_its_tenant_and_locations(ask):
    assert ask("GET", "/subscriptions", version="2022-12-01").body["value"][0]["subscriptionId"] == SUBSCRIPTION_ID
    assert ask("GET", SUB, version="2022-12-01").body["state"] == "Enabled"
    assert "westeurope" in [row["name"] for row in ask("GET", f"{SUB}/locations", version="2022-12-01").body["value"]]
    assert len(ask("GET", "/tenants", version="2022-12-01").body["value"]) == 1


def test_providers_are_registered_and_tell_their_versions(ask):
    provider = ask("POST", f"{SUB}/providers/microsoft.network/register").body
    assert provider["registrationState"] == "Registered"
    kinds = {row["resourceType"]: row["apiVersions"] for row in provider["resourceTypes"]}
    assert NETWORK in kinds["virtualNetworks"]
    assert ask("GET", f"{SUB}/providers/Microsoft.Nothing").status == 404
    assert len(ask("GET", f"{SUB}/providers").body["value"]) == 6


def test_a_resource_group_is_created_once_and_keeps_its_location(ask):
    path = f"{SUB}/resourceGroups/rg-new"
    assert ask("HEAD", path).status == 404
    assert ask("PUT", path, {"location": "West Europe"}).status == 201
    assert ask("PUT", path, {"location": "westeurope", "tags": {"a": "b"}}).status == 200
    assert ask("GET", path).body["tags"] == {"a": "b"}
    assert ask("HEAD", path).status == 204
    assert ask("PUT", path, {"location": "northeurope"}).status == 409
    assert ask("PUT", path, {"location": "mars"}).status == 400
    assert [row["name"] for row in ask("GET", f"{SUB}/resourceGroups").body["value"]] == [RESOURCE_GROUP, "rg-new"]


def test_the_landing_zones_resources_are_listed(ask):
    names = [row["name"] for row in ask("GET", f"{ask.group}/resources").body["value"]]
    assert names == ["vnet-prod", "vnet-test", "stasrcache"]
    assert len(ask("GET", f"{SUB}/resources").body["value"]) == 3


def test_a_network_is_created_with_its_subnets_and_a_second_put_drops_what_it_leaves_out(ask):
    path = f"{ask.group}/providers/Microsoft.Network/virtualNetworks/vnet-new"
    subnets = [{"name": name, "properties": {"addressPrefix": f"10.1.{name}.0/24"}} for name in ("1", "2")]
    body = {
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": subnets},
    }
    assert ask("PUT", path, body, version=NETWORK).status == 201
    assert ask("GET", f"{path}/subnets/1", version=NETWORK).body["properties"]["addressPrefix"] == "10.1.1.0/24"
    body["properties"]["subnets"] = subnets[:1]
    assert ask("PUT", path, body, version=NETWORK).status == 200
    assert [row["name"] for row in ask("GET", f"{path}/subnets", version=NETWORK).body["value"]] == ["1"]
    more = {"properties": {"addressPrefix": "10.1.9.0/24"}}
    assert ask("PUT", f"{path}/subnets/9", more, version=NETWORK).status == 201
    assert ask("PUT", f"{path}/subnets/8", {"properties": {}}, version=NETWORK).status == 400
    listed = ask("GET", f"{SUB}/providers/Microsoft.Network/virtualNetworks", version=NETWORK).body["value"]
    assert [row["name"] for row in listed] == ["vnet-prod", "vnet-test", "vnet-new"]
    assert ask("GET", f"{path}/subnets/none", version=NETWORK).status == 404


def test_a_storage_accounts_name_is_checked_and_its_keys_are_refused(ask):
    accounts = f"{ask.group}/providers/Microsoft.Storage/storageAccounts"
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    assert ask("PUT", f"{accounts}/Not-Valid", body, version=STORAGE).status == 400
    assert ask("PUT", f"{accounts}/stnew", body, version=STORAGE).status == 200
    assert ask("PUT", f"{accounts}/stnew", {**body, "location": "eastus"}, version=STORAGE).status == 409
    assert ask("POST", f"{accounts}/stnew/listKeys", version=STORAGE).status == 403
    assert len(ask("GET", accounts, version=STORAGE).body["value"]) == 2
    check = f"{SUB}/providers/Microsoft.Storage/checkNameAvailability"
    question = {"name": "stnew", "type": "Microsoft.Storage/storageAccounts"}
    assert ask("POST", check, question, version=STORAGE).body["nameAvailable"] is False
    assert ask("DELETE", f"{accounts}/stnew", version=STORAGE).status == 200
    assert ask("POST", check, question, version=STORAGE).body["nameAvailable"] is True


def test_a_failed_over_machine_is_readable_with_disks_interface_and_power_state(ask, vm):
    made = vm(ip="10.60.1.21")
    shown = ask("GET", made, version=COMPUTE, **{"$expand": "instanceView"}).body
    assert made == f"{ask.group}/providers/Microsoft.Compute/virtualMachines/web"
    assert shown["tags"] == {"asr-source-id": "i-1"}
    assert "instance" not in shown
    assert shown["properties"]["instanceView"]["statuses"][1]["code"] == "PowerState/running"
    storage = shown["properties"]["storageProfile"]
    assert (storage["osDisk"]["name"], storage["osDisk"]["osType"]) == ("web-os", "Windows")
    assert ask("GET", storage["dataDisks"][0]["managedDisk"]["id"], version=DISK).body["properties"]["diskSizeGB"] == 6
    nic = ask("GET", shown["properties"]["networkProfile"]["networkInterfaces"][0]["id"], version=NETWORK).body
    assert nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.60.1.21"
    assert nic["properties"]["virtualMachine"] == {"id": made}


def test_an_address_that_is_taken_or_not_given_is_the_next_free_one(world, vm):
    made = [vm("a", "10.60.1.4"), vm("b", "10.60.1.4"), vm("c")]
    nics = [world.resources.get(one)["properties"]["networkProfile"]["networkInterfaces"][0]["id"] for one in made]
    addresses = [
        world.resources.get(nic)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] for nic in nics
    ]
    assert addresses == ["10.60.1.4", "10.60.1.5", "10.60.1.6"]


def test_a_name_that_is_taken_cannot_be_made_again(vm):
    vm()
    with pytest.raises(ArmError, match="exists in resource group"):
        vm()


def test_the_clean_up_of_a_test_removes_machine_disks_and_interface(world, ask, vm):
    before = len(world.resources)
    delete_vm(world, vm())
    assert len(world.resources) == before


def test_deleting_a_machine_by_request_leaves_its_disks_detached(clock, ask, vm):
    made = vm()
    disk = f"{ask.group}/providers/Microsoft.Compute/disks/web-os"
    assert ask("DELETE", disk, version=DISK).status == 409
    started = ask("DELETE", made, version=COMPUTE)
    assert started.status == 202
    clock.advance(40)
    status = started.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").partition("?")[0]
    assert ask("GET", status, version=COMPUTE).body["status"] == "Succeeded"
    assert ask("GET", made, version=COMPUTE).status == 404
    assert ask("GET", disk, version=DISK).body["properties"]["diskState"] == "Unattached"
    assert ask("DELETE", disk, version=DISK).status == 200
    assert ask("DELETE", made, version=COMPUTE).status == 204


def test_machines_are_listed_by_group_and_subscription(world, clock, ask, vm):
    set_power(world, vm("a"), "deallocated", clock.now())
    vm("b")
    assert (
        len(ask("GET", f"{ask.group}/providers/Microsoft.Compute/virtualMachines", version=COMPUTE).body["value"]) == 2
    )
    every = f"{SUB}/providers/Microsoft.Compute/virtualMachines"
    rows = ask("GET", every, version=COMPUTE, statusOnly="true").body["value"]
    codes = [row["properties"]["instanceView"]["statuses"][1]["code"] for row in rows]
    assert codes == ["PowerState/deallocated", "PowerState/running"]


def test_a_machine_is_not_made_by_a_request(ask):
    path = f"{ask.group}/providers/Microsoft.Compute/virtualMachines/new"
    assert ask("PUT", path, {"location": "westeurope"}, version=COMPUTE).status == 405


def test_the_machines_of_a_site_come_a_hundred_a_page(world, clock, ask):
    place = {"subscription_id": SUBSCRIPTION_ID, "resource_group": RESOURCE_GROUP, "location": "westeurope"}
    site = add_site(world, name="vault-current-serversite", now=clock.now(), **place)
    for number in range(101):
        add_machine(world, site, f"m{number}", {"displayName": f"m{number}"}, now=clock.now())
    first = ask("GET", f"{site}/machines", version=OFF).body
    assert len(first["value"]) == 100
    token = first["nextLink"].rpartition("continuationToken=")[2]
    last = ask("GET", f"{site}/machines", version=OFF, continuationToken=token).body
    assert ([row["name"] for row in last["value"]], last["nextLink"]) == (["m100"], None)
    assert ask("GET", f"{site}/machines", version=OFF, continuationToken="?").status == 400
    assert ask("GET", f"{site}/machines/m7", version=OFF).body["properties"]["displayName"] == "m7"
    assert ask("GET", f"{site}/machines/none", version=OFF).status == 404


def test_the_accounts_of_a_site_are_listed_by_type(world, clock, ask):
    place = {"subscription_id": SUBSCRIPTION_ID, "resource_group": RESOURCE_GROUP, "location": "westeurope"}
    site = add_site(world, name="site", now=clock.now(), **place)
    account = add_run_as_account(
        world, site, "acc", display_name="lab", credential_type="WindowsServer", now=clock.now()
    )
    assert ask("GET", account, version=OFF).body["properties"]["credentialType"] == "WindowsServer"
    assert len(ask("GET", f"{site}/runasaccounts", version=OFF).body["value"]) == 1
    sites = f"{ask.group}/providers/Microsoft.OffAzure"
    assert len(ask("GET", f"{sites}/serversites", version=OFF).body["value"]) == 1
    assert ask("GET", f"{sites}/NoSites", version=OFF).status == 404
