"""Check mode on a fresh lab: everything that would be sent is listed, nothing is sent."""

import re

WAVES = {
    "vault-legacy": ("app-2008", "app-2012", "db-rhel67"),
    "vault-current": ("web-2022", "db-rhel8", "web-ubuntu22"),
}
ITEM_VERBS = (
    "PUT replicationProtectedItems/{}:",
    "POST replicationProtectedItems/{}/testFailover:",
    "POST replicationProtectedItems/{}/testFailoverCleanup:",
    "POST replicationProtectedItems/{}/unplannedFailover:",
    "POST replicationProtectedItems/{}/failoverCommit:",
    "POST replicationProtectedItems/{}/remove:",
)
#: what a real run sends besides, and how often for the two waves
LANDING_ZONE = {
    "PUT vaults/vault-": 2,
    "PUT extendedInformation/vaultExtendedInfo:": 1,
    "PUT certificates/vault-legacy": 1,
    "PUT replicationPolicies/ec2-to-azure:": 2,
    "PUT replicationProtectionContainerMappings/ec2-to-azure-mapping:": 2,
    "POST replicationRecoveryServicesProviders/legacy-cs/refreshProvider:": 1,
    "PATCH tags/default: hold wave legacy by a tag of vault vault-legacy": 5,
    "PATCH tags/default: hold wave current by a tag of vault vault-current": 5,
}


def test_check_mode_lists_every_write_and_sends_none(lab):
    lab.forget_log()
    ran = lab.playbook("migrate", "--check")
    assert ran.code == 0, ran.output
    assert lab.writes() == []
    text = " ".join(ran.output.split())
    counted = {start: text.count(start) for start in LANDING_ZONE}
    assert counted == LANDING_ZONE
    items = [verb.format(name) for machines in WAVES.values() for name in machines for verb in ITEM_VERBS]
    assert {line: text.count(line) for line in items} == dict.fromkeys(items, 1)
    listed = re.findall(r"(?:PUT|POST|PATCH|DELETE) \w+/\S+", text)
    assert len(listed) == len(items) + sum(LANDING_ZONE.values()), "nothing else is listed"
