# MIT License (see LICENSE)
"""Options that every module of this collection which talks to Azure has."""


class ModuleDocFragment:
    """Documentation fragment C(asr.migrate.azure)."""

    DOCUMENTATION = r"""
options:
  landing_zone:
    description:
      - Everything in Azure that must be there before a wave replicates.
      - Keys are C(subscription_id), C(tenant_id), C(location), C(resource_group), C(vault), C(network), C(subnet),
        C(test_network), C(test_subnet), C(cache_storage_account), C(architecture) (V(modernized) or V(classic)),
        C(classic_acknowledged), C(policy) and C(appliance).
      - C(policy) has C(name), C(recovery_point_retention_min), C(app_consistent_min), C(crash_consistent_min),
        C(rpo_threshold_min) and C(multi_vm_sync). C(appliance) has C(name), C(address) and C(fqdn).
    type: dict
    required: true
  cloud:
    description:
      - Where Azure answers. Empty is the public cloud.
      - Keys are C(resource_manager), C(authority), C(ca_file) (a PEM file) and C(instance_discovery).
    type: dict
    default: {}
  wait_scale:
    description:
      - How many real seconds one second of waiting lasts. V(1.0) against Azure.
    type: float
    default: 1.0
  journal:
    description:
      - A file that gets one JSON line before and one after every change asked for. Evidence only, never read back.
    type: path
attributes:
  check_mode:
    support: full
    description: Sends nothing that could change Azure and lists in RV(writes) what would be sent.
  diff_mode:
    support: none
    description: Has no diff.
requirements:
  - The packages of requirements.txt
author:
  - The asr-migrate authors (@asr-migrate)
"""
