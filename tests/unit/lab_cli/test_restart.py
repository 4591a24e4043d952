"""A lab that is ended or killed and started again: what its clients find."""

import os
import select
import signal
import ssl

import boto3
from azure.identity import ClientSecretCredential
from azure.mgmt.recoveryservices import RecoveryServicesClient

from .conftest import NET

URL = f"https://{NET}.0.1:8443"
BODY = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicNetworkAccess": "Enabled"}}


def vaults(idle):
    """Return a client that was configured once, and keeps its token and its trust."""
    settings, ca = idle.settings(), str(idle.state / "ca.pem")
    credential = ClientSecretCredential(
        settings["AZURE_TENANT_ID"],
        settings["AZURE_CLIENT_ID"],
        settings["AZURE_CLIENT_SECRET"],
        authority=URL,
        disable_instance_discovery=True,
        connection_verify=ca,
    )
    return RecoveryServicesClient(
        credential,
        settings["AZURE_SUBSCRIPTION_ID"],
        base_url=URL,
        credential_scopes=[f"{URL}/.default"],
        connection_verify=ca,
    )


def ec2(idle):
    settings = idle.settings()
    return boto3.client(
        "ec2",
        region_name=settings["AWS_DEFAULT_REGION"],
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        aws_access_key_id="asr-lab",
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )


def instances(client):
    found = [one for each in client.describe_instances()["Reservations"] for one in each["Instances"]]
    return {one["PrivateIpAddress"]: one for one in found if one["State"]["Name"] != "terminated"}


def kill(pid):
    """End a process at once and wait until it is gone."""
    handle = os.pidfd_open(pid)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    assert select.select([handle], [], [], 20)[0]
    os.close(handle)


def test_clients_go_on_after_a_restart_with_the_token_and_the_trust_they_have(idle):
    idle.ok("up", "--net", NET, "--speed", "3600")
    client = vaults(idle)
    client.vaults.begin_create_or_update("rg-migration", "vault-1", BODY).result()
    idle.ok("advance", "10d")
    before = idle.status()["now"]
    assert idle.ok("down") == "The lab is down.\n"
    assert "Going on where the last lab stood" in idle.ok("up")
    assert idle.settings()["ASR_LAB_SPEED"] == "3600"
    assert idle.status()["now"] >= before
    assert [vault.name for vault in client.vaults.list_by_resource_group("rg-migration")] == ["vault-1"]


def test_instances_and_security_groups_of_ec2_come_back(idle):
    idle.ok("up", "--net", NET)
    client = ec2(idle)
    there = instances(client)
    client.stop_instances(InstanceIds=[there["10.20.1.11"]["InstanceId"]])
    subnet = next(one for one in client.describe_subnets()["Subnets"] if one["CidrBlock"] == "10.20.0.0/24")
    group = client.create_security_group(GroupName="appliance-2", Description="made later", VpcId=subnet["VpcId"])
    rule = {"IpProtocol": "tcp", "FromPort": 9443, "ToPort": 9443, "IpRanges": [{"CidrIp": "10.20.1.0/24"}]}
    client.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
    client.run_instances(
        ImageId=there["10.20.1.21"]["ImageId"],
        MinCount=1,
        MaxCount=1,
        InstanceType=there["10.20.1.21"]["InstanceType"],
        SubnetId=subnet["SubnetId"],
        SecurityGroupIds=[group["GroupId"]],
        PrivateIpAddress="10.20.0.20",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "current-appliance"}]}],
    )
    idle.ok("down")
    idle.ok("up")
    client = ec2(idle)
    again = instances(client)
    assert len(again) == len(there) + 1
    assert again["10.20.1.11"]["State"]["Name"] == "stopped"
    assert {"Key": "Name", "Value": "current-appliance"} in again["10.20.0.20"]["Tags"]
    assert [one["GroupName"] for one in again["10.20.0.20"]["SecurityGroups"]] == ["appliance-2"]
    groups = client.describe_security_groups(GroupNames=["appliance-2"])["SecurityGroups"]
    assert [one["FromPort"] for one in groups[0]["IpPermissions"]] == [9443]
    assert idle.status()["hosts"]["current-appliance"]["running"] is True


def test_a_killed_lab_goes_on_from_the_last_state_file(idle):
    idle.ok("up", "--net", NET)
    client = vaults(idle)
    client.vaults.begin_create_or_update("rg-migration", "vault-1", BODY).result()
    idle.ok("reset")
    client.vaults.begin_create_or_update("rg-migration", "vault-2", BODY).result()
    kill(int((idle.state / "pid").read_text()))
    assert "Going on" in idle.ok("up")
    assert "vault-1" not in [vault["name"] for vault in idle.status()["vaults"]]


def test_fresh_begins_anew_and_keeps_the_old_state_aside(idle):
    idle.ok("up", "--net", NET)
    old_ca = (idle.state / "ca.pem").read_text()
    vaults(idle).vaults.begin_create_or_update("rg-migration", "vault-1", BODY).result()
    idle.ok("down")
    said = idle.ok("up", "--fresh", "--net", NET)
    assert "world.state.old" in said
    assert idle.status()["vaults"] == []
    assert (idle.state / "ca.pem").read_text() != old_ca
    ssl.create_default_context(cafile=str(idle.state / "ca.pem"))


def test_a_damaged_state_file_is_named_with_the_remedy_and_left_alone(idle):
    idle.ok("up", "--net", NET)
    idle.ok("reset")
    idle.ok("down")
    file = idle.state / "world.state"
    damaged = file.read_bytes()[:-50]
    file.write_bytes(damaged)
    done = idle("up")
    assert done.returncode == 1
    assert f"{file} cannot be used: it is damaged" in done.stderr
    assert "up --fresh" in done.stderr
    assert "Traceback" not in done.stderr + (idle.state / "lab.log").read_text()
    assert file.read_bytes() == damaged
    idle.ok("up", "--fresh", "--net", NET)
    assert (idle.state / "world.state.old").read_bytes() == damaged
