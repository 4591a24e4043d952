"""The matrix of ways: from real probes, with the rule or the firewall that closes a way."""

import json

import boto3

LEGACY = ("--limit", "legacy-cs:wave_legacy", "-e", "appliance_push=true")


def take_away(lab, group: str, port: int) -> None:
    """Revoke the inbound rule for ``port`` of a security group of the lab's EC2."""
    keys = {"aws_access_key_id": "asr-lab", "aws_secret_access_key": "asr-lab"}
    ec2 = boto3.client("ec2", region_name="eu-west-1", endpoint_url=lab.environment["AWS_ENDPOINT_URL_EC2"], **keys)
    found = next(row for row in ec2.describe_security_groups()["SecurityGroups"] if row["GroupName"] == group)
    rule = next(row for row in found["IpPermissions"] if row.get("FromPort") == port)
    ec2.revoke_security_group_ingress(GroupId=found["GroupId"], IpPermissions=[rule])


def test_the_matrix_tells_what_is_open_and_what_closes_the_rest(lab):
    for name in ("prepare_landing_zone", "deploy_appliance"):
        made = lab.playbook(name, *LEGACY)
        assert made.code == 0, made.output
    take_away(lab, "sources", 139)
    lab.admin("POST", "network", {"block": [["10.20.1.12", "10.20.0.10", 9443]]})
    lab.forget_log()
    ran = lab.playbook("check_ways", *LEGACY)
    assert ran.code == 0, ran.output
    assert lab.writes() == []
    ways = json.loads((lab.reports / "legacy-ways.json").read_text())["ways"]
    states = {(way["from"], way["to"], way["port"]): way["state"] for way in ways}
    missing = {(way["from"], way["to"], way["port"]): " ".join(way["missing"]) for way in ways}
    assert states["app-2008", "legacy-cs", "443"] == states["app-2008", "legacy-cs", "9443"] == "open"
    assert states["legacy-cs", "db-rhel67", "22"] == "open"
    assert states["app-2012", "legacy-cs", "9443"] == "closed"
    assert "EC2 lets it through" in missing["app-2012", "legacy-cs", "9443"]
    assert "security group sources" in missing["legacy-cs", "app-2008", "139"]
    assert "lacks inbound TCP 139" in missing["legacy-cs", "app-2008", "139"]
    assert "(-28502)" in missing["legacy-cs", "app-2008", "445"]
    assert states["legacy-cs", "app-2008", "49152-65535"] == "not tried"
    assert "old-rhel67pv" not in {way["from"] for way in ways}, "a machine that cannot be migrated is left out"
    assert "to 443  to 9443  from 22" in ran.output
