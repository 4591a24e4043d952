#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: appliance_info
short_description: Read what the vault knows of the appliance, or wait until it knows enough
version_added: 0.1.0
description:
  - Finds the configuration server (classic) or the replication appliance (modernized) of the landing zone in its
    vault, by name or address, and returns its health, process servers, accounts and discovered servers.
  - With O(wait_for) it looks until the appliance is registered, or until it has discovered every machine of
    O(servers), and says on the way what is missing. Check mode never waits.
extends_documentation_fragment:
  - asr.migrate.azure
options:
  wait_for:
    description:
      - V(registered) waits until the appliance shows in the vault.
      - V(servers) waits until a replication appliance has discovered every address of O(servers), or until the Mobility
        service of each has registered with a configuration server.
    type: str
    choices: [registered, servers]
  servers:
    description: Addresses of the machines that the appliance must know.
    type: list
    elements: str
    default: []
  timeout_s:
    description:
      - How long to wait, in seconds, before O(wait_scale). Microsoft gives a configuration server 15 minutes to show.
    type: int
    default: 900
  refresh:
    description:
      - Ask a registered configuration server to report its accounts and agents at once. A change, and it takes three
        minutes.
    type: bool
    default: false
  progress:
    description: File that gets a line whenever something changes while waiting.
    type: path
"""

EXAMPLES = r"""
- name: Wait until the configuration server is registered
  asr.migrate.appliance_info:
    landing_zone: "{{ asr_landing_zone }}"
    wait_for: registered
  delegate_to: localhost

- name: Wait until the replication appliance knows the machines
  asr.migrate.appliance_info:
    landing_zone: "{{ asr_landing_zone }}"
    wait_for: servers
    servers: [10.20.1.21, 10.20.1.22]
    timeout_s: 86400
  delegate_to: localhost
"""

RETURN = r"""
appliance:
  description: What the vault knows.
  returned: success
  type: dict
  contains:
    registered:
      description: Whether the landing zone's appliance is registered with the vault.
      type: bool
      returned: success
    healthy:
      description: Whether it is registered and not critical.
      type: bool
      returned: success
    vault_exists:
      description: Whether the vault exists.
      type: bool
      returned: success
    fabric:
      description: Name of its fabric.
      type: str
      returned: success
    friendly_name:
      description: Name of the fabric for people.
      type: str
      returned: success
    container:
      description: Protection container that its machines are protected in.
      type: str
      returned: success
    health:
      description: V(Normal), V(Warning) or V(Critical).
      type: str
      returned: success
    health_errors:
      description: Why it is not healthy.
      type: list
      elements: str
      returned: success
    last_heartbeat:
      description: When the vault last heard of it, ISO 8601.
      type: str
      returned: success
    process_servers:
      description: Each with C(id), C(name), C(addresses), C(version), C(last_heartbeat) and C(health).
      type: list
      elements: dict
      returned: success
    components:
      description:
        - Every component, each with C(kind), C(name), C(health), C(last_heartbeat), C(version) and C(errors).
      type: list
      elements: dict
      returned: success
    sick_components:
      description: What is wrong with each component that is critical.
      type: list
      elements: str
      returned: success
    run_as_accounts:
      description: Names of the accounts for the push installation, and their ids.
      type: dict
      returned: success
    server_site:
      description: Id of the discovery site of a replication appliance.
      type: str
      returned: success
    servers:
      description:
        - Servers that the replication appliance discovered, or whose Mobility service registered with the configuration
          server, each with C(id), C(name), C(addresses) and C(account).
      type: list
      elements: dict
      returned: success
    others:
      description: Appliances of the vault that are not the landing zone's.
      type: list
      elements: str
      returned: success
missing:
  description: Addresses of O(servers) that the appliance does not know.
  returned: success
  type: list
  elements: str
writes:
  description: In check mode, what would be sent, each with C(method), C(what) and C(why).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "wait_for": {"type": "str", "choices": ["registered", "servers"]},
    "servers": {"type": "list", "elements": "str", "default": []},
    "timeout_s": {"type": "int", "default": 900},
    "refresh": {"type": "bool", "default": False},
    "progress": {"type": "path"},
}


async def run(params, context):
    """Look, or wait; see RETURN for the result."""
    from asr_migrate.azure.appliance import ApplianceReader

    wait_for = None if context.check_mode else params["wait_for"]
    timeout_s = float(params["timeout_s"])
    changed = False
    async with context.session(params) as session:
        reader = ApplianceReader(session.clients, session.landing_zone)
        if wait_for == "registered":
            seen = await reader.wait_registered(timeout_s, context.progress)
        elif wait_for == "servers":
            seen = await reader.wait_servers(params["servers"], timeout_s, context.progress)
        else:
            seen = await reader.look()
        if params["refresh"] and seen.registered:
            changed = await reader.refresh(seen)
            seen = await reader.look()
        elif params["refresh"] and context.check_mode:
            reader.plan_refresh()
        writes = [write.as_dict() for write in session.writes]
    if seen.registered and not seen.healthy:
        context.warn(f"the appliance {seen.friendly_name} is {seen.health}: {'; '.join(seen.health_errors)}")
    for sick in seen.sick_components:
        context.warn(f"the appliance {seen.friendly_name}: {sick}")
    return {
        "changed": changed or bool(writes),
        "appliance": seen.as_dict(),
        "missing": list(seen.missing(params["servers"])),
        "writes": writes,
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
