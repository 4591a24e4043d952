"""Azure fabrics, their containers, mappings of containers and networks, and the supported systems."""

import pytest

from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.vmm import Network

from .conftest import GROUP, NETWORK_THERE, PROD, code


def _error(response):
    return response.body["error"]["details"][0]["code"]


def test_a_fabric_stands_for_a_region_and_tells_its_zones_and_containers(regions):
    regions.make_fabrics()
    regions.make_containers()
    properties = regions.lab.get(regions.here)["properties"]
    details = properties["customDetails"]
    assert properties["friendlyName"] == "West Europe"
    assert (details["instanceType"], details["location"]) == ("Azure", "westeurope")
    assert {"source": "1", "target": "2"} in details["zones"]
    assert details["extendedLocations"] == []
    assert len(details["containerIds"]) == 1


@pytest.mark.parametrize("location", ["atlantis", None])
def test_a_region_that_there_is_not_is_refused(regions, location):
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}
    assert _error(regions.lab.ask("PUT", regions.here, body)) == "InvalidLocation"


def test_a_region_may_be_given_by_its_display_name(regions):
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "East US 2"}}}
    regions.succeed("PUT", regions.here, body)
    assert regions.lab.get(regions.here)["properties"]["customDetails"]["location"] == "eastus2"


def test_making_a_fabric_takes_about_a_minute(regions):
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "westeurope"}}}
    regions.lab.ask("PUT", regions.here, body)
    regions.lab.advance(60)
    assert regions.lab.ask("GET", regions.here).status == 404
    regions.lab.advance(25)
    assert regions.lab.ask("GET", regions.here).status == 200


