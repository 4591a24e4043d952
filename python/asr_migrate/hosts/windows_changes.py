"""What is changed on a Windows source, what was there before, and the lines that change it.

Nothing here touches WinRM, its firewall rules, or what lets the connecting account in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Answer, Change
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.want import SourceWant, TimeService
from asr_migrate.hosts.windows_firewall import GROUP_NAMES, OUR_RULE, PUSH_GROUPS, REMOTE_DESKTOP, Rule
from asr_migrate.hosts.windows_source_facts import (
    DENY_REMOTE_DESKTOP,
    SAN_POLICY,
    TOKEN_FILTER,
    Service,
    SourceFacts,
    registry_name,
)

#: Every disk comes online at the next start (Windows documentation, VDS_SAN_POLICY: VDS_SP_ONLINE).
SAN_ONLINE_ALL = 1


@dataclass(frozen=True)
class Step:
    """One change with the lines that make it; ``prior`` is what it touches."""

    change: Change
    lines: tuple[str, ...]
    prior: tuple[Prior, ...] = ()


def text_of(steps: Iterable[Step]) -> list[str]:
    """Return the lines of all steps, each step in a section of its own, which ``judge`` names."""
    return [line for step in steps for line in text.section(f"change {step.change.what}", *step.lines)]


def steps(seen: SourceFacts, want: SourceWant) -> list[Step]:
    """Return what has to be changed."""
    made: list[Step] = []
    if want.push and not seen.mobility.installed:
        # Only a local account's token is filtered; the push is expected to use the account that connects.
        if seen.account.local is not False:
            made += _registry(seen, windows_probe.SYSTEM_POLICIES, TOKEN_FILTER, 1)
        for group in PUSH_GROUPS:
            made += _group(seen, group)
    if want.remote_desktop:
        made += _registry(seen, windows_probe.TERMINAL_SERVER, DENY_REMOTE_DESKTOP, 0)
        made += _group(seen, REMOTE_DESKTOP)
        made += _remote_desktop_everywhere(seen)
    if want.san_policy:
        made += _san_policy(seen)
    if want.time_service is TimeService.RUNNING:
        made += _time_service(seen)
    return made


def _registry(seen: SourceFacts, key: str, name: str, number: int) -> list[Step]:
    if seen.number(key, name) == number:
        return []
    full = registry_name(key, name)
    before = seen.registry.get(full)
    prior = Prior(
        "registry",
        full,
        {"type": before.kind, "data": before.data} if before else None,
        {"type": "REG_DWORD", "data": hex(number)},
    )
    change = Change(name, shown(before), str(number))
    return [Step(change, tuple(text.with_exit_code(text.reg_add_dword(key, name, number))), (prior,))]


def shown(value: output.RegistryValue | None) -> str | None:
    """Return a registry value for a result: numbers in decimal, others as they are."""
    if value is None:
        return None
    return value.data if value.number is None else str(value.number)


def _san_policy(seen: SourceFacts) -> list[Step]:
    made = _registry(seen, windows_probe.PARTITION_MANAGER, SAN_POLICY, SAN_ONLINE_ALL)
    if made and seen.partition_manager is None:
        key = Prior("registry_key", windows_probe.PARTITION_MANAGER, None, {})
        made = [Step(made[0].change, made[0].lines, (*made[0].prior, key))]
    return made


def _group(seen: SourceFacts, group: str) -> list[Step]:
    """Switch a whole group on; its outbound rules come on with it."""
    state = seen.firewall.group(group).state
    if not seen.filters or state not in ("disabled", "partly enabled"):
        return []
    off = [rule for rule in seen.firewall.of_group(group) if not rule.active]
    prior = tuple(Prior("firewall_rule", rule.name, {"rule": rule.text}, {"rule": _on(rule)}) for rule in off)
    change = Change(group_name(group), state, "enabled")
    return [Step(change, tuple(text.with_exit_code(text.enable_firewall_group(group))), prior)]


def group_name(group: str) -> str:
    """Return how a result calls a firewall group."""
    return f"firewall group {GROUP_NAMES.get(group, group)}"


def _on(rule: Rule) -> str:
    return rule.switched_on().text


def _remote_desktop_everywhere(seen: SourceFacts) -> list[Step]:
    """Add a rule of ours when the host's own, all in force, leave a profile closed to Remote Desktop.

    Rules that name remote addresses stay as they are and count: widening them is the administrator's decision.
    """
    port = seen.remote_desktop_port
    closed = seen.firewall.closed_profiles(port, seen.firewall.of_group(REMOTE_DESKTOP))
    if not seen.filters or not closed:
        return []
    replaced = [text.delete_firewall_rule(OUR_RULE)] if seen.firewall.named(OUR_RULE) else []
    prior = Prior("firewall_rule", OUR_RULE, None, {"port": port})
    change = Change(f"firewall rule {OUR_RULE}", f"closed in {', '.join(closed)}", f"TCP {port} let in")
    return [Step(change, (*replaced, *text.with_exit_code(text.allow_port(OUR_RULE, port))), (prior,))]


def _time_service(seen: SourceFacts) -> list[Step]:
    name = windows_probe.TIME_SERVICE
    service = seen.services[name]
    if service.start == "missing" or (service.running and service.start == "auto"):
        return []
    before = f"{seen.windows.time_service} ({service.start})"
    lines = [] if service.start == "auto" else text.configure_service(name, "auto")
    if not service.running:
        lines += text.run_service(name)
    after = Service("auto", delayed=service.delayed and service.start == "auto", running=True)
    prior = Prior("service", name, service.as_value(), after.as_value())
    return [Step(Change(f"service {name}", before, "running (auto)"), tuple(lines), (prior,))]


def judge(answer: Answer) -> AsrMigrateError | None:
    """Return the error of the first change of which a command failed; its name stands in the marker."""
    for name, section in output.sections(answer.stdout).items():
        if not name.startswith("change "):
            continue
        code = next((code for code in section.exit_codes if code), 0)
        if code:
            return SetupError(
                f"{name} failed with exit code {code}: {(section.text.strip() or answer.stderr.strip())[:300]}",
                code="HostChangeFailed",
                cause="The host refused the command; a group policy or missing rights are the usual reasons.",
                remedy="Run the command on the host as an elevated administrator to see why, then run the playbook "
                "again.",
            )
    return None
