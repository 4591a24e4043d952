"""Hyper-V sites, the registration of hosts, and the machines they report."""

import pytest
from tests.unit.lab_hyper_v.conftest import OLD, Site, machine
from tests.worlds.hosts import host

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.arm.site_recovery_hyper_v import world_register_hyper_v_host


def test_making_a_site_is_the_recorded_job(bare):
    job = bare.make()
    assert (job["scenarioName"], job["friendlyName"], job["targetInstanceType"]) == (
        "CreateSite",
        "Create a site",
        "Server",
    )
    assert [(task["taskId"], task["name"]) for task in job["tasks"]] == [("RegisterVMMTask", "RegisterVmmTask")]
    assert job["customDetails"]["affectedObjectDetails"]["primaryFabricProviderId"] == "HyperVSite"
    shown = bare.lab.get(bare.fabric)["properties"]
    assert shown["customDetails"] == {"instanceType": "HyperVSite", "hyperVHosts": []}
    assert bare.container.endswith(f"/cloud_{shown['internalIdentifier']}")


def test_a_host_registers_with_the_key_of_its_site_and_reports_its_machines(bare):
    bare.make()
    dra = bare.register()
    details = bare.lab.get(bare.fabric)["properties"]["customDetails"]
    assert [one["name"] for one in details["hyperVHosts"]] == ["hv-1"]
    assert bare.lab.get(dra)["properties"]["connectionStatus"] == "Connected"
    jobs = bare.lab.get(f"{bare.vault}/replicationJobs")["value"]
    assert jobs[0]["properties"]["scenarioName"] == "RegisterDra"
    listed = bare.lab.get(f"{bare.container}/replicationProtectableItems")["value"]
    assert [one["properties"]["friendlyName"] for one in listed] == ["sql-1", "web-1"]
    assert {one["properties"]["recoveryServicesProviderId"] for one in listed} == {dra}


def test_the_oldest_version_does_not_show_the_hosts_of_a_site(site):
    assert site.lab.get(site.fabric, api=OLD)["properties"]["customDetails"] == {"instanceType": "HyperVSite"}


def test_a_machine_whose_system_is_unknown_shows_what_was_recorded_in_2017(bare):
    bare.machines[0] = machine("sql-1", 1, os_reported=False)
    bare.make()
    bare.register()
    shown = bare.lab.get(bare.protectable(), api=OLD)["properties"]
    assert shown["supportedReplicationProviders"] == ["HyperVReplicaAzure"]
    assert shown["customDetails"] == {
        "instanceType": "HyperVVirtualMachine",
        "sourceItemId": bare.machines[0].vm_id,
        "generation": "1",
        "osDetails": None,
        "diskDetails": [
            {"maxSizeMB": 40960, "vhdType": "Data", "vhdId": bare.machines[0].disks[0].vhd_id, "vhdName": "sql-1"},
            {"maxSizeMB": 10240, "vhdType": "Data", "vhdId": bare.machines[0].disks[1].vhd_id, "vhdName": "sql-1-data"},
        ],
    }


def test_a_machine_shows_its_system_and_what_it_lacks_since_2018(site):
    details = site.lab.get(site.protectable())["properties"]["customDetails"]
    assert details["osDetails"]["osType"] == "Windows"
    assert [disk["vhdType"] for disk in details["diskDetails"]] == ["OperatingSystem", "Data"]
    assert (details["hasSharedVhd"], details["hasPhysicalDisk"], details["hasFibreChannelAdapter"]) == (
        "NotPresent",
        "NotPresent",
        "NotPresent",
    )


def test_a_host_that_registers_again_keeps_its_provider_and_reports_anew(site):
    before = site.lab.get(f"{site.fabric}/replicationRecoveryServicesProviders")["value"]
    site.machines = [machine("sql-1", 1), machine("new-1", 3)]
    site.register()
    assert [one["id"] for one in site.lab.get(f"{site.fabric}/replicationRecoveryServicesProviders")["value"]] == [
        one["id"] for one in before
    ]
    listed = site.lab.get(f"{site.container}/replicationProtectableItems")["value"]
    assert [one["properties"]["friendlyName"] for one in listed] == ["sql-1", "new-1"]


def test_a_machine_that_is_protected_stays_in_the_list_when_its_host_reports_it_no_more(protected):
    protected.machines = protected.machines[1:]
    protected.register()
    listed = protected.lab.get(f"{protected.container}/replicationProtectableItems")["value"]
    assert [one["properties"]["protectionStatus"] for one in listed] == ["Protected", "Unprotected"]


