#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does all the work on the controller."""

DOCUMENTATION = r"""
module: source_host
short_description: Prepare a host for Azure Site Recovery, and put it back, with nothing on it but a shell
version_added: 0.1.0
description:
  - Probes a source or an appliance over the host's own Ansible connection, decides what stands in the way and what is
    to change, changes it, and probes again. One round trip when there is nothing to do, at most three when something
    changes.
  - Before anything is changed, what was there before is put on record in O(prior_dir), so that O(state=restored) can
    put back exactly that, also after a run that broke off.
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
      - V(restored) puts back what the record says was there before V(present) changed it, for O(profile=source). A file
        that somebody else changed since loses only the lines that we added; anything else that was changed since is
        left alone, with the warning C(restore.changed-since), unless O(force). O(want) is not needed. A Mobility
        service is not removed.
    type: str
    choices: [present, probed, restored]
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
        C(hosts_file), C(addresses), C(cloud_init), C(fstab_by_uuid) and C(kernels) (Linux); C(remote_desktop) and
        C(san_policy) (Windows); C(mobility) with C(architecture) (C(none), C(classic), C(modernized) or
        C(migrate_classic)), C(method) (C(push) or C(manual)), C(state) (C(present), C(upgraded), C(absent) or
        C(unconfigured)), C(installer) or C(repository), C(appliance_address), C(passphrase), C(source_config),
        C(credential_less), C(move), C(upgrade) and C(install_dir). The roles source_linux and source_windows explain
        each.
      - >-
        V(configuration_server). C(installer), C(install_location), C(address), C(mysql_root_password),
        C(mysql_user_password), C(vault_credentials) (the text of the file), C(skip_space_check), C(passphrase) (read
        it), C(bypass_proxy), C(register_again) (C(no), C(same_vault) or C(other_vault)).
      - >-
        V(replication_appliance). C(installer), C(address).
      - >-
        Both servers. C(proxy) (C(address), C(port), C(user), C(password), C(file_form)), C(check_urls), C(urls) (a
        pattern with the host to ask for it, or null), C(government), C(physical_cores), C(memory_gib),
        C(install_free_gib), C(cache_free_gib) and C(restart). The role appliance explains each.
      - >-
        An installer has one of C(url) (fetched by the host), C(path) (on the host) and C(file) (on the controller,
        Linux only), and may have C(sha256) and C(version).
    type: dict
    default: {}
  use_sudo:
    description:
      - Whether to use sudo on Linux; by default when the host says that the user who connects is not root.
      - Where sudo asks for a password, give C(ansible_become_password) or C(--ask-become-pass). It reaches sudo through
        standard input only and is tried once.
    type: bool
  refuse:
    description: Whether blockers fail the task. When false they are only returned. Nothing is changed either way.
    type: bool
    default: true
  force:
    description: With O(state=restored), whether to put back also what somebody else changed since.
    type: bool
    default: false
  scope:
    description:
      - With O(state=restored), whether to put back all, or only what a push of the Mobility service needed (V(push)).
        On Linux that is sshd's settings and root's password, on Windows LocalAccountTokenFilterPolicy and the firewall
        groups of file sharing and WMI. The rest stays on record; the virtual machine in Azure needs it.
    type: str
    choices: [all, push]
    default: all
  prior_dir:
    description:
      - Directory on the controller with the record of what hosts were before they were changed, one file a host,
        readable by its owner only. It must outlive the run; where each run gets a fresh container, as in AWX, mount a
        volume there.
      - A record names the machine that it is about. Another machine of the same inventory name is neither prepared nor
        restored with it; give each inventory, region or account a directory of its own.
      - A record that is damaged, or that a newer version wrote, is never written over; the host is not changed then.
    type: path
    default: ~/.asr/prior
  passphrase_path:
    description: File on the controller that gets the configuration server's passphrase, readable by its owner only.
    type: path
  agent_config_input_path:
    description:
      - File on the controller that gets the text which a Mobility service of the modernized architecture, installed by
        hand, gives to be pasted into the appliance's page; readable by its owner only. Without it the text is not kept.
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
    description: Returns the values before and after; a password is shown as C(another) or C(as before).
notes:
  - C(become) is not used, only its password; see O(use_sudo).
  - Works over any connection plugin. One that cannot send standard input, as C(paramiko_ssh), sends a file in place of
    it, to a directory for its owner only in the user's home; the file is gone before the command starts. That takes
    three round trips in place of one.
  - At C(-vvv) and above, what a host answers is kept out of the connection plugin's output, because it can hold
    secrets; so are the plugin's own words about a lost connection.
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

- name: Put back what was there before
  asr.migrate.source_host:
    state: restored
    prior_dir: /runner/project/.asr/prior
  register: restored

- name: See what restoring would change, values that somebody else changed included
  asr.migrate.source_host:
    state: restored
    force: true
  check_mode: true
  diff: true
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
round_trips:
  description: How often the host was asked for something.
  returned: success
  type: int
on_record:
  description: What is on record and still to be put back, as kind and name, for example C(file /etc/hosts); no values.
  returned: O(state=restored)
  type: list
  elements: str
passphrase:
  description: The configuration server's passphrase, when it was asked for without O(passphrase_path). A secret.
  returned: when it was read
  type: str
error:
  description: Message, code, cause and remedy of a failure.
  returned: failure
  type: dict
"""
