"""The work of a machine is stopped only when everything else is known to be in order, and applications move whole."""

MACHINES = ("web-01", "web-02", "web-03")


class Hook:
    """Quiesce commands that leave a line for each machine in a file, and then end with ``code`` on ``fails``."""

    def __init__(self, folder, fails="", code=3):
        self.file = folder / "stopped"
        script = f"echo {{{{ inventory_hostname }}}} >> {self.file}"
        check = f"test {{{{ inventory_hostname }}}} != '{fails}' || exit {code}"
        self.commands = [f"{script}; {check}"]

    @property
    def stopped(self):
        return sorted(self.file.read_text().split()) if self.file.exists() else []


def failover(told, hook, prepare=None, **variables):
    """Play the failover and return its exit code, its output and what was asked of Azure about machines."""

    async def play(controllers, playbooks):
        if prepare:
            prepare(controllers, playbooks)
        controllers.lab.world.log.clear()
        code, output = await playbooks.play("failover", **{"asr_quiesce_commands": hook.commands, **variables})
        return code, output, controllers.jobs("UnplannedFailover")

    return told(play)


WINDOW = {"start": "2000-01-01T00:00:00Z", "end": "2999-01-01T00:00:00Z", "why": "books are closed"}


KEPT_BACK = (
    ({"asr_require_approval": True}, "[NotApproved]"),
    ({"asr_gates": {"freeze": [WINDOW]}}, "books are closed"),
    ({"asr_gates": {"tested_within_days": -3}}, "asr_gates.tested_within_days: must be at least 1, not -3"),
    ({"asr_gates": "soon"}, "asr_gates: must be a dictionary, not 'soon'"),
    ({"asr_approval": {"by": "eve"}}, "asr_approval.reason: is not given"),
    ({"wave_timeout_s": -1}, "wave_timeout_s: must be more than 0"),
    ({"asr_journal_dir": "/proc/no"}, "the lock /proc/no/w.jsonl.lock cannot be used"),
    ({"asr_wave": "typo"}, "is 'typo', but the host is not in the group wave_typo"),
    ({"asr_quiesce_commands": "stop"}, "must be a list of commands, each a text that is not empty, not 'stop'"),
)


def test_nothing_is_stopped_when_a_gate_or_the_input_keeps_the_wave_back(told, tmp_path):
    hook = Hook(tmp_path)

    async def play(controllers, playbooks):
        given = [{"asr_quiesce_commands": hook.commands, **variables} for variables, _ in KEPT_BACK]
        ran = [await playbooks.play("failover", **variables) for variables in given]
        return ran, controllers.jobs("UnplannedFailover")

    ran, jobs = told(play)
    assert (hook.stopped, jobs) == ([], {})
    for (code, output), (_, words) in zip(ran, KEPT_BACK, strict=True):
        assert code == 2, output
        assert words in output, output
        assert all(f"{name} : ok=" in output for name in MACHINES), output
        assert "defect" not in output
        assert "has no attribute" not in output


def test_nothing_is_stopped_while_another_run_works_on_the_wave(told, tmp_path):
    hook = Hook(tmp_path)

    async def play(controllers, playbooks):
        controllers.slow("test_failover")
        other = await controllers.start("ann", "test_running", {"machines": controllers.machines(MACHINES[:1])})
        await controllers.until(lambda: len(controllers.jobs("TestFailover")) == 1)
        ran = await playbooks.play("failover", asr_quiesce_commands=hook.commands)
        other.terminate()
        await controllers.result(other)
        return *ran, controllers.jobs("UnplannedFailover")

    code, output, jobs = told(play)
    assert code == 2
    assert "wave w is being worked on by ann@here" in output
    assert (hook.stopped, jobs) == ([], {})


def test_machines_that_may_move_are_stopped_and_moved_and_the_others_are_neither(told, tmp_path):
    hook = Hook(tmp_path)

    async def play(controllers, playbooks):
        machines = controllers.machines(MACHINES[:2])
        for goal in ("test_running", "tested"):
            await controllers.run("prepare", goal, parameters={"machines": machines})
        gates = {"tested_within_days": 7}
        ran = await playbooks.play("failover", asr_quiesce_commands=hook.commands, asr_gates=gates)
        return *ran, controllers.jobs("UnplannedFailover")

    code, output, jobs = told(play)
    assert code == 2
    assert "web-03: refused at protected: no test failover of it has passed [NotTested]" in output
    assert hook.stopped == ["web-01", "web-02"]
    assert jobs == {"web-01": 1, "web-02": 1}


def shop(_controllers, playbooks):
    for name in MACHINES[:2]:
        playbooks.hosts[name]["asr_group"] = "shop"


def test_a_machine_whose_command_fails_keeps_the_rest_of_its_application_back(told, tmp_path):
    hook = Hook(tmp_path, fails="web-01")
    code, output, jobs = failover(told, hook, shop)
    assert code == 2
    assert jobs == {"web-03": 1}
    assert "web-02: its application shop moves whole, and web-01 fell out before the failover" in output
    assert "Its work stands still since" in output
    assert hook.stopped == list(MACHINES)


def test_a_machine_that_a_gate_keeps_back_keeps_the_work_of_its_application_going(told, tmp_path):
    hook = Hook(tmp_path)

    async def play(controllers, playbooks):
        shop(controllers, playbooks)
        machines = controllers.machines(MACHINES[1:])
        for goal in ("test_running", "tested"):
            await controllers.run("prepare", goal, parameters={"machines": machines})
        gates = {"tested_within_days": 7}
        ran = await playbooks.play("failover", asr_quiesce_commands=hook.commands, asr_gates=gates)
        return *ran, controllers.jobs("UnplannedFailover")

    code, output, jobs = told(play)
    assert code == 2
    assert "web-02: refused at tested: " in output
    assert "[ApplicationHeldBack]" in output
    assert (hook.stopped, jobs) == (["web-03"], {"web-03": 1})


def test_commands_given_under_the_name_of_the_role_run_too(told, tmp_path):
    hook = Hook(tmp_path)
    code, output, jobs = failover(told, hook, asr_quiesce_commands=[], wave_quiesce_commands=hook.commands)
    assert code == 0, output
    assert hook.stopped == list(MACHINES)
    assert sum(jobs.values()) == 3


def test_a_machine_that_has_moved_is_not_stopped_again(told, tmp_path):
    hook = Hook(tmp_path)

    async def play(controllers, playbooks):
        first = await playbooks.play("failover", asr_quiesce_commands=hook.commands)
        again = await playbooks.play("failover", asr_quiesce_commands=hook.commands)
        return first, again

    (code, output), (second, more) = told(play)
    assert (code, second) == (0, 0), output + more
    assert hook.stopped == list(MACHINES)
