"""What the lab keeps of EC2 when it ends: instances with their state, and what security groups let in.

moto holds EC2 in memory. The next start seeds the estate and then brings it to where the last lab left it, with the
same calls that made it. Instance ids, and what else was made (subnets, volumes of their own, snapshots, addresses), are
new or gone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from asr_lab.aws.estate import Estate


def kept(ec2: Any, user_data: Mapping[str, str]) -> dict[str, Any]:
    """Return groups and instances as plain data; ``ec2`` is a boto3 client, ``user_data`` text by instance id."""
    groups = ec2.describe_security_groups()["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    sizes = {volume["VolumeId"]: volume["Size"] for volume in ec2.describe_volumes()["Volumes"]}
    subnets = {subnet["SubnetId"]: subnet["CidrBlock"] for subnet in ec2.describe_subnets()["Subnets"]}
    reservations = ec2.describe_instances()["Reservations"]
    return {
        "groups": [_group(group, names) for group in groups if group["GroupName"] != "default"],
        "instances": [
            _instance(found, names, sizes, subnets, user_data) for each in reservations for found in each["Instances"]
        ],
    }


def take_up(ec2: Any, estate: Estate, told: Mapping[str, Any]) -> None:
    """Bring a freshly seeded EC2 to what ``kept`` returned; nothing happens when it is empty."""
    if not told:
        return
    subnets = {row["CidrBlock"]: (row["SubnetId"], row["VpcId"]) for row in ec2.describe_subnets()["Subnets"]}
    vpc = next(iter(subnets.values()))[1]
    groups = {row["GroupName"]: row["GroupId"] for row in ec2.describe_security_groups()["SecurityGroups"]}
    for group in told["groups"]:
        if group["name"] not in groups:
            made = ec2.create_security_group(GroupName=group["name"], Description=group["text"], VpcId=vpc)
            groups[group["name"]] = made["GroupId"]
    for group in told["groups"]:
        _let_in(ec2, groups[group["name"]], group["rules"], groups)
        _tag(ec2, groups[group["name"]], group["tags"])
    seeded = {found["PrivateIpAddress"]: found["InstanceId"] for found in _seeded(ec2)}
    addresses = {machine.address for machine in estate.machines}
    for row in told["instances"]:
        here = seeded.get(row["address"]) if row["address"] in addresses else None
        if here is None and row["state"] != "terminated":
            here = ec2.run_instances(**_run_request(row, subnets, groups))["Instances"][0]["InstanceId"]
        if here is not None:
            _tag(ec2, here, row["tags"])
            _bring_to(ec2, here, row["state"])


def _group(group: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    rules = [
        {
            "protocol": rule["IpProtocol"],
            "ports": [rule.get("FromPort"), rule.get("ToPort")],
            "networks": [one["CidrIp"] for one in rule.get("IpRanges", [])],
            "groups": [names[one["GroupId"]] for one in rule.get("UserIdGroupPairs", []) if one["GroupId"] in names],
        }
        for rule in group["IpPermissions"]
    ]
    return {"name": group["GroupName"], "text": group["Description"], "tags": group.get("Tags", []), "rules": rules}


def _instance(
    found: Mapping[str, Any],
    names: Mapping[str, str],
    sizes: Mapping[str, int],
    subnets: Mapping[str, str],
    user_data: Mapping[str, str],
) -> dict[str, Any]:
    devices = found.get("BlockDeviceMappings", [])
    return {
        "address": found.get("PrivateIpAddress", ""),
        "state": found["State"]["Name"],
        "image": found["ImageId"],
        "type": found["InstanceType"],
        "subnet": subnets.get(found.get("SubnetId", ""), ""),
        "groups": sorted({names[one["GroupId"]] for one in found.get("SecurityGroups", []) if one["GroupId"] in names}),
        "volumes": [[one["DeviceName"], sizes.get(one["Ebs"]["VolumeId"], 8)] for one in devices],
        "tags": found.get("Tags", []),
        "user_data": user_data.get(found["InstanceId"], ""),
    }


def _seeded(ec2: Any) -> Iterable[Mapping[str, Any]]:
    return [found for each in ec2.describe_instances()["Reservations"] for found in each["Instances"]]


def _run_request(
    row: Mapping[str, Any], subnets: Mapping[str, tuple[str, str]], groups: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "ImageId": row["image"],
        "MinCount": 1,
        "MaxCount": 1,
        "InstanceType": row["type"],
        "SubnetId": subnets[row["subnet"]][0] if row["subnet"] in subnets else next(iter(subnets.values()))[0],
        "SecurityGroupIds": [groups[name] for name in row["groups"] if name in groups],
        "PrivateIpAddress": row["address"],
        "BlockDeviceMappings": [
            {"DeviceName": name, "Ebs": {"VolumeSize": size, "VolumeType": "gp3"}} for name, size in row["volumes"]
        ],
        "UserData": row.get("user_data", ""),
    }


def _let_in(ec2: Any, group_id: str, rules: Iterable[Mapping[str, Any]], groups: Mapping[str, str]) -> None:
    """Add the rules that the group does not have."""
    [group] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    names = {identity: name for name, identity in groups.items()}
    there = _single(_group(group, names)["rules"])
    for rule in _single(rules):
        if rule in there:
            continue
        protocol, first, last, network, peer = rule
        permission: dict[str, Any] = {"IpProtocol": protocol}
        if first is not None:
            permission |= {"FromPort": first, "ToPort": last}
        if network is not None:
            permission["IpRanges"] = [{"CidrIp": network}]
        elif peer in groups:
            permission["UserIdGroupPairs"] = [{"GroupId": groups[peer]}]
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])


def _single(rules: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return one (protocol, first port, last port, network, group) for each source of each rule."""
    return [
        (rule["protocol"], *rule["ports"], network, peer)
        for rule in rules
        for network, peer in [*((one, None) for one in rule["networks"]), *((None, one) for one in rule["groups"])]
    ]


def _tag(ec2: Any, identity: str, tags: Any) -> None:
    if tags:
        ec2.create_tags(Resources=[identity], Tags=tags)


def _bring_to(ec2: Any, identity: str, state: str) -> None:
    if state in ("stopped", "stopping"):
        ec2.stop_instances(InstanceIds=[identity])
    elif state in ("terminated", "shutting-down"):
        ec2.terminate_instances(InstanceIds=[identity])
