"""What a modernized agent and its appliance hand each other through a person: Agent Config Input and config.json.

The names are those of the agent's published source (its classes AgentConfigInput and AgentConfiguration); what the lab
leaves out are the vault and the agent's certificate. Both are texts that a person copies; the agent keeps the second
one as SourceConfig.json.
"""

import base64
import binascii
import json

from asr_lab.arm.estate import HostDescription


class NotThisMachineError(Exception):
    """A config.json was made for another machine."""


def config_input(host: HostDescription) -> str:
    """Return the Agent Config Input of a machine, one line."""
    told = {"BiosId": host.bios_id, "Fqdn": host.host_name}
    return base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def config_json(text: str, appliance: str) -> str:
    """Return the config.json that the page of the appliance at that address gives for an Agent Config Input.

    Raises ValueError for a text that is no Agent Config Input.
    """
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    try:
        told = json.loads(base64.b64decode(line, validate=True))
        known = {"BiosId": told["BiosId"], "Fqdn": told["Fqdn"]}
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as wrong:
        raise ValueError("The text is no Agent Config Input.") from wrong
    return json.dumps({**known, "RcmProxyTransportSettings": transport_settings(appliance)}, indent=2)


def transport_settings(appliance: str) -> dict[str, object]:
    """Return what an agent is told of the appliance at an address."""
    return {"IpAddresses": [appliance], "NatIpAddress": "", "Port": 443}


def appliance_of(text: str, host: HostDescription) -> str:
    """Return the appliance's address in a config.json. Raises NotThisMachineError, or ValueError for another text."""
    try:
        told = json.loads(text)
        bios_id, appliance = str(told["BiosId"]), str(told["RcmProxyTransportSettings"]["IpAddresses"][0])
    except (json.JSONDecodeError, KeyError, TypeError, IndexError) as wrong:
        raise ValueError("it is no source configuration file.") from wrong
    if bios_id.lower() != host.bios_id.lower():
        raise NotThisMachineError("the file was made for another machine.")
    return appliance
