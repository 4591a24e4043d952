"""The vault and the policy are made once and never changed."""

import pytest

from asr_migrate.azure import replication_policy, vault
from asr_migrate.azure.appliance import ApplianceReader
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import Architecture, PolicySettings


async def make_vault(session):
    return await vault.ensure(session.clients, session.landing_zone)


async def make_policy(session):
    clients, zone = session.clients, session.landing_zone
    changed = await replication_policy.ensure_policy(clients, zone)
    seen = await ApplianceReader(clients, zone).look()
    if seen.container:
        changed |= await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)
    return changed


async def planned(session, ensure):
    made = await ensure(session)
    return made, [write.as_dict() for write in session.writes]


def test_a_missing_vault_is_made_and_waited_for(azure):
    made, changed = azure.tell(make_vault)
    assert (made.provisioning_state, made.location, changed) == ("Succeeded", "westeurope", True)
    assert azure.writes() == ["PUT vault-new"]


def test_a_second_run_sends_no_write(azure):
    azure.tell(make_vault)
    azure.world.log.clear()
    assert azure.tell(make_vault)[1] is False
    assert azure.writes() == []


def test_check_mode_lists_the_vault_and_sends_nothing(azure):
    made, writes = azure.tell(lambda session: planned(session, make_vault), check_mode=True)
    assert made == (None, False)
    assert [(write["method"], write["what"], write["why"]) for write in writes] == [
        ("PUT", "create the vault vault-new in westeurope", "resource group rg-migration has no vault of this name")
    ]
    assert azure.writes() == []


def test_a_vault_in_another_region_is_refused(azure):
    azure.tell(make_vault)
    azure.zone["location"] = "northeurope"
    with pytest.raises(SetupError, match="vault-new is in westeurope") as raised:
        azure.tell(make_vault)
    assert "asr_landing_zone.location" in raised.value.remedy


def test_the_policy_is_made_and_associated_once(azure):
    azure.tell(make_vault)
    azure.register_appliance()
    azure.world.log.clear()
    assert azure.tell(make_policy) is True
    assert azure.writes()[0] == "PUT vault-new/replicationPolicies/ec2-to-azure"
    assert azure.writes()[1].endswith(
        "replicationcontainer/replicationProtectionContainerMappings/ec2-to-azure-mapping"
    )
    azure.world.log.clear()
    assert azure.tell(make_policy) is False
    assert azure.writes() == []


def test_a_policy_with_other_settings_is_refused_with_their_names(azure):
    azure.tell(make_vault)
    azure.tell(make_policy)
    azure.zone["policy"] = {"name": "ec2-to-azure", "recovery_point_retention_min": 2880, "multi_vm_sync": True}
    with pytest.raises(SetupError) as raised:
        azure.tell(make_policy)
    assert "recovery_point_retention_min is 1440, the landing zone asks for 2880" in raised.value.message
    assert "multi_vm_sync is false, the landing zone asks for true" in raised.value.message


def test_check_mode_without_a_vault_lists_the_policy(azure):
    made, writes = azure.tell(lambda session: planned(session, make_policy), check_mode=True)
    assert made is False
    assert [write["what"] for write in writes] == ["create the replication policy ec2-to-azure"]
    assert azure.writes() == []


def test_both_providers_get_the_fields_of_their_own():
    policy = PolicySettings(name="p", multi_vm_sync=True)
    sent = {
        kind: {setting.key: setting.sent for setting in replication_policy.settings(policy, kind)}
        for kind in Architecture
    }
    assert sent[Architecture.CLASSIC] == {
        "recoveryPointHistory": 1440,
        "appConsistentFrequencyInMinutes": 0,
        "crashConsistentFrequencyInMinutes": 5,
        "recoveryPointThresholdInMinutes": 60,
        "multiVmSyncStatus": "Enable",
    }
    assert sent[Architecture.MODERNIZED] == {
        "recoveryPointHistoryInMinutes": 1440,
        "appConsistentFrequencyInMinutes": 0,
        "crashConsistentFrequencyInMinutes": 5,
        "enableMultiVmSync": "true",
    }
