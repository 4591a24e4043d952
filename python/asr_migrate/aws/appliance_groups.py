"""What the security groups of an appliance and of its sources lack, and adding it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Protocol

from asr_migrate.aws import security_groups as groups
from asr_migrate.aws.security_groups import ANYWHERE, INBOUND, OUTBOUND, End, Groups, Missing, Peer


class PortRange(Protocol):
    """One row of a table of ports."""

    @property
    def first(self) -> int: ...

    @property
    def last(self) -> int: ...

    @property
    def why(self) -> str: ...


@dataclass(frozen=True)
class Ports:
    """The ports by who connects to whom; ``to_source`` by the source's family (``windows``, ``linux``)."""

    to_appliance: Sequence[PortRange]
    from_admin: Sequence[PortRange]
    to_azure: Sequence[PortRange]
    to_source: Mapping[str, Sequence[PortRange]]
    between_sources: Sequence[PortRange] = ()


@dataclass(frozen=True)
class Wanted:
    """Who takes part: the appliance's group, the sources, and networks that are given as such.

    ``group_ids`` are further groups of sources whose instances are not known; ``together`` holds, for each group of
    machines that share recovery points, their names.
    """

    appliance_group: str
    appliance_address: str
    vpc: str
    sources: Sequence[End] = ()
    source_cidrs: Sequence[str] = ()
    admin_cidrs: Sequence[str] = ()
    group_ids: Sequence[str] = ()
    together: Iterable[Sequence[str]] = field(default_factory=tuple)
    #: when false, groups of the sources are left alone
    sources_too: bool = True


def missing(known: Groups, wanted: Wanted, ports: Ports) -> list[Missing]:
    """Return every rule that is missing, in a deterministic order; ``known`` remembers each as added."""
    found: list[Missing] = []

    def need(among: Sequence[str], direction: str, rows: Sequence[PortRange], peer: Peer) -> None:
        for row in rows:
            lack = known.lacks(among, direction, (row.first, row.last), peer, row.why)
            if lack:
                known.add(lack)
                found.append(lack)

    appliance = [wanted.appliance_group]
    own = Peer("the appliance", wanted.appliance_group, tuple(appliance), (f"{wanted.appliance_address}/32",))
    for cidr in wanted.source_cidrs:
        need(appliance, INBOUND, ports.to_appliance, Peer(cidr, networks=(cidr,)))
    for group in wanted.group_ids:
        need(appliance, INBOUND, ports.to_appliance, Peer(group, group, (group,)))
    for source in wanted.sources:
        need(appliance, INBOUND, ports.to_appliance, source.seen_from(wanted.vpc))
    for cidr in wanted.admin_cidrs:
        need(appliance, INBOUND, ports.from_admin, Peer(cidr, networks=(cidr,)))
    need(appliance, OUTBOUND, ports.to_azure, Peer("the internet", networks=(ANYWHERE,)))
    if not wanted.sources_too:
        return found
    for source in wanted.sources:
        need(source.groups, OUTBOUND, ports.to_appliance, own)
        rows = ports.to_source.get(source.os, ())
        need(source.groups, INBOUND, rows, own)
        need(appliance, OUTBOUND, rows, source.seen_from(wanted.vpc))
    by_name = {source.name: source for source in wanted.sources}
    for names in wanted.together:
        for one, other in permutations([by_name[name] for name in names if name in by_name], 2):
            need(one.groups, OUTBOUND, ports.between_sources, other.seen_from(one.vpc))
            need(one.groups, INBOUND, ports.between_sources, other.seen_from(one.vpc))
    return found


def ensure(ec2: Any, wanted: Wanted, ports: Ports, *, change: bool) -> list[Missing]:
    """Add what is missing, or with ``change`` False only tell, and return it. Raises ServiceError."""
    ids = [wanted.appliance_group, *wanted.group_ids, *(group for source in wanted.sources for group in source.groups)]
    lacks = missing(groups.read_groups(ec2, ids), wanted, ports)
    if change:
        for lack in lacks:
            groups.open_way(ec2, lack)
    return lacks
