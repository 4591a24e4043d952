"""A host of named values and a profile for it, small enough to see through: for the core that prepares and restores."""

from datetime import UTC, datetime

from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, warning
from asr_migrate.hosts.prior import Prior

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


class Killed(BaseException):
    """What ends a run at once, as a kill does: nothing of it goes on."""


class ToyHost:
    """Values by name. ``steps`` counts everything that happens; at ``kill_at`` all ends."""

    def __init__(self, **values):
        self.values = values
        self.names = []
        self.kill_at = None
        self.steps = 0

    def step(self):
        if self.steps == self.kill_at:
            raise Killed
        self.steps += 1

    def send(self, exchange):
        self.names.append(exchange.name)
        if exchange.name == "change":
            for row in exchange.stdin.decode().splitlines():
                self.step()
                name, _, value = row.partition("=")
                if value == "-":
                    self.values.pop(name, None)
                else:
                    self.values[name] = value
        self.step()
        said = "\n".join(f"{name}={value}" for name, value in self.values.items())
        return Answer(said, "", 0, NOW, NOW)


class ToyProfile:
    """Wants values; each is a thing of its own."""

    settle_s = 60.0
    secrets = ()

    def __init__(self, **wanted):
        self.wanted = wanted

    def probe(self):
        return Exchange("probe", "look")

    def inspect(self, priors):
        return Exchange("inspect", "look")

    def read(self, answer):
        seen = dict(row.split("=") for row in answer.stdout.splitlines())
        return Reading(dict(seen), seen)

    def plan(self, reading):
        return self._change({k: v for k, v in self.wanted.items() if reading.of(dict).get(k) != v}, reading.of(dict))

    def restoration(self, reading, priors, *, force=False, only_push=False):
        seen, back, left = reading.of(dict), {}, []
        for prior in priors:
            value = seen.get(prior.name)
            if value == _text(prior.before):
                continue
            if value == _text(prior.after) or force:
                back[prior.name] = _text(prior.before)
            else:
                left.append(prior)
        plan = self._change(back, seen)
        findings = tuple(warning("restore.changed-since", f"{p.name} was changed", "Look.", "ours") for p in left)
        return Plan(findings=findings, changes=plan.changes, exchanges=plan.exchanges, prior=tuple(left))

    @staticmethod
    def _change(values, seen):
        rows = "".join(f"{name}={'-' if value is None else value}\n" for name, value in values.items())
        return Plan(
            changes=tuple(Change(name, seen.get(name), value or "absent") for name, value in values.items()),
            exchanges=(Exchange("change", "set", rows.encode()),) if values else (),
            prior=tuple(Prior("toy", k, _value(seen.get(k)), _value(v)) for k, v in values.items()),
        )


def _value(text):
    return None if text is None else {"text": text}


def _text(value):
    return None if value is None else value["text"]
