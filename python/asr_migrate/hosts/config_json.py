"""The appliance's addresses in a modernized agent's config.json, which the agent keeps as SourceConfig.json.

``RcmProxyTransportSettings`` holds ``IpAddresses`` and, behind address translation, ``NatIpAddress``. The file also
holds the agent's certificate with its private key, so that a probe lets only the addresses out of the host.
Source: the agent's published source, its class AgentConfiguration and its UnifiedAgentConfigurator.sh.
"""

from __future__ import annotations

import re

#: The two values, one regular expression each; they work on a text of one line or of many, in .NET as in Python.
ADDRESSES = r'"IpAddresses"\s*:\s*\[[^\]]*\]'
NAT_ADDRESS = r'"NatIpAddress"\s*:\s*"[^"]*"'


def addresses(text: str) -> tuple[str, ...]:
    """Return the appliance's addresses in a config.json, or in what ``ADDRESSES`` and ``NAT_ADDRESS`` find in one."""
    found = [match for pattern in (ADDRESSES, NAT_ADDRESS) for match in re.findall(pattern, text)]
    values = [value for part in found for value in re.findall(r'"([^"]*)"', part.partition(":")[2])]
    return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
