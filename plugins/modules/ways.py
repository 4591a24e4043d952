#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: ways
short_description: Judge the ways between an appliance and its sources
version_added: 0.1.0
description:
  - Holds what hosts reached against Site Recovery's table of ports and returns a matrix of machines and ports (open,
    closed, not tried) and, for each way that is not open, the rule that EC2's security groups lack, or the firewall to
    look at. It changes nothing. P(asr.migrate.ways_to_try#filter) says what each host has to try.
options:
  machines:
    description: The sources, as P(asr.migrate.machines#filter) returns them.
    type: list
    elements: dict
    required: true
  appliance:
    description: The appliance, with C(name) and C(address).
    type: dict
    required: true
  architecture:
    description: Its architecture.
    type: str
    choices: [classic, modernized]
    required: true
  push:
    description: Whether the appliance installs the Mobility service, which needs ports of the sources.
    type: bool
    default: true
  reached:
    description: By name of the host that tried, C(reached) of its facts. Hosts that gave no answer are left out.
    type: dict
    required: true
  region:
    description: AWS region; by default that of boto3's settings.
    type: str
author:
  - The asr-migrate authors (@asr-migrate)
attributes:
  check_mode:
    support: full
    description: Reads only.
"""

EXAMPLES = r"""
- name: Judge the ways
  asr.migrate.ways:
    machines: "{{ groups['wave_wave1'] | asr.migrate.machines(hostvars) }}"
    appliance: {name: appliance-1, address: 10.20.0.20}
    architecture: modernized
    reached:
      app-1: {"10.20.0.20:443": true, "10.20.0.20:9443": false}
  delegate_to: localhost
"""

RETURN = r"""
table:
  description: The matrix as lines of text.
  returned: success
  type: list
  elements: str
ways:
  description: Every way with C(from), C(to), C(address), C(port), C(why), C(state) and C(missing).
  returned: success
  type: list
  elements: dict
not_open:
  description: A sentence for every way that is not open.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import main

ARGUMENT_SPEC = {
    "machines": {"type": "list", "elements": "dict", "required": True},
    "appliance": {"type": "dict", "required": True},
    "architecture": {"type": "str", "choices": ["classic", "modernized"], "required": True},
    "push": {"type": "bool", "default": True},
    "reached": {"type": "dict", "required": True},
    "region": {"type": "str"},
}


def lacking(params, context):
    """Return the function that says what EC2 lacks for a way; it knows nothing when EC2 does not answer."""
    from asr_migrate.aws import ec2, security_groups
    from asr_migrate.domain.errors import ServiceError

    ids = {
        row["name"]: row["source_id"] for row in params["machines"] if str(row.get("source_id", "")).startswith("i-")
    }
    try:
        client = ec2.client(params["region"])
        found = security_groups.ends(client, ids.values())
        ends = {name: found[instance] for name, instance in ids.items()}
        appliance = security_groups.end_at(client, params["appliance"]["address"])
        if appliance:
            ends[params["appliance"]["name"]] = appliance
        groups = security_groups.read_groups(client, [group for end in ends.values() for group in end.groups])
    except ServiceError as error:
        context.warn(f"the security groups could not be read: {error}")
        return lambda _way: None

    def lacks(way):
        origin, target = ends.get(way.origin.name), ends.get(way.target.name)
        if not origin or not target:
            return None
        return [rule.text for rule in groups.way(origin, target, (way.port.first, way.port.last), way.port.why)]

    return lacks


def run(params, context):
    """Judge what was tried; see RETURN for the result."""
    from asr_migrate.hosts.ways import OPEN, judge, of_machines, table

    wanted = of_machines(
        params["machines"], params["appliance"], architecture=params["architecture"], push=params["push"]
    )
    judged = judge(wanted, params["reached"], lacking(params, context))
    return {
        "changed": False,
        "table": table(judged),
        "ways": [found.as_dict() for found in judged],
        "not_open": [found.text for found in judged if found.state != OPEN],
    }


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
