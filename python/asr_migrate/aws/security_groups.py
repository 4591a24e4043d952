"""EC2 security groups: which ways between instances they leave closed, and opening exactly those.

Nothing is ever taken out of a group. A way needs two rules, outbound at its origin and inbound at its target; each may
stand in any of the instance's groups (EC2 documentation, security group rules).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from asr_migrate.aws import ec2 as instances
from asr_migrate.domain.errors import ServiceError

INBOUND, OUTBOUND = "inbound", "outbound"
_FAMILY = {INBOUND: "IpPermissions", OUTBOUND: "IpPermissionsEgress"}
_DUPLICATE = "InvalidPermission.Duplicate"
ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Rule:
    """One permission of a group: TCP ports ``first`` to ``last`` with the peers ``cidrs`` and ``groups`` (ids)."""

    direction: str
    first: int
    last: int
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def covers(self, direction: str, first: int, last: int, peer: Peer) -> bool:
        """Whether the rule lets every port of the range through for ``peer``."""
        if self.direction != direction or not (self.first <= first and last <= self.last):
            return False
        if ANYWHERE in self.cidrs or peer.group in self.groups or set(peer.groups) & set(self.groups):
            return True
        return bool(peer.networks) and all(
            any(_inside(network, allowed) for allowed in self.cidrs) for network in peer.networks
        )


@dataclass(frozen=True)
class Group:
    """One security group with what it permits over TCP."""

    id: str
    name: str
    vpc: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Peer:
    """The other end of a rule.

    A rule that is added names ``group`` where there is one, else ``networks``. ``groups`` are all groups that the other
    end's instance has, ``networks`` its addresses as CIDR blocks; either can satisfy a rule that is there.
    """

    name: str
    group: str | None = None
    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class End:
    """An instance at one end of a way: its groups' ids (the first gets what is missing), VPC and private address."""

    name: str
    groups: tuple[str, ...]
    vpc: str
    address: str
    os: str

    def seen_from(self, vpc: str) -> Peer:
        """Return the instance as a peer of a group in ``vpc``; a group of another VPC cannot be named in a rule."""
        own = self.groups[0] if self.groups and vpc == self.vpc else None
        return Peer(own or self.name, own, self.groups, (f"{self.address}/32",))


@dataclass(frozen=True)
class Missing:
    """A rule that a group lacks; ``group_name`` and ``why`` are for people."""

    group: str
    group_name: str
    direction: str
    first: int
    last: int
    peer: Peer
    why: str

    @property
    def ports(self) -> str:
        """The port or range as people write it."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def text(self) -> str:
        """What is missing, in one clause."""
        side = "from" if self.direction == INBOUND else "to"
        return (
            f"security group {self.group_name} ({self.group}) lacks {self.direction} TCP {self.ports} {side} "
            f"{self.peer.group or ', '.join(self.peer.networks)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the rule for a result."""
        return {
            "group": self.group,
            "group_name": self.group_name,
            "direction": self.direction,
            "ports": self.ports,
            "peer": self.peer.group or ", ".join(self.peer.networks),
            "why": self.why,
        }


class Groups:
    """What EC2 said of some groups; rules that were added to it are remembered, so that one is never added twice."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._groups = {group.id: group for group in groups}

    def __getitem__(self, group: str) -> Group:
        return self._groups[group]

    def lacks(
        self, among: Sequence[str], direction: str, ports: tuple[int, int], peer: Peer, why: str
    ) -> Missing | None:
        """Return the rule that none of the groups ``among`` has, for the first of them; None when one has it."""
        if not among:
            return None
        first, last = ports
        if any(rule.covers(direction, first, last, peer) for group in among for rule in self[group].rules):
            return None
        return Missing(among[0], self[among[0]].name, direction, first, last, peer, why)

    def add(self, missing: Missing) -> None:
        """Remember a rule as added."""
        group = self[missing.group]
        cidrs = () if missing.peer.group else missing.peer.networks
        made = Rule(
            missing.direction, missing.first, missing.last, cidrs, (missing.peer.group,) if missing.peer.group else ()
        )
        self._groups[group.id] = replace(group, rules=(*group.rules, made))

    def way(self, origin: End, target: End, ports: tuple[int, int], why: str) -> list[Missing]:
        """Return what EC2 lacks to let ``origin`` connect to ``target``; empty when it lets it through."""
        found = (
            self.lacks(origin.groups, OUTBOUND, ports, target.seen_from(origin.vpc), why),
            self.lacks(target.groups, INBOUND, ports, origin.seen_from(target.vpc), why),
        )
        return [missing for missing in found if missing]


def _inside(network: str, allowed: str) -> bool:
    inner, outer = ipaddress.ip_network(network, strict=False), ipaddress.ip_network(allowed, strict=False)
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def read_groups(ec2: Any, ids: Iterable[str]) -> Groups:
    """Return the groups with these ids. Raises ServiceError when EC2 refuses or does not know one."""
    wanted = sorted(set(ids))
    if not wanted:
        return Groups(())
    try:
        answer = ec2.describe_security_groups(GroupIds=wanted)
    except (ClientError, BotoCoreError) as error:
        raise instances.refused(error, f"describe the security groups {', '.join(wanted)}") from error
    return Groups(_group(row) for row in answer["SecurityGroups"])


def ids_of(ec2: Any, names: Iterable[str], vpc: str) -> list[str]:
    """Return the ids of groups given as ids or names. Raises ServiceError for one that the VPC does not have."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return []
    try:
        answer = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    except (ClientError, BotoCoreError) as error:
        raise instances.refused(error, f"list the security groups of {vpc}") from error
    known = {key: row["GroupId"] for row in answer["SecurityGroups"] for key in (row["GroupId"], row["GroupName"])}
    if unknown := [name for name in wanted if name not in known]:
        raise ServiceError(
            f"the VPC {vpc} has no security group {', '.join(unknown)}",
            code="SecurityGroupMissing",
            cause="The group has another name or stands in another VPC.",
            remedy="Correct asr_appliance.source_security_groups, or give the networks as asr_appliance.source_cidrs.",
        )
    return [known[name] for name in wanted]


