#!/usr/bin/python
# MIT License (see LICENSE)

DOCUMENTATION = r"""
module: registration_key
short_description: Make the file with which a configuration server registers with its vault
version_added: 0.1.0
description:
  - Puts a fresh certificate on the vault and writes the vault registration key (the C(.VaultCredentials) file) to the
    controller, readable by its owner only.
  - A key of this vault in O(dest) that is valid for more than a day is kept. A key is valid for five days.
  - Only a server that is not registered yet needs a key.
extends_documentation_fragment:
  - asr.migrate.azure
options:
  dest:
    description: Directory on the controller for the file. It is made, for its owner only, when it does not exist.
    type: path
    required: true
  path:
    description:
      - A key that was downloaded in the portal. It is only checked; nothing is made.
    type: path
  force:
    description: Make a new key even when there is a valid one.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Make a registration key
  asr.migrate.registration_key:
    landing_zone: "{{ asr_landing_zone }}"
    dest: ~/.asr/keys
  register: key
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The file. Its content is a secret and in no result. V(null) when check mode would make it.
  returned: success
  type: str
issued_at:
  description: When it was made, ISO 8601, UTC.
  returned: when there is a file
  type: str
expires_at:
  description: Until when a server can register with it, ISO 8601, UTC.
  returned: when there is a file
  type: str
writes:
  description: In check mode, what would be sent, each with C(method), C(what) and C(why).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.asr.migrate.plugins.module_utils.boundary import AZURE_OPTIONS, main

ARGUMENT_SPEC = {
    **AZURE_OPTIONS,
    "dest": {"type": "path", "required": True},
    "path": {"type": "path", "no_log": False},
    "force": {"type": "bool", "default": False},
}


async def run(params, context):
    """Make sure of a key; see RETURN for the result."""
    from pathlib import Path

    from asr_migrate.azure import registration_key

    async with context.session(params) as session:
        if params["path"]:
            found = registration_key.given(session.landing_zone, Path(params["path"]), session.clock.now())
            return {"changed": False, **found.as_dict(), "writes": []}
        found, made = await registration_key.ensure(
            session.clients, session.landing_zone, Path(params["dest"]), force=params["force"]
        )
        writes = [write.as_dict() for write in session.writes]
    return {"changed": made or bool(writes), **(found.as_dict() if found else {"path": None}), "writes": writes}


if __name__ == "__main__":
    main(run, ARGUMENT_SPEC)
