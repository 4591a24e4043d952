"""Sessions that the lab itself records: whole migrations, in the format of recorded sessions."""

import json
import random
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asr_lab.arm.exchange_log import as_session
from asr_lab.arm.wire import Request, Response, last_segment
from asr_lab.contract import recording
from asr_lab.contract.azure import Surroundings
from asr_lab.contract.facts import Facts
from asr_lab.contract.recording import GUID
from asr_lab.contract.scene import Scene
from asr_lab.contract.seed import Seeding

GROUP = "/subscriptions/5f6f1f4e-8d4c-4a0b-9b39-52a5a7c1b001/resourceGroups/migration"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/lab-vault"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/target-network"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/targetstorage"
BEGINS = datetime(2023, 8, 1, 8, 0, tzinfo=UTC)
OLD_TIMES = datetime(2017, 9, 19, 6, 0, tzinfo=UTC)
Held = dict[str, Any]


class Recorder:
    """A client of one vault whose exchanges are kept; the world begins with what ``assumed`` bodies tell.

    ``named`` are bodies that name further resources, as a request below ``below`` would.
    """

    def __init__(
        self, *assumed: Held, named: tuple[Held, ...] = (), below: str = VAULT, api_version: str = "2022-08-01"
    ) -> None:
        self.api_version = api_version
        begins = BEGINS if api_version > "2017" else OLD_TIMES
        rows = [_exchange("GET", f"{body['id']}?api-version={api_version}", None, body) for body in assumed]
        rows += [_exchange("PATCH", f"{below}?api-version={api_version}", body, None) for body in named]
        facts = Facts(recording.parse(Path("assumed.json"), {"exchanges": rows}))
        self.scene = Scene(begins, seed=7)
        surroundings = Surroundings(facts, self.scene)
        surroundings.make()
        seeding = Seeding(facts, self.scene, surroundings, api_version=api_version, begins=begins)
        seeding.run()
        assert seeding.all_notes == []
        self.scene.world.operations.clear()
        self.scene.world.log.clear()
        self.scene.world.keep_answers = True

    def ask(self, method: str, path: str, body: Any = None) -> Response:
        """Send a request; the world's log keeps the exchange."""
        request = Request(method, path, {"api-version": self.api_version}, {}, body, "recorder")
        return self.scene.world.handle(request, self.scene.now)

    def read(self, path: str) -> Held:
        """Read a resource; it must be there."""
        answer = self.ask("GET", path)
        assert answer.status == 200, (path, answer.body)
        return dict(answer.body)

    def run(self, method: str, path: str, body: Any = None) -> None:
        """Make a change and poll it to the end: the job, and since 2018 the status too."""
        answer = self.ask(method, path, body)
        assert answer.status == 202, (method, path, answer.body)
        operation = self.scene.world.operation(last_segment(answer.headers["x-ms-request-id"]))
        assert operation is not None
        job = f"{VAULT}/replicationJobs/{operation.guid}"
        status = job if self.api_version == "2016-08-10" else f"{VAULT}/replicationOperationStatus/{operation.guid}"
        if status == job:
            self.read(job)
        self.pass_s(min(30.0, (operation.due - operation.started).total_seconds() / 2))
        self.read(status)
        self.scene.now = max(self.scene.now, operation.due)
        self.pass_s(30)
        ended = self.read(status)
        assert ended["status"] == "Succeeded", (method, path, operation.error)
        if operation.scenario and status != job:
            self.read(job)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.scene.advance(seconds)

    def wait(self, path: str, state: str, *, every_s: float = 600.0) -> None:
        """Read an item until it is in a state."""
        for _ in range(60):
            if self.read(path)["properties"]["protectionState"] == state:
                return
            self.pass_s(every_s)
        raise AssertionError(f"{path} never became {state}")

    def session(self) -> Held:
        """Return what the lab's log exports as a session."""
        return dict(json.loads(json.dumps(as_session(self.scene.world.log))))


def _exchange(method: str, url: str, body: Any, answer: Any) -> Held:
    return {"request": {"method": method, "url": url, "body": body}, "response": {"status": 200, "body": answer}}


# Mutations


def other_guids(session: Held, *, seed: int = 1) -> Held:
    """Return the session with every GUID in it exchanged for another one, always the same for the same."""
    made = random.Random(seed)
    known: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        return known.setdefault(match[0].casefold(), str(uuid.UUID(int=made.getrandbits(128), version=4)))

    return dict(json.loads(GUID.sub(other, json.dumps(session))))


def other_names(*names: str) -> Callable[[Held], Held]:
    """Return a mutation that gives the resources with these names others."""

    def rename(session: Held) -> Held:
        text = json.dumps(session)
        for name in names:
            text = re.sub(rf"\b{re.escape(name)}\b", f"other-{name[::-1]}", text)
        return dict(json.loads(text))

    return rename


def without_first(count: int) -> Callable[[Held], Held]:
    """Return a mutation that drops the first exchanges, so that what they made must be inferred."""
    return lambda session: {**session, "exchanges": session["exchanges"][count:]}


def beginning_with(method: str, ending: str) -> Callable[[Held], Held]:
    """Return a mutation that drops everything before the first request whose path ends so."""

    def cut(session: Held) -> Held:
        for number, row in enumerate(session["exchanges"]):
            request = row["request"]
            if request["method"] == method and request["url"].partition("?")[0].endswith(ending):
                return {**session, "exchanges": session["exchanges"][number:]}
        raise LookupError(f"no {method} .../{ending} in the session")

    return cut
