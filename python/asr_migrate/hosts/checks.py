"""Checks that every kind of host shares: its clock, its time service, and what it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts.plan import blocker, warning
from asr_migrate.hosts.want import TimeLimits

#: Site Recovery's ports of an appliance: control and replication data (Site Recovery documentation, ports).
PURPOSES = {443: "control", 9443: "replication data"}

_SETUP = "Site Recovery documentation, prerequisites"
_PORTS = "Site Recovery documentation, ports"


def clock_skew_s(host_utc: datetime, sent: datetime, received: datetime, resolution_s: float = 0.0) -> float:
    """Return how far, in seconds, the host's clock lies outside of when it may have answered; negative is behind.

    ``sent`` and ``received`` are the controller's aware UTC times around the round trip, so a slow connection is no
    skew. ``resolution_s`` is the step of the host's printed time.
    """
    if host_utc > received:
        return (host_utc - received).total_seconds()
    latest = host_utc + timedelta(seconds=resolution_s)
    if latest < sent:
        return (latest - sent).total_seconds()
    return 0.0


def clock_findings(name: str, skew_s: float | None, limits: TimeLimits, remedy: str) -> list[Finding]:
    """Return a finding when the clock is unknown, or differs from the controller's by more than allowed."""
    if skew_s is None:
        return [
            warning(
                "host.clock-known",
                f"the clock of {name} could not be read",
                f"Check by hand that it differs by less than {limits.stop_s:.0f} s from the real time.",
                _SETUP,
            )
        ]
    off_s = abs(skew_s)
    if off_s <= limits.warn_s:
        return []
    side = "ahead of" if skew_s > 0 else "behind"
    text = f"the clock of {name} is {off_s / 60:.0f} minutes ({off_s:.0f} s) {side} the controller's"
    if off_s > limits.stop_s:
        made = (
            f"{text}; Site Recovery refuses to register a host that is more than {limits.stop_s / 60:.0f} minutes "
            "off (ACS50008)"
        )
        return [blocker("host.clock", made, remedy, _SETUP)]
    return [warning("host.clock", text, remedy, _SETUP)]


def reach_findings(name: str, reached: Mapping[tuple[str, int], bool | None]) -> list[Finding]:
    """Return a blocker for every port that the host does not reach, a warning where it could not be tried."""
    findings = []
    for (address, port), answered in reached.items():
        if answered:
            continue
        purpose = PURPOSES.get(port, "service")
        remedy = (
            f"Allow TCP {port} from {name} to {address} in the appliance's EC2 security group (inbound), the host's "
            "(outbound), the network ACLs of both subnets and the appliance's own firewall; and check that it runs."
        )
        if answered is None:
            text = f"whether {name} reaches {address}:{port} ({purpose}) could not be tried"
            findings.append(warning("host.reach", text, remedy, _PORTS))
        else:
            findings.append(
                blocker("host.reach", f"{name} does not reach {address}:{port} ({purpose})", remedy, _PORTS)
            )
    return findings
