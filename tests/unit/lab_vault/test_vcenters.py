"""vCenter servers of configuration servers and of appliances, and the machines they bring."""

import pytest
from tests.worlds.hosts import host
from tests.worlds.vaults import PASSPHRASE

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.arm.site_recovery_vmware import (
    world_add_vcenter,
    world_add_vcenter_to_appliance,
    world_register_process_server,
)

from .conftest import VCENTER


def vcenter(classic):
    return f"{classic.fabric}/replicationvCenters/vcenter67"


def discovered(classic):
    listed = classic.lab.get(f"{classic.container}/replicationProtectableItems")["value"]
    return [
        one["properties"]["friendlyName"]
        for one in listed
        if one["properties"]["customDetails"]["discoveryType"] == "vCenter"
    ]


def test_the_machines_of_a_vcenter_become_protectable(classic):
    job = classic.lab.do("PUT", vcenter(classic), classic.vcenter_body())
    assert (job["scenarioName"], job["state"]) == ("DiscoverVCenter", "Succeeded")
    pending = classic.lab.get(vcenter(classic))["properties"]
    assert (pending["discoveryStatus"], pending["lastHeartbeat"], discovered(classic)) == ("Pending", None, [])
    classic.lab.advance(300)
    assert discovered(classic) == ["vm-1", "vm-2", "vm-3"]
    properties = classic.lab.get(vcenter(classic))["properties"]
    assert (properties["ipAddress"], properties["port"], properties["runAsAccountId"]) == (VCENTER, "443", "2")
    assert classic.lab.names(f"{classic.fabric}/replicationvCenters") == ["vcenter67"]
    assert classic.lab.names(f"{classic.vault}/replicationvCenters") == ["vcenter67"]
    stores = classic.details()["masterTargetServers"][0]["dataStores"]
    assert [store["symbolicName"] for store in stores] == ["datastore"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ipAddress": "10.20.9.9"}, "10.20.9.9"),
        ({"port": "8443"}, "8443"),
        ({"runAsAccountId": "7"}, "account 7"),
        ({"processServerId": "none"}, "process server none"),
    ],
)
def test_a_vcenter_that_cannot_be_asked_fails_in_the_job(classic, changes, why):
    job = classic.lab.do("PUT", vcenter(classic), classic.vcenter_body(**changes))
    assert job["state"] == "Failed"
    assert why in job["errors"][0]["providerErrorDetails"]["errorMessage"]
    assert classic.lab.refused("GET", vcenter(classic))[0] == 404


def test_a_vcenter_behind_a_firewall_fails_in_the_job(classic):
    classic.lab.hosts.blocked.add(("10.20.0.10", VCENTER, 443))
    assert classic.lab.do("PUT", vcenter(classic), classic.vcenter_body())["state"] == "Failed"


def test_a_vcenter_without_an_account_is_refused_at_once(classic):
    body = classic.vcenter_body()
    del body["properties"]["runAsAccountId"]
    status, code, message = classic.lab.refused("PUT", vcenter(classic), body)
    assert (status, code) == (400, "InvalidParameter")
    assert "runAsAccountId" in message


def test_a_vcenter_is_changed_and_asked_anew(classic):
    lab = classic.lab
    lab.do("PUT", vcenter(classic), classic.vcenter_body())
    lab.advance(300)
    machines = [host("vm-1", "10.20.2.1", 101), host("vm-9", "10.20.2.9", 109)]
    world_add_vcenter(lab.world, address=VCENTER, name="vcenter67", machines=machines, now=lab.now)
    job = lab.do("PATCH", vcenter(classic), {"properties": {"friendlyName": "renamed", "runAsAccountId": "1"}})
    assert (job["scenarioName"], job["state"]) == ("UpdateVCenter", "Succeeded")
    lab.advance(300)
    properties = lab.get(vcenter(classic))["properties"]
    assert (properties["friendlyName"], properties["runAsAccountId"]) == ("renamed", "1")
    assert discovered(classic) == ["vm-1", "vm-2", "vm-3", "vm-9"]


def test_refreshing_the_server_brings_new_machines(classic):
    lab = classic.lab
    lab.do("PUT", vcenter(classic), classic.vcenter_body())
    machines = [host("vm-9", "10.20.2.9", 109)]
    world_add_vcenter(lab.world, address=VCENTER, name="vcenter67", machines=machines, now=lab.now)
    providers = f"{classic.fabric}/replicationRecoveryServicesProviders"
    lab.do("POST", f"{providers}/{lab.names(providers)[0]}/refreshProvider")
    assert "vm-9" in discovered(classic)


def test_removing_a_vcenter_takes_its_machines_away(classic):
    classic.lab.do("PUT", vcenter(classic), classic.vcenter_body())
    classic.lab.advance(300)
    job = classic.lab.do("DELETE", vcenter(classic))
    assert (job["scenarioName"], job["state"]) == ("RemoveVCenter", "Succeeded")
    assert discovered(classic) == []
    assert classic.lab.names(f"{classic.vault}/replicationvCenters") == []


def test_a_vcenter_is_discovered_while_the_lab_is_restarted(classic):
    assert classic.lab.ask("PUT", vcenter(classic), classic.vcenter_body()).status == 202
    other = classic.lab.restored()
    other.advance(600)
    assert other.names(f"{classic.vault}/replicationvCenters") == ["vcenter67"]
    assert len(other.names(f"{classic.container}/replicationProtectableItems")) == 4


