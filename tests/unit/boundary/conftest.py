"""Whole module processes, as Ansible starts them, against a lab's Azure over HTTPS."""

import asyncio
import importlib.util
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ADDRESS = "127.54.0.2"
SPEED = 80.0
WAVE = ROOT / "plugins" / "modules" / "wave.py"


def _load(path):
    spec = importlib.util.spec_from_file_location(f"for_boundary_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Controllers:
    """A lab with a wave, and controllers that run the module wave on it."""

    def __init__(self, folder):
        self.folder = folder
        faults = _load(ROOT / "tests" / "faults" / "lab.py")
        self.lab = faults.FaultLab(folder / "lab", "modernized", machines=3, speed=SPEED, address=ADDRESS)
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
            **self.lab.environment(),
            **more,
        }

    def arguments(self, controller, goal, **more):
        """Return the module's standard input: ``controller`` has a journal of its own."""
        cloud = {
            "resource_manager": self._url,
            "authority": self._url,
            "ca_file": str(self.folder / "lab" / "ca.pem"),
            "instance_discovery": False,
        }
        parameters = {
            "landing_zone": self.lab.zone(),
            "cloud": cloud,
            "wait_scale": 1 / SPEED,
            "journal": str(self.folder / controller / "w.jsonl"),
            "machines": [self.machine(name, address) for name, address in self.lab.sources.items()],
            "goal": goal,
        }
        return json.dumps({"ANSIBLE_MODULE_ARGS": {**parameters, **more}}).encode()

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
