"""Probes of Azure VMs, asked of real servers on loopback."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from asr_migrate.azure.probes import AzureProbes
from asr_migrate.clock import Clock
from asr_migrate.domain.errors import InputError, ServiceError
from asr_migrate.domain.lifecycle import AzureVm
from asr_migrate.domain.machine import Machine, Probe, parse

HERE = "127.52.0.1"
RUNNING = {"statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}]}
VM = AzureVm("vm-web", "/vms/vm-web", "rg")
TEST_VM = AzureVm("vm-web-test", "/vms/vm-web-test", "rg")


class Azure:
    """Answers reads from a dictionary; what is not in it is a 404."""

    def __init__(self, view=RUNNING, address=HERE):
        nic = {"id": "/nics/2", "properties": {"primary": True}}
        config = {"properties": {"primary": True, "privateIPAddress": address}}
        self.read = []
        self.answers = {
            "/vms/vm-web/instanceView": view,
            "/vms/vm-web-test/instanceView": view,
            "/vms/vm-web": {"properties": {"networkProfile": {"networkInterfaces": [{"id": "/nics/1"}, nic]}}},
            "/nics/2": {"properties": {"ipConfigurations": [{"properties": {}}, config]}},
        }

    async def get(self, path, api_version, doing=None):
        self.read.append(path)
        if path not in self.answers:
            raise ServiceError(f"{doing}: not found", status=404)
        return self.answers[path]


def machine(*probes, **more):
    return Machine(
        name="web", source_id="i-1", wave="w", os="linux", target={"vm_name": "vm-web"}, probes=probes, **more
    )


@asynccontextmanager
async def server(answer):
    """A server on a free port that sends ``answer`` to whoever has sent a line; None never answers."""

    async def talk(reader, writer):
        await reader.readline()
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(talk, HERE, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def ask(answer, make, azure=None, vm=VM, clock=None):
    """Return what probing finds; ``make`` makes the machine from the port of a server that answers ``answer``."""

    async def run():
        async with server(answer) as port:
            return await AzureProbes(azure or Azure(), clock or Clock(), timeout_s=5).ask(make(port), vm)

    return asyncio.run(run())


def http(status):
    return f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def test_a_port_that_is_open_passes():
    assert ask(b"", lambda port: machine(Probe(port=port))).passed


def test_a_port_that_is_closed_is_named_with_the_address():
    found = ask(b"", lambda port: machine(Probe(port=1, name="database")))
    assert found.failures[0].startswith(f"TCP port 1 (database) at {HERE}: ")


@pytest.mark.parametrize(("status", "passed"), [(200, True), (302, True), (404, False), (503, False)])
def test_a_page_passes_by_its_status(status, passed):
    found = ask(http(status), lambda port: machine(Probe(port=port, path="/health")))
    assert found.passed == passed
    assert passed or f"it answers {status}" in found.failures[0]


def test_what_does_not_answer_in_time_by_our_clock_has_failed():
    found = ask(None, lambda port: machine(Probe(port=port, path="/")), clock=Clock(scale=0.01))
    assert found.failures[0].endswith("no answer in 5 s")


def test_a_server_that_breaks_off_has_failed():
    assert not ask(b"", lambda port: machine(Probe(port=port, path="/"))).passed


def test_what_failed_last_is_remembered_until_it_passes():
    async def run():
        async with server(b"") as port:
            probes = AzureProbes(Azure(), Clock(), timeout_s=5)
            for asked, passed in ((1, False), (port, True)):
                one = machine(Probe(port=asked))
                assert await probes.passed(one, VM) == passed
                assert bool(probes.failures_of(one, VM)) != passed

    asyncio.run(run())


def test_every_probe_that_fails_is_told():
    found = ask(http(500), lambda port: machine(Probe(port=1), Probe(port=port), Probe(port=port, path="/x")))
    assert len(found.failures) == 2


@pytest.mark.parametrize("state", ["deallocated", "starting"])
def test_a_vm_that_does_not_run_is_asked_nothing_more(state):
    azure = Azure({"statuses": [{"code": f"PowerState/{state}"}]})
    found = ask(b"", lambda port: machine(Probe(port=port)), azure)
    assert found.failures == (f"the VM does not run: its power state is {state}",)
    assert azure.read == ["/vms/vm-web/instanceView"]


@pytest.mark.parametrize(("code", "passed"), [("ProvisioningState/succeeded", True), ("ProvisioningState/none", False)])
def test_the_agent_of_the_vm_is_ready_where_the_view_speaks_of_it(code, passed):
    azure = Azure({**RUNNING, "vmAgent": {"statuses": [{"code": code, "displayStatus": "Not Ready"}]}})
    assert ask(b"", lambda port: machine(), azure).passed == passed


def test_the_address_of_the_machine_is_asked_instead_of_the_private_one():
    azure = Azure(address="192.0.2.1")
    assert ask(b"", lambda port: machine(Probe(port=port), probe_address=HERE), azure).passed
    assert "/nics/2" not in azure.read


def test_the_ports_of_a_test_vm_are_asked_only_where_its_address_is_given():
    assert ask(b"", lambda port: machine(Probe(port=1)), vm=TEST_VM).passed
    assert not ask(b"", lambda port: machine(Probe(port=1), probe_test_address=HERE), vm=TEST_VM).passed
    assert ask(b"", lambda port: machine(Probe(port=port), probe_test_address=HERE), vm=TEST_VM).passed


def test_a_vm_without_an_address_has_failed():
    assert "has no private address" in ask(b"", lambda port: machine(Probe(port=port)), Azure(address=None)).failures[0]


def test_an_error_of_azure_is_no_failed_probe():
    azure = Azure()
    azure.answers.clear()
    with pytest.raises(ServiceError, match="probing the VM vm-web"):
        ask(b"", lambda port: machine(), azure)


def test_a_path_begins_with_a_slash():
    with pytest.raises(InputError, match=r"asr_probes\.path"):
        parse(Probe, {"port": 80, "path": "health"}, "asr_probes")