def test_a_vcenter_removed_before_it_was_asked_lists_nothing(classic):
    classic.lab.do("PUT", vcenter(classic), classic.vcenter_body())
    classic.lab.do("DELETE", vcenter(classic))
    classic.lab.advance(600)
    assert discovered(classic) == []


def test_a_vcenter_belongs_to_a_configuration_server(modern):
    status, code, _ = modern.lab.refused(
        "PUT", f"{modern.fabric}/replicationvCenters/x", {"properties": {"friendlyName": "x"}}
    )
    assert (status, code) == (400, "OperationNotSupported")


def test_a_process_server_registers_once_and_needs_the_passphrase(classic):
    lab = classic.lab
    second = host("legacy-ps", "10.20.0.11", 11)
    again = world_register_process_server(
        lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=second, now=lab.now
    )
    assert again == classic.second
    with pytest.raises(RegistrationRefused, match="PassphraseInvalid"):
        world_register_process_server(
            lab.world, server_address="10.20.0.10", passphrase="wrong", host=second, now=lab.now
        )
    with pytest.raises(RegistrationRefused, match="ServerUnreachable"):
        world_register_process_server(
            lab.world, server_address="10.20.0.99", passphrase=PASSPHRASE, host=second, now=lab.now
        )


@pytest.fixture
def site(modern):
    """A VMware site whose appliance was told of a vCenter with 230 machines."""
    lab = modern.lab
    machines = [host(f"vm-{number}", f"10.21.{number // 200}.{number % 200}", number) for number in range(1000, 1230)]
    lab.hosts.hosts.update({one.addresses[0]: one for one in machines})
    world_add_vcenter(lab.world, address=VCENTER, name="vcenter67", machines=machines, now=lab.now)
    world_add_vcenter_to_appliance(
        lab.world, vault_id=modern.vault, address=VCENTER, account="vsphere", guest_account="guest", now=lab.now
    )
    lab.advance(600)
    return modern.vmware_site


@pytest.mark.parametrize("api", ["2020-01-01", "2023-06-06"])
def test_an_appliance_lists_the_machines_of_a_vcenter_a_hundred_a_page(modern, site, api):
    lab, sizes, query, names = modern.lab, [], {}, set()
    while True:
        page = lab.get(f"{site}/machines", api=api, **query)
        sizes.append(len(page["value"]))
        names |= {one["name"] for one in page["value"]}
        if page["nextLink"] is None:
            break
        assert f"api-version={api}" in page["nextLink"]
        query = {"continuationToken": page["nextLink"].partition("continuationToken=")[2]}
    assert sizes == [100, 100, 30]
    assert len(names) == 230


def test_machines_of_a_vcenter_tell_less_in_the_first_api_version(modern, site):
    name = modern.lab.get(f"{site}/machines", api="2023-06-06")["value"][0]["name"]
    new = modern.lab.get(f"{site}/machines/{name}", api="2023-06-06")["properties"]
    old = modern.lab.get(f"{site}/machines/{name}", api="2020-01-01")["properties"]
    assert set(new) - set(old) == {"appliancePropertiesCollection", "hydratedFqdn", "runAsAccountId"}
    assert new["vCenterFQDN"] == "vcenter67"
    assert (old["firmware"], old["powerStatus"]) == ("BIOS", "ON")


def test_an_appliance_tells_its_vcenter_and_its_accounts(modern, site):
    lab = modern.lab
    (one,) = lab.get(f"{site}/vcenters", api="2020-01-01")["value"]
    assert one["properties"]["fqdn"] == VCENTER
    assert lab.get(f"{site}/vcenters/{one['name']}", api="2023-06-06") == one
    accounts = {
        account["properties"]["displayName"]: account["properties"]["credentialType"]
        for account in lab.get(f"{site}/runasaccounts", api="2023-06-06")["value"]
    }
    assert accounts == {"vsphere": "VMwareFabric", "guest": "WindowsGuest"}
    assert one["properties"]["runAsAccountId"].startswith(site)


def test_server_sites_have_no_vcenters(modern):
    physical = modern.lab.get(modern.fabric)["properties"]["customDetails"]["physicalSiteId"]
    assert modern.lab.refused("GET", f"{physical}/vcenters", api="2023-06-06")[:2] == (404, "InvalidResourceType")


def test_an_appliance_cannot_be_told_of_a_vcenter_that_is_not_there(modern):
    with pytest.raises(RegistrationRefused, match="ServerUnreachable"):
        world_add_vcenter_to_appliance(
            modern.lab.world, vault_id=modern.vault, address="10.9.9.9", account="a", now=modern.lab.now
        )


def test_a_vault_without_an_appliance_cannot_be_told_of_a_vcenter(lab, vault):
    with pytest.raises(RegistrationRefused, match="NoAppliance"):
        world_add_vcenter_to_appliance(lab.world, vault_id=vault, address=VCENTER, account="a", now=lab.now)


def test_a_machine_of_a_vmware_site_can_be_protected(modern, site):
    modern.map_policy()
    machine = modern.lab.get(f"{site}/machines", api="2023-06-06")["value"][0]["id"]
    job = modern.enable(machine, "vm-1000")
    assert job["state"] == "Succeeded", job["errors"]
    item = modern.lab.get(f"{modern.container}/replicationProtectedItems/vm-1000")["properties"]
    assert item["providerSpecificDetails"]["fabricDiscoveryMachineId"].casefold() == machine.casefold()