def test_a_container_mapping_names_both_sides(ready):
    mapping = f"{ready.container_here}/replicationProtectionContainerMappings/mapping"
    properties = ready.lab.get(mapping)["properties"]
    assert properties["targetProtectionContainerFriendlyName"] == "container-ne"
    assert properties["targetFabricFriendlyName"] == "North Europe"
    assert properties["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Disabled"


def test_the_agents_of_a_mapping_can_be_updated_automatically(ready):
    mapping = f"{ready.container_here}/replicationProtectionContainerMappings/mapping"
    specific = {"instanceType": "A2A", "agentAutoUpdateStatus": "Enabled"}
    ready.succeed("PATCH", mapping, {"properties": {"providerSpecificInput": specific}})
    assert ready.lab.get(mapping)["properties"]["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Enabled"


def test_a_container_with_machines_in_it_is_not_removed(protected):
    assert code(protected.lab.do("POST", f"{protected.container_here}/remove")) == "25037"


def test_a_network_mapping_is_read_alone_and_in_both_lists(ready):
    found = ready.lab.get(ready.network_mapping)
    properties = found["properties"]
    assert properties["state"] == "Paired"
    assert (properties["primaryNetworkId"], properties["recoveryNetworkId"]) == (PROD, NETWORK_THERE)
    assert properties["recoveryFabricArmId"].endswith("/replicationFabrics/fabric-ne")
    assert properties["fabricSpecificSettings"] == {
        "instanceType": "AzureToAzure",
        "primaryFabricLocation": "westeurope",
        "recoveryFabricLocation": "northeurope",
    }
    of_network = ready.lab.get(f"{ready.here}/replicationNetworks/azureNetwork/replicationNetworkMappings")
    assert of_network["value"] == [found]
    assert ready.lab.get(f"{ready.vault}/replicationNetworkMappings")["value"] == [found]


def test_the_job_of_a_network_mapping_is_network_pairing(regions):
    regions.make_fabrics()
    job = regions.succeed("PUT", regions.network_mapping, regions.network_mapping_body())
    assert (job["scenarioName"], job["targetInstanceType"]) == ("NetworkPairing", "Network")
    job = regions.succeed("DELETE", regions.network_mapping)
    assert job["scenarioName"] == "NetworkUnPairing"
    assert regions.lab.ask("GET", regions.network_mapping).status == 404


def test_a_network_mapping_can_be_given_another_recovery_network(ready):
    other = NETWORK_THERE.replace("vnet-recovery", "vnet-test")
    ready.succeed("PATCH", ready.network_mapping, {"properties": {"recoveryNetworkId": other}})
    properties = ready.lab.get(ready.network_mapping)["properties"]
    assert (properties["primaryNetworkId"], properties["recoveryNetworkId"]) == (PROD, other)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recoveryFabricName": None}, "InvalidRecoveryFabric"),
        ({"recoveryFabricName": "fabric-we"}, "InvalidRecoveryFabric"),
        ({"recoveryFabricName": "none"}, "ArmResourceDoesNotExist"),
        ({"recoveryNetworkId": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/none"}, "InvalidNetwork"),
        ({"recoveryNetworkId": PROD}, "InvalidNetwork"),
        (
            {"fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": NETWORK_THERE}},
            "InvalidNetwork",
        ),
        ({"fabricSpecificDetails": {"instanceType": "VmmToAzure"}}, "InvalidFabricSpecificInput"),
    ],
)
def test_a_network_mapping_that_is_wrong_is_refused(regions, changes, expected):
    regions.make_fabrics()
    response = regions.lab.ask("PUT", regions.network_mapping, regions.network_mapping_body(**changes))
    assert _error(response) == expected


def test_networks_of_azure_fabrics_are_mapped_under_one_name_only(regions):
    regions.make_fabrics()
    path = regions.network_mapping.replace("azureNetwork", "vnet-prod")
    assert regions.lab.ask("PUT", path, regions.network_mapping_body()).status == 404


def test_supported_systems_are_those_of_a2a_unless_another_provider_is_asked_for(regions):
    path = f"{regions.vault}/replicationSupportedOperatingSystems"
    (listed,) = regions.lab.get(path)["properties"]["supportedOsList"]
    assert listed["instanceType"] == "A2A"
    assert {"centos", "debian", "oracle", "rhel"} <= {system["osName"] for system in listed["supportedOs"]}
    (other,) = regions.lab.get(path, instanceType="InMageRcm")["properties"]["supportedOsList"]
    assert other["instanceType"] == "InMageRcm"
    assert regions.lab.ask("GET", path, instanceType="Nothing").status == 400


def test_older_api_versions_know_less_of_a_fabric(regions):
    regions.make_fabrics()

    def known(api):
        return set(regions.lab.get(regions.here, api=api)["properties"]["customDetails"])

    assert known("2016-08-10") == {"instanceType", "location", "containerIds"}
    assert known("2022-08-01") == {"instanceType", "location", "containerIds", "zones"}
    assert known("2025-08-01") > known("2022-08-01")


# Networks of VMM servers


@pytest.fixture
def vmm(regions):
    """Two VMM servers with a network each; the first one's path is returned."""
    world = regions.lab.world
    for name in ("vmm-1", "vmm-2"):
        fabric = f"{regions.vault}/replicationFabrics/{name}".replace("/subscriptions/", "/Subscriptions/")
        vault = fabric.partition("/replicationFabrics")[0]
        world.resources.put(fabric, Fabric(fabric, name, "VMM", name, world.guid(), vault, "", [], regions.lab.now))
        network = f"{fabric}/replicationNetworks/corp"
        world.resources.put(network, Network(network, "corp", fabric, "Corporate"))
    return f"{regions.vault}/replicationFabrics/vmm-1/replicationNetworks/corp"


def test_a_network_of_a_vmm_server_is_mapped_to_azure(regions, vmm):
    path = f"{vmm}/replicationNetworkMappings/corp-to-azure"
    body = {"properties": {"recoveryNetworkId": PROD, "fabricSpecificDetails": {"instanceType": "VmmToAzure"}}}
    regions.succeed("PUT", path, body)
    properties = regions.lab.get(path)["properties"]
    assert properties["primaryNetworkFriendlyName"] == "Corporate"
    assert properties["recoveryFabricFriendlyName"] == "Microsoft Azure"
    assert properties["recoveryNetworkFriendlyName"] == "vnet-prod"
    assert properties["fabricSpecificSettings"] == {"instanceType": "VmmToAzure"}
    other = {"properties": {"recoveryNetworkId": NETWORK_THERE}}
    regions.succeed("PATCH", path, other)
    assert regions.lab.get(path)["properties"]["recoveryNetworkFriendlyName"] == "vnet-recovery"
    regions.succeed("DELETE", path)
    assert regions.lab.get(f"{vmm}/replicationNetworkMappings")["value"] == []


def test_a_network_of_a_vmm_server_is_mapped_to_that_of_another(regions, vmm):
    path = f"{vmm}/replicationNetworkMappings/corp-to-corp"
    other = vmm.replace("vmm-1", "vmm-2")
    body = {
        "properties": {
            "recoveryFabricName": "vmm-2",
            "recoveryNetworkId": other,
            "fabricSpecificDetails": {"instanceType": "VmmToVmm"},
        }
    }
    regions.succeed("PUT", path, body)
    properties = regions.lab.get(path)["properties"]
    assert (properties["recoveryFabricFriendlyName"], properties["recoveryNetworkFriendlyName"]) == (
        "vmm-2",
        "Corporate",
    )


def test_a_network_that_the_vmm_server_does_not_have_is_not_found(regions, vmm):
    path = vmm.replace("/corp", "/none") + "/replicationNetworkMappings/none"
    body = {"properties": {"recoveryNetworkId": PROD, "fabricSpecificDetails": {"instanceType": "VmmToAzure"}}}
    assert regions.lab.ask("PUT", path, body).status == 404
    assert regions.lab.ask("GET", path).status == 404
