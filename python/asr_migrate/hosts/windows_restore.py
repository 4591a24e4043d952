"""Puts a Windows source back to what it was before its preparation, thing by thing, as the record says.

Of a service and a firewall rule only what was changed is compared and put back, field by field, because a preparation
may have been killed between two fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import windows_changes, windows_firewall, windows_probe
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Change, Plan, warning
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.windows_changes import Step, group_name, shown
from asr_migrate.hosts.windows_firewall import OUR_RULE, Rule
from asr_migrate.hosts.windows_output import RegistryValue
from asr_migrate.hosts.windows_source_facts import TOKEN_FILTER, SourceFacts

_SOURCE = "the record of what this host was before its preparation"
_ABSENT = "absent"


@dataclass
class Restoration:
    """What was decided so far."""

    seen: SourceFacts
    force: bool
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    staying: list[Prior] = field(default_factory=list)
    off: list[tuple[Prior, Rule]] = field(default_factory=list)
    emptied: set[str] = field(default_factory=set)

    def leave(self, prior: Prior, rule: str, why: str, remedy: str) -> None:
        """Leave a thing as it is, say why, and keep it on record."""
        self.findings.append(warning(rule, f"{self.seen.windows.host_name}: {why}", remedy, _SOURCE))
        self.staying.append(prior)

    def changed_since(self, prior: Prior, what: str, now: str | None) -> bool:
        """Return whether a thing that somebody else changed is to be put back all the same; if not, leave it."""
        if self.force:
            return True
        self.leave(
            prior,
            "restore.changed-since",
            f"{what} was changed by somebody else since the preparation; it is {now or _ABSENT} and was left so",
            "Set it by hand, or run restore_sources with force to have the value from before put back.",
        )
        return False


def restoration(seen: SourceFacts, priors: tuple[Prior, ...], *, force: bool, only_push: bool = False) -> Plan:
    """Decide how to put back what ``priors`` say; see ``plan.Restorable``."""
    made = Restoration(seen, force)
    made.staying += [prior for prior in priors if only_push and not _for_push(prior)]
    for prior in priors:
        if prior not in made.staying:
            _KINDS.get(prior.kind, _unknown)(made, prior)
    _firewall_off(made)
    if not only_push:
        if not any(prior.name == OUR_RULE for prior in priors):
            _our_rule(made)
        _empty_keys(made, priors)
    steps = made.steps
    return Plan(
        findings=tuple(made.findings),
        changes=tuple(step.change for step in steps),
        exchanges=(text.exchange("restore", windows_changes.text_of(steps), judge=windows_changes.judge),)
        if steps
        else (),
        prior=tuple(made.staying),
    )


def _for_push(prior: Prior) -> bool:
    """Return whether a thing was changed for nothing but the push of the Mobility service."""
    if prior.kind == "firewall_rule":
        return windows_firewall.group_of(Rule("", (prior.before or {}).get("rule", ""))) in windows_firewall.PUSH_GROUPS
    return prior.kind == "registry" and prior.name.endswith(f"\\{TOKEN_FILTER}")


def _unknown(made: Restoration, prior: Prior) -> None:
    made.leave(
        prior,
        "restore.unknown-kind",
        f"the record names {prior.name} of the kind {prior.kind}, which this version does not know",
        "Restore with the version of the collection that prepared the host.",
    )


def _registry(made: Restoration, prior: Prior) -> None:
    now = made.seen.registry.get(prior.name)
    if _same(now, prior.before):
        return
    key, _, name = prior.name.rpartition("\\")
    if not _same(now, prior.after) and not made.changed_since(prior, name, shown(now)):
        return
    if name == TOKEN_FILTER and _would_lock_out(made.seen) and not made.force:
        made.leave(
            prior,
            "restore.lock-out",
            f"{TOKEN_FILTER} was left at {shown(now)}: without it {made.seen.account.name}, which connects now, would "
            "lose its rights over the network",
            "Restore with a domain administrator or the built-in Administrator, or with force.",
        )
        return
    if prior.before is None:
        lines = text.with_exit_code(text.reg_delete(key, name))
        made.emptied.add(name.lower())
    else:
        lines = text.with_exit_code(text.reg_add(key, name, prior.before["type"], prior.before["data"]))
    made.steps.append(Step(Change(name, shown(now), _shown(prior.before)), tuple(lines)))


def _same(now: RegistryValue | None, recorded: Mapping[str, Any] | None) -> bool:
    if now is None or recorded is None:
        return now is None and recorded is None
    other = RegistryValue(now.name, recorded["type"], recorded["data"])
    alike = now.data == other.data or (now.number is not None and now.number == other.number)
    return now.kind == other.kind and alike


def _shown(recorded: Mapping[str, Any] | None) -> str:
    return _ABSENT if recorded is None else shown(RegistryValue("", recorded["type"], recorded["data"])) or ""


def _would_lock_out(seen: SourceFacts) -> bool:
    """Return whether the connecting account has its rights over the network only by the token filter policy.

    The built-in Administrator keeps a full token unless FilterAdministratorToken says otherwise; without UAC
    (EnableLUA = 0) nobody's is filtered (Windows documentation, UAC remote restrictions).
    """
    policies = dict(seen.windows.policies)
    if seen.account.local is False or output.number(policies, "EnableLUA") == 0:
        return False
    return not seen.account.built_in or output.number(policies, "FilterAdministratorToken") == 1


def _registry_key(made: Restoration, prior: Prior) -> None:
    """Keys are deleted after all values; see ``_empty_keys``."""
    if prior.name != windows_probe.PARTITION_MANAGER:
        _unknown(made, prior)


def _empty_keys(made: Restoration, priors: tuple[Prior, ...]) -> None:
    """Delete the key that was made for us when nothing is left in it; it waits for a value of ours that was left."""
    key, held = windows_probe.PARTITION_MANAGER, made.seen.partition_manager
    ours = [prior for prior in priors if prior.kind == "registry_key" and prior.name == key]
    if any(prior.kind == "registry" and prior.name.startswith(key) for prior in made.staying):
        made.staying += ours
        return
    if not ours or held is None or held - made.emptied:
        return
    change = Change(f"registry key {key}", "empty", _ABSENT)
    made.steps.append(Step(change, tuple(text.with_exit_code(text.reg_delete(key)))))


def _firewall_rule(made: Restoration, prior: Prior) -> None:
    if prior.name == OUR_RULE:
        _our_rule(made, prior)
        return
    before, after = (prior.before or {}).get("rule", ""), (prior.after or {}).get("rule", "")
    now = next((rule for rule in made.seen.firewall.rules if rule.name == prior.name), None)
    if now is not None and now.is_like(before):
        return
    if now is None:
        # A rule that is gone cannot be in force; there is nothing that could be switched off.
        if not made.force:
            made.changed_since(prior, f"firewall rule {prior.name}", None)
        return
    state = "on" if now.active else "off"
    if not now.is_like(after) and not made.changed_since(
        prior, f"firewall rule {prior.name}", f"another rule ({state})"
    ):
        return
    if now.active:
        made.off.append((prior, now))


def _firewall_off(made: Restoration) -> None:
    """Switch off the rules that were off before, and no other."""
    if not made.seen.filters:
        for prior, rule in made.off:
            _firewall_stands_still(made, prior, rule.name)
        return
    chosen, alike = windows_firewall.switching_off([rule for _, rule in made.off], made.seen.firewall)
    for prior, rule in made.off:
        if rule in alike:
            made.leave(
                prior,
                "restore.firewall-rule",
                f"firewall rule {rule.name} was left on: netsh cannot tell it from another rule that must stay on",
                "Switch the rule off by hand in Windows Firewall with Advanced Security.",
            )
    by_group: dict[str, list[str]] = {}
    for words in chosen:
        lines = by_group.setdefault(words["group"].rpartition(",")[2], [])
        lines += text.with_exit_code(text.set_firewall_rules(words, enable=False))
    for group, lines in by_group.items():
        count = sum(windows_firewall.group_of(rule) == group for _, rule in made.off)
        now = made.seen.firewall.group(group).state
        made.steps.append(Step(Change(group_name(group), now, f"{count} rules off, as before"), tuple(lines)))


def _firewall_stands_still(made: Restoration, prior: Prior, name: str) -> None:
    made.leave(
        prior,
        "restore.firewall-service",
        f"firewall rule {name} was left on: Windows Firewall (MpsSvc) does not run and takes no changes",
        "Start Windows Firewall, then run restore_sources again.",
    )


def _our_rule(made: Restoration, prior: Prior | None = None) -> None:
    """Our own rule goes, also when the record is lost: its name is our mark."""
    if not made.seen.firewall.named(OUR_RULE):
        return
    if made.seen.filters:
        lines = text.with_exit_code(text.delete_firewall_rule(OUR_RULE))
        made.steps.append(Step(Change(f"firewall rule {OUR_RULE}", "on", _ABSENT), tuple(lines)))
    elif prior:
        _firewall_stands_still(made, prior, OUR_RULE)


def _service(made: Restoration, prior: Prior) -> None:
    """Put back what is as we left it: how the service starts, and whether it runs."""
    service = made.seen.services.get(prior.name)
    if service is None:
        _unknown(made, prior)
        return
    now, before, after = service.as_value(), dict(prior.before or {}), dict(prior.after or {})
    differing = [name for name in ("start", "delayed", "running") if now[name] != before[name]]
    foreign = [name for name in differing if now[name] != after[name]]
    if foreign and not made.changed_since(prior, f"service {prior.name}", _said(now)):
        return
    lines: list[str] = []
    if "start" in differing or "delayed" in differing:
        lines += text.configure_service(prior.name, _start(before))
        if before["delayed"] and before["start"] != "auto":  # a leftover, which setting another start type clears
            key = f"{windows_probe.SERVICES}\\{prior.name}"
            lines += text.with_exit_code(text.reg_add_dword(key, "DelayedAutostart", 1))
    if "running" in differing:
        lines += text.run_service(prior.name) if before["running"] else text.stop_service(prior.name)
    if lines:
        made.steps.append(Step(Change(f"service {prior.name}", _said(now), _said(before)), tuple(lines)))


def _start(value: Mapping[str, Any]) -> str:
    return "delayed-auto" if value["start"] == "auto" and value["delayed"] else str(value["start"])


def _said(value: Mapping[str, Any]) -> str:
    return f"{'running' if value['running'] else 'stopped'} ({_start(value)})"


_KINDS: Mapping[str, Callable[[Restoration, Prior], None]] = {
    "registry": _registry,
    "registry_key": _registry_key,
    "firewall_rule": _firewall_rule,
    "service": _service,
}