def ends(ec2: Any, instance_ids: Iterable[str]) -> dict[str, End]:
    """Return the ends by instance id. Raises ServiceError when EC2 refuses or does not know an instance."""
    return {name: _end(name, row) for name, row in instances.describe(ec2, instance_ids).items()}


def _end(name: str, row: Mapping[str, Any]) -> End:
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}
    nics = [group["GroupId"] for nic in row.get("NetworkInterfaces", ()) for group in nic.get("Groups", ())]
    own = [group["GroupId"] for group in row.get("SecurityGroups", ())]
    return End(
        name=tags.get("Name") or name,
        groups=tuple(dict.fromkeys([*own, *nics])),
        vpc=str(row.get("VpcId", "")),
        address=str(row.get("PrivateIpAddress", "")),
        os="windows" if str(row.get("Platform") or "").lower() == "windows" else "linux",
    )


def _group(row: Mapping[str, Any]) -> Group:
    rules = [
        Rule(
            direction,
            int(permission.get("FromPort", 0)) if permission["IpProtocol"] == "tcp" else 0,
            int(permission.get("ToPort", 65535)) if permission["IpProtocol"] == "tcp" else 65535,
            (
                *(entry["CidrIp"] for entry in permission.get("IpRanges", ())),
                *(entry["CidrIpv6"] for entry in permission.get("Ipv6Ranges", ())),
            ),
            tuple(entry["GroupId"] for entry in permission.get("UserIdGroupPairs", ())),
        )
        for direction, family in _FAMILY.items()
        for permission in row.get(family, ())
        if permission["IpProtocol"] in ("tcp", "-1")
    ]
    return Group(row["GroupId"], row["GroupName"], str(row.get("VpcId", "")), tuple(rules))


def open_way(ec2: Any, missing: Missing) -> None:
    """Add one rule to a group; one that somebody else has added meanwhile is no error.

    Raises ServiceError when EC2 refuses.
    """
    permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": missing.first, "ToPort": missing.last}
    note = f"Site Recovery: {missing.why}"
    if missing.peer.group:
        permission["UserIdGroupPairs"] = [{"GroupId": missing.peer.group, "Description": note}]
    else:
        permission["IpRanges"] = [{"CidrIp": cidr, "Description": note} for cidr in missing.peer.networks]
    inbound = missing.direction == INBOUND
    add = ec2.authorize_security_group_ingress if inbound else ec2.authorize_security_group_egress
    try:
        add(GroupId=missing.group, IpPermissions=[permission])
    except (ClientError, BotoCoreError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        if code != _DUPLICATE:
            raise instances.refused(error, f"add a rule to {missing.group}") from error


def end_at(ec2: Any, address: str, vpc: str | None = None) -> End | None:
    """Return the instance with this private address, None when there is none. Raises ServiceError."""
    filters = [{"Name": "private-ip-address", "Values": [address]}]
    filters += [{"Name": "vpc-id", "Values": [vpc]}] if vpc else []
    try:
        answer = ec2.describe_instances(Filters=filters)
    except (ClientError, BotoCoreError) as error:
        raise instances.refused(error, f"find the instance at {address}") from error
    rows = [row for reservation in answer["Reservations"] for row in reservation["Instances"]]
    return next((_end(row["InstanceId"], row) for row in rows if row["State"]["Name"] != "terminated"), None)