def test_a_second_host_reports_its_machines_beside_those_of_the_first(site):
    world_register_hyper_v_host(
        site.lab.world,
        site_id=site.fabric,
        host=host("hv-2", "10.30.0.11", 31),
        machines=[machine("app-9", 9)],
        now=site.lab.now,
    )
    site.lab.advance(60)
    listed = site.lab.get(f"{site.container}/replicationProtectableItems")["value"]
    assert [one["properties"]["friendlyName"] for one in listed] == ["sql-1", "web-1", "app-9"]
    assert len(site.lab.get(f"{site.fabric}/replicationRecoveryServicesProviders")["value"]) == 2


def test_a_key_without_a_site_is_refused(bare):
    bare.make()
    with pytest.raises(RegistrationRefused, match="SiteUnknown"):
        world_register_hyper_v_host(
            bare.lab.world,
            vault_credentials_xml=bare.lab.vault_key(bare.vault),
            host=host("hv-1", "10.30.0.10", 30),
            machines=[],
            now=bare.lab.now,
        )


def test_a_host_of_another_site_is_refused(site):
    other = Site(site.lab, site.lab.make_vault("vault-other"))
    other.make()
    with pytest.raises(RegistrationRefused, match="AlreadyRegistered"):
        other.register()


def test_an_expired_key_is_refused(bare):
    bare.make()
    key = bare.key()
    bare.lab.advance(6 * 86400)
    with pytest.raises(RegistrationRefused, match="KeyExpired"):
        world_register_hyper_v_host(
            bare.lab.world,
            vault_credentials_xml=key,
            host=host("hv-1", "10.30.0.10", 30),
            machines=[],
            now=bare.lab.now,
        )


def test_a_host_can_be_removed_when_none_of_its_machines_is_protected(site):
    dra = site.lab.get(f"{site.fabric}/replicationRecoveryServicesProviders")["value"][0]["id"]
    assert site.lab.do("POST", f"{dra}/remove")["state"] == "Succeeded"
    assert site.lab.get(site.fabric)["properties"]["customDetails"]["hyperVHosts"] == []
    assert site.lab.get(f"{site.container}/replicationProtectableItems")["value"] == []


def test_a_host_whose_machine_is_protected_is_not_removed(protected):
    dra = protected.lab.get(f"{protected.fabric}/replicationRecoveryServicesProviders")["value"][0]["id"]
    job = protected.lab.do("POST", f"{dra}/remove")
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")
    assert "sql-1" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_a_physical_machine_cannot_be_added_to_a_site(site):
    body = {"properties": {"friendlyName": "x", "ipAddress": "10.0.0.1", "osType": "Windows"}}
    refused = site.lab.ask("POST", f"{site.container}/discoverProtectableItem", body)
    assert refused.status == 400
    assert "HyperVSite" in refused.body["error"]["message"]


def test_the_list_comes_in_the_pages_asked_for_and_ends_with_an_empty_one(bare):
    bare.machines = [machine(f"vm-{number}", number) for number in range(1, 6)]
    bare.make()
    bare.register()
    path = f"{bare.container}/replicationProtectableItems"
    query, sizes = {"$take": "2"}, []
    while True:
        answer = bare.lab.ask("GET", path, **query)
        sizes.append(len(answer.body["value"]))
        if answer.body["nextLink"] is None:
            break
        token = answer.body["nextLink"].partition("skipToken=")[2].replace("%3A", ":")
        assert "%24take=2" in answer.body["nextLink"]
        query = {"$take": "2", "$skipToken": token}
    assert sizes == [2, 2, 1, 0]


def test_the_list_can_be_filtered_by_name_and_status(protected):
    path = f"{protected.container}/replicationProtectableItems"
    found = protected.lab.get(path, **{"$filter": "ProtectionStatus eq 'Unprotected'"})["value"]
    assert [one["properties"]["friendlyName"] for one in found] == ["web-1"]
    found = protected.lab.get(path, **{"$filter": "friendlyName eq 'SQL-1'"})["value"]
    assert [one["properties"]["friendlyName"] for one in found] == ["sql-1"]


@pytest.mark.parametrize("query", [{"$filter": "size gt 3"}, {"$take": "0"}, {"$skipToken": "no-such"}])
def test_a_list_query_that_means_nothing_is_refused(site, query):
    assert site.lab.ask("GET", f"{site.container}/replicationProtectableItems", **query).status == 400


def test_a_host_without_heartbeat_is_seen_at_the_site(site):
    site.lab.world.faults.add({"effect": "appliance_without_heartbeat", "match": {"name": "hv-1"}})
    shown = site.lab.get(site.fabric)["properties"]
    assert shown["health"] == "Critical"
    assert shown["healthErrorDetails"][0]["errorCode"] == "583"
