# MIT License (see LICENSE)
"""Lookup of the password that a Windows instance of an AWS image made for its Administrator."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ec2_password
short_description: The first password of the Administrator of a Windows instance
version_added: 0.1.0
description:
  - Asks EC2 for the password that an instance of an AWS image made at its first start (C(ec2:GetPasswordData)) and
    decrypts it with the private half of the instance's key pair. Nothing is written, and the key never leaves the
    controller.
options:
  _terms:
    description: Private address of the instance.
    type: list
    elements: str
    required: true
  key_file:
    description: File with the RSA private key, as PEM without a passphrase.
    type: path
    required: true
  region:
    description: AWS region; by default that of boto3's settings.
    type: str
author:
  - The asr-migrate authors (@asr-migrate)
"""

EXAMPLES = r"""
# In the group variables of the appliances.
ansible_password: "{{ lookup('asr.migrate.ec2_password', '10.20.0.20', key_file='~/.ssh/appliances.pem') }}"
"""

RETURN = r"""
_raw:
  description: The password.
  type: list
  elements: str
"""

import sys
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

LIBRARY = str(Path(__file__).resolve().parents[2] / "python")


class LookupModule(LookupBase):
    """The plugin; see DOCUMENTATION."""

    def run(self, terms, variables=None, **kwargs):
        """Return the password of each address; what is wrong is an error with place and remedy, never with the key."""
        if LIBRARY not in sys.path:
            sys.path.insert(0, LIBRARY)
        from asr_migrate.aws import ec2, password
        from asr_migrate.domain.errors import AsrMigrateError

        self.set_options(var_options=variables, direct=kwargs)
        path = Path(self.get_option("key_file")).expanduser()
        try:
            client = ec2.client(self.get_option("region"))
            return [password.administrator(client, address, path.read_bytes()) for address in terms]
        except AsrMigrateError as error:
            raise AnsibleError(f"{error.message}. {error.remedy}") from None
        except OSError as error:
            raise AnsibleError(f"key_file {path}: {error.strerror}. Give a file that this user may read.") from None
