#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does all the work on the controller."""

DOCUMENTATION = r"""
module: source_host
short_description: Prepare a host for Azure Site Recovery, with nothing on it but a shell
version_added: 0.1.0
description:
  - Probes a source or an appliance over the host's own Ansible connection, decides what stands in the way and what is
    to change, changes it, and probes again. One round trip when there is nothing to do.
  - Needs no Python on Linux (POSIX sh is enough, as on RHEL 6) and no PowerShell 5 on Windows (PowerShell 2 and native
    commands are enough, as on Windows Server 2008 R2).
  - Secrets reach the host through standard input only and stand in no result. With C(want.passphrase) and without
    O(passphrase_path) the result holds one; give that task C(no_log).
options:
  profile:
    description: What the host is to become.
    type: str
    choices: [source, configuration_server, replication_appliance]
    default: source
  state:
    description:
      - V(present) makes the host so. V(probed) only reads and never changes or refuses.
    type: str
    choices: [present, probed]
    default: present
  family:
    description: Family of the host's operating system; by default that of the connection's shell.
    type: str
    choices: [windows, linux]
  want:
    description:
      - >-
        Every profile. C(time) with C(warn_s) (300) and C(stop_s) (900), C(time_service) (C(running), C(required) or
        C(ignored)), and C(reach), a list of pairs of address and port.
      - >-
        V(source). C(push) prepares for the appliance to push the Mobility service, with C(root_password) on Linux;
        C(hosts_file) and C(addresses) (Linux); C(mobility) with C(architecture) (C(classic) or C(none)), C(installer),
        C(appliance_address), C(passphrase) and C(install_dir) installs it by hand.
      - >-
        V(configuration_server). C(installer), C(install_location), C(address), C(mysql_root_password),
        C(mysql_user_password), C(vault_credentials) (the text of the file), C(skip_space_check), C(passphrase) (read
        it), C(cores), C(memory_mib), C(install_free_gib), C(cache_free_gib).
      - >-
        V(replication_appliance). C(installer), C(cores), C(memory_mib), C(install_free_gib), C(cache_free_gib).
      - >-
        An installer has one of C(url) (fetched by the host), C(path) (on the host) and C(file) (on the controller,
        Linux only), and may have C(sha256) and C(version).
    type: dict
    default: {}
  use_sudo:
    description: Whether to use C(sudo -n) on Linux; by default when the user that connects is not root.
    type: bool
  refuse:
    description: Whether blockers fail the task. When false they are only returned. Nothing is changed either way.
    type: bool
    default: true
  passphrase_path:
    description: File on the controller that gets the configuration server's passphrase, readable by its owner only.
    type: path
  wait_scale:
    description: Real seconds that one second of waiting lasts; below 1 in a rehearsal.
    type: float
    default: 1.0
attributes:
  check_mode:
    support: full
    description: Probes, and returns what would be changed.
  diff_mode:
    support: full
    description: Returns the values before and after.
notes:
  - C(become) is not used; see O(use_sudo).
author:
  - The asr-migrate authors (@asr-migrate)
"""

EXAMPLES = r"""
- name: Read what the assessment needs
  asr.migrate.source_host:
    state: probed
  register: probe

- name: Let the replication appliance push the Mobility service
  asr.migrate.source_host:
    want:
      push: true
      reach: [[10.20.0.20, 443], [10.20.0.20, 9443]]
  no_log: true

- name: Install the Mobility service by hand on Windows Server 2008 R2
  asr.migrate.source_host:
    want:
      reach: [[10.20.0.10, 443], [10.20.0.10, 9443]]
      mobility:
        architecture: classic
        appliance_address: 10.20.0.10
        passphrase: "{{ lookup('ansible.builtin.file', asr_passphrase_file) }}"
        installer:
          url: https://downloads.example.com/Microsoft-ASR_UA_9.59.0.0_Windows_GA_15Mar2024_release.exe
          sha256: "{{ asr_mobility_sha256 }}"
  no_log: true
"""

RETURN = r"""
facts:
  description: What the last probe found, for example C(os_name), C(bits), C(host_name), C(addresses), C(pv_driver).
  returned: success
  type: dict
findings:
  description: What stands in the way (severity C(blocker)) or deserves a look (C(warning)).
  returned: always, unless the host could not be read
  type: list
  elements: dict
  contains:
    rule: {description: Identifier of the rule., type: str}
    severity: {description: C(blocker) or C(warning)., type: str}
    text: {description: What is wrong., type: str}
    remedy: {description: What to do about it., type: str}
    source: {description: Who says so., type: str}
changes:
  description: What was changed, or would be in check mode; each with C(what), C(from) and C(to).
  returned: success
  type: list
  elements: dict
prior:
  description: Values from before the changes, with which they can be taken back.
  returned: success
  type: dict
passphrase:
  description: The configuration server's passphrase, when it was asked for without O(passphrase_path). A secret.
  returned: when it was read
  type: str
error:
  description: Message, code, cause and remedy of a failure.
  returned: failure
  type: dict
"""
