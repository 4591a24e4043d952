"""Failures that need no planting: they follow from what is there."""

import copy

import pytest

from asr_lab.arm.site_recovery import RegistrationRefused, world_register_configuration_server


def test_a_policy_that_exists_with_other_settings_is_refused_in_its_job_with_15035(vaulted):
    from_scratch = {
        "properties": {
            "providerSpecificInput": {
                "instanceType": "InMageRcm",
                "recoveryPointHistoryInMinutes": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 0,
                "enableMultiVmSync": "false",
            }
        }
    }
    assert vaulted.lab.do("PUT", vaulted.policy, from_scratch)["state"] == "Succeeded"
    other = copy.deepcopy(from_scratch)
    other["properties"]["providerSpecificInput"]["recoveryPointHistoryInMinutes"] = 720
    job = vaulted.lab.do("PUT", vaulted.policy, other)
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "15035")
    assert job["allowedActions"] == ["Restart"]


def test_a_registration_key_is_no_good_after_five_days(classic):
    lab = classic.lab
    key = lab.vault_key(classic.vault)
    server = lab.hosts.hosts["10.20.0.10"]
    lab.advance(120 * 3600 + 1)
    with pytest.raises(RegistrationRefused) as refused:
        world_register_configuration_server(
            lab.world, vault_credentials_xml=key, host=server, passphrase="another one", now=lab.now
        )
    assert refused.value.code == "KeyExpired"
