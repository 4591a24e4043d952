"""Two naive ways to do the same, written with Microsoft's SDK as its samples are: ``engine_naive.py MODE SETTINGS``.

``pollers``: one loop begins every machine, each has a poller (a thread of the SDK) that asks every 30 s. ``gets``: one
GET a machine to see where all stand. ``journey``: a few machines from absent to migrated with
``begin_...().result()``. ``host`` and ``look``: what one Ansible task does for one host: a process that imports the
SDK, signs in, begins or looks, and ends. Prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import engine_lab
from azure.core.exceptions import AzureError, HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

from asr_lab.arm import landing_zone

POLL_S = 30
FABRIC, CONTAINER = "vault-1-vmwarefabric", "vault-1-replicationcontainer"
PLACE = (landing_zone.RESOURCE_GROUP, "vault-1", FABRIC, CONTAINER)


def client_of(settings: dict[str, Any]) -> SiteRecoveryManagementClient:
    """Return the SDK's client, as its samples make it."""
    url, trust = settings["url"], settings["ca_file"]
    credential = ClientSecretCredential(
        landing_zone.TENANT_ID,
        engine_lab.CLIENT,
        engine_lab.SECRET,
        authority=url,
        disable_instance_discovery=True,
        connection_verify=trust,
    )
    return SiteRecoveryManagementClient(
        credential,
        landing_zone.SUBSCRIPTION_ID,
        base_url=url,
        credential_scopes=[f"{url}/.default"],
        connection_verify=trust,
        polling_interval=POLL_S,
    )


def body_of(number: int, server: str) -> dict[str, Any]:
    """Return the request that enables a machine."""
    body = engine_lab.enable_body(number)
    body["properties"]["providerSpecificDetails"]["processServerId"] = server
    return body


def usage() -> dict[str, float]:
    """Return this process's processor seconds and peak memory in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss * 1024 / 1e6}


def count(settings: dict[str, Any]) -> dict[str, Any]:
    """Ask the lab how many requests came since the last question."""
    import ssl
    from urllib.request import Request, urlopen

    tls = ssl.create_default_context(cafile=settings["ca_file"])
    asked = Request(f"{settings['url']}/_lab/hosts/count", b"{}", {"Content-Type": "application/json"})
    with urlopen(asked, context=tls) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def pollers(settings: dict[str, Any]) -> dict[str, Any]:
    """Begin every machine in one loop and let a poller for each ask for ``settings["watch_s"]`` seconds more."""
    client, machines = client_of(settings), settings["count"]
    base = usage()
    count(settings)
    began_s, refused = time.monotonic(), 0
    running = []
    for number in range(1, machines + 1):
        try:
            poller = client.replication_protected_items.begin_create(
                *PLACE, engine_lab.name_of(number), body_of(number, settings["server"])
            )
        except AzureError:
            refused += 1
            continue
        running.append(poller)
    took_s, begun = time.monotonic() - began_s, usage()
    first = count(settings)
    threading.Event().wait(settings["watch_s"])
    watched, after = count(settings), usage()
    ended = Counter(answer_of(poller) for poller in running if poller.done())
    throttled = sum(n for told in (first, watched) for key, n in told["by"].items() if key.endswith(" 429"))
    return {
        "took_s": took_s,
        "cpu_s": begun["cpu_s"] - base["cpu_s"],
        "refused": refused,
        "begun": len(running),
        "pollers_lost": ended.total(),
        "lost_by": dict(ended),
        "throttled": throttled,
        "watch_reads": watched["reads"],
        "watch_cpu_s": after["cpu_s"] - begun["cpu_s"],
        "base_mb": base["peak_mb"],
        "peak_mb": after["peak_mb"],
    }


def answer_of(poller: Any) -> str:
    """Return with which answer a poller that asks no more has ended."""
    try:
        poller.result()
    except HttpResponseError as error:
        return str(error.status_code)
    except AzureError as error:
        return type(error).__name__
    return "success"


def gets(settings: dict[str, Any]) -> dict[str, Any]:
    """Look at ``count`` machines with one GET each, 16 at a time."""
    client = client_of(settings)
    client.replication_protected_items.get(*PLACE, engine_lab.name_of(1))
    count(settings)
    base, began_s = usage(), time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        names = (engine_lab.name_of(number) for number in range(1, settings["count"] + 1))
        list(pool.map(lambda name: client.replication_protected_items.get(*PLACE, name), names))
    return {
        "reads": count(settings)["reads"],
        "cpu_s": usage()["cpu_s"] - base["cpu_s"],
        "wall_s": time.monotonic() - began_s,
    }


def journey(settings: dict[str, Any]) -> dict[str, Any]:
    """Bring ``count`` machines from absent to migrated, a thread each; the lab's time makes 30 s pass in one."""
    client, machines = client_of(settings), settings["count"]
    items = client.replication_protected_items
    test = {"failoverDirection": "PrimaryToRecovery", "networkType": "VmNetworkAsInput"}
    test["networkId"] = engine_lab.NETWORK.replace("vnet-prod", "vnet-test")
    test_details = {"instanceType": "InMageRcm", "networkId": test["networkId"]}
    failover = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}
    failover_details = {"instanceType": "InMageRcm", "performShutdown": "false"}
    disable_details = {"instanceType": "InMageRcm", "replicaVmDeletionStatus": "Retain"}
    reason = {"disableProtectionReason": "MigrationComplete", "replicationProviderInput": disable_details}

    def migrate(number: int) -> None:
        place = (*PLACE, engine_lab.name_of(number))
        items.begin_create(*place, body_of(number, settings["server"])).result()
        while items.get(*place).properties.protection_state != "Protected":
            threading.Event().wait(POLL_S / settings["speed"])
        items.begin_test_failover(*place, {"properties": {**test, "providerSpecificDetails": test_details}}).result()
        items.begin_test_failover_cleanup(*place, {"properties": {"comments": "done"}}).result()
        items.begin_unplanned_failover(
            *place, {"properties": {**failover, "providerSpecificDetails": failover_details}}
        ).result()
        items.begin_failover_commit(*place).result()
        items.begin_delete(*place, {"properties": reason}).result()

    count(settings)
    with ThreadPoolExecutor(machines) as pool:
        list(pool.map(migrate, range(1, machines + 1)))
    calls = count(settings)["total"]
    return {"calls": calls, "per_machine": calls / machines, **usage()}


def host(settings: dict[str, Any]) -> dict[str, Any]:
    """Begin one machine, as a task for one host does; its operation is not waited for."""
    number = settings["number"]
    item = (*PLACE, engine_lab.name_of(number))
    client_of(settings).replication_protected_items.begin_create(*item, body_of(number, settings["server"]))
    return usage()


def look(settings: dict[str, Any]) -> dict[str, Any]:
    """Look at one machine, as one try of a task with ``until`` does."""
    client_of(settings).replication_protected_items.get(*PLACE, engine_lab.name_of(settings["number"]))
    return usage()


if __name__ == "__main__":
    work = {"pollers": pollers, "gets": gets, "journey": journey, "host": host, "look": look}[sys.argv[1]]
    sys.stdout.write(json.dumps(work(json.loads(sys.stdin.read()))) + "\n")
    sys.stdout.flush()
    # The SDK's pollers are threads that would go on asking.
    os._exit(0)
