"""Whole module processes, as Ansible starts them, against a lab's Azure over HTTPS."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from tests.faults.lab import FaultLab
from tests.worlds.served import ENVIRONMENT

ROOT = Path(__file__).parents[3]
ADDRESS = "127.54.0.2"
SPEED = 80.0
WAVE = ROOT / "plugins" / "modules" / "wave.py"
BIN = Path(sys.executable).parent


class Controllers:
    """A lab with a wave, and controllers that run the module wave on it."""

    def __init__(self, folder):
        self.folder = folder
        self.lab = FaultLab(folder / "lab", "modernized", machines=3, speed=SPEED, address=ADDRESS)
        self._url = ""

    @asynccontextmanager
    async def served(self):
        async with self.lab.served() as self._url:
            yield self

    def environment(self, **more):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": f"{ROOT / 'collections'}:{ROOT / 'python'}",
            **ENVIRONMENT,
            **more,
        }

    def arguments(self, controller, goal, **more):
        """Return the module's standard input: ``controller`` has a journal of its own."""
        parameters = {
            **self.lab.params(self._url, self.lab.zone),
            "journal": str(self.folder / controller / "w.jsonl"),
            "machines": self.machines(self.lab.sources),
            "goal": goal,
        }
        return json.dumps({"ANSIBLE_MODULE_ARGS": {**parameters, **more}}).encode()

    def machines(self, names):
        """Return the machines of these names as modules take them."""
        return [self.machine(name, self.lab.sources[name]) for name in names]

    def machine(self, name, address):
        target = {"vm_name": f"vm-{name}", "vm_size": "Standard_B2s"}
        return {
            "name": name,
            "source_id": f"i-{name}",
            "wave": "w",
            "os": "linux",
            "addresses": [address],
            "target": target,
        }

    async def start(self, controller, goal="protected", parameters=None, command=(), **environment):
        """Start the module on a controller and return its process."""
        process = await asyncio.create_subprocess_exec(
            *command,
            sys.executable,
            str(WAVE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env=self.environment(ASR_ACTOR=f"{controller}@here", **environment),
        )
        process.stdin.write(self.arguments(controller, goal, **(parameters or {})))
        process.stdin.close()
        return process

    async def result(self, process):
        """Wait for a module and return its result."""
        out, error = await process.communicate()
        assert out, error.decode()
        return json.loads(out)

    async def run(self, controller, goal="protected", **more):
        return await self.result(await self.start(controller, goal, **more))

    async def until(self, true):
        """Wait until ``true()`` holds after a request; a minute is enough for anything here."""
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        self.lab.world.after_effect = lambda request: loop.call_soon_threadsafe(asked.set)
        async with asyncio.timeout(60):
            while not true():
                await asyncio.wait_for(asked.wait(), 60)
                asked.clear()

    def slow(self, step="initial_replication_transfer", seconds=36_000):
        """Make a step take so long that it does not end by itself while a story is told."""
        faults = self.lab.world.faults
        faults.add({"match": {"step": step}, "seconds": seconds})
        faults.rows.insert(0, faults.rows.pop())

    def fast_forward(self, seconds=36_000):
        """Let that time pass at once."""
        self.lab.clock.advance(seconds)

    def jobs(self, scenario):
        """Return how many jobs of a scenario each machine has had."""
        counted = {}
        for operation in self.lab.world.operations.values():
            if operation.scenario == scenario:
                counted[operation.target.object_name] = counted.get(operation.target.object_name, 0) + 1
        return counted

    @property
    def leases(self):
        """Return the values of the leases in the vault's tags."""
        tags = self.lab.world.resources.get(self.lab.vault_id).get("tags") or {}
        return [value for name, value in tags.items() if name.startswith("asr-migrate-lease.")]


@pytest.fixture
def story(tmp_path):
    """Run a story: a coroutine function that gets the controllers."""

    def tell(play):
        async def go():
            async with Controllers(tmp_path).served() as controllers:
                return await play(controllers)

        return asyncio.run(go())

    return tell


class Playbooks:
    """Runs playbooks on the controllers' wave; its machines are reached as local hosts."""

    def __init__(self, controllers, folder):
        self.controllers = controllers
        self.folder = folder
        told = json.loads(controllers.arguments("cli", "protected"))["ANSIBLE_MODULE_ARGS"]
        self.variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "asr_wave": "w",
            "asr_source": "physical",
            "asr_landing_zone": told["landing_zone"],
            "asr_cloud": told["cloud"],
            "asr_wait_scale": told["wait_scale"],
            "asr_journal_dir": str(folder / "journal"),
        }
        self.hosts = {
            machine["name"]: {f"asr_{key}": machine[key] for key in ("source_id", "os", "addresses", "target")}
            for machine in told["machines"]
        }

    async def play(self, name, *words, **variables):
        """Run one playbook by ansible-playbook and return its exit code and output, spaces made single."""
        command = (str(BIN / "ansible-playbook"), f"playbooks/{name}.yml")
        return await self.ended(await self.started(command, *words, **variables))

    async def start(self, *words, stderr=asyncio.subprocess.STDOUT, **variables):
        """Start asr-migrate with an inventory of the wave and return its process."""
        command = (sys.executable, "-c", "from asr_migrate.cli.main import app; app()")
        return await self.started(command, *words, stderr=stderr, **variables)

    async def started(self, command, *words, stderr=asyncio.subprocess.STDOUT, **variables):
        inventory = self.folder / "inventory.yml"
        wave = {"hosts": self.hosts, "vars": {**self.variables, **variables}}
        inventory.write_text(yaml.safe_dump({"all": {"children": {"wave_w": wave}}}))
        environment = self.controllers.environment(ANSIBLE_HOME=str(self.folder / "ansible"), ANSIBLE_NOCOLOR="1")
        environment |= {"PATH": f"{BIN}{os.pathsep}{environment['PATH']}", "COLUMNS": "200", "LANG": "C.UTF-8"}
        return await asyncio.create_subprocess_exec(
            *command,
            *words,
            "-i",
            str(inventory),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )

    async def ended(self, process):
        out, _ = await process.communicate()
        return process.returncode, " ".join(out.decode().split())

    async def run(self, *words, **variables):
        """Run asr-migrate to its end and return its exit code and output, spaces made single."""
        return await self.ended(await self.start(*words, **variables))


@pytest.fixture
def told(story, tmp_path):
    """Tell a story that begins with a wave which is protected."""

    def tell(play):
        async def go(controllers):
            await controllers.run("prepare")
            return await play(controllers, Playbooks(controllers, tmp_path))

        return story(go)

    return tell
