"""Putting back what a Linux source was before it was prepared: exactly, or just without our own lines.

A file that is neither as we found it nor as we left it was changed by somebody else since. Our marked block is taken
out of it; a file without one is left alone, and so is root's password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import linux_cloud, linux_files, linux_sshd
from asr_migrate.hosts.linux_edits import HOSTS, ROOT, SHADOW, SSHD, Edit, remove_remains, shadow_call
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.linux_files import HostFile
from asr_migrate.hosts.plan import Change, warning
from asr_migrate.hosts.prior import Prior

#: Files in which our lines stand between marks.
MARKED = (linux_sshd.CONFIG, HOSTS)
_SOURCE = "the record that was made before the host was changed"


@dataclass
class Restoration:
    """What is to be done: edits, what is said aloud, and the items that stay on record."""

    edits: list[Edit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    stay: list[Prior] = field(default_factory=list)


def decide(seen: LinuxFacts, priors: tuple[Prior, ...], force: bool, only_push: bool = False) -> Restoration:
    """Return how what ``priors`` tell of is put back; what carries our mark without being on record loses it.

    With ``only_push`` that is sshd's settings and root's password; all else stays as it is, and on record.
    """
    result = Restoration([remove_remains(seen.remains)] if seen.remains else [])
    for prior in priors:
        if only_push and prior.kind != SHADOW and prior.name != linux_sshd.CONFIG:
            result.stay.append(prior)
        elif prior.kind == SHADOW:
            _root_password(seen, prior, force, result)
        elif prior.kind == linux_files.KIND:
            _file(seen, prior, force, result)
    recorded = {prior.name for prior in priors if prior.kind == linux_files.KIND}
    for path in (linux_sshd.CONFIG,) if only_push else MARKED:
        if path not in recorded and path in seen.files and _without_block(seen.files[path], result):
            pushed = path == linux_sshd.CONFIG and SHADOW not in {prior.kind for prior in priors}
            result.findings += [_password_unknown(seen)] if pushed else []
    drop_in = None if only_push else seen.files.get(linux_cloud.DROP_IN)
    if drop_in and linux_cloud.DROP_IN not in recorded and drop_in.content == linux_cloud.CONTENT:
        result.edits.append(_put_back(drop_in, drop_in.path, None))
    return result


def _put_back(now: HostFile | None, path: str, value: Mapping[str, Any] | None) -> Edit:
    service = SSHD if path == linux_sshd.CONFIG else ""
    before = "as prepared" if now else None
    change = Change(path, before, "as before" if value else "removed, as before")
    return Edit((change,), linux_files.replace_call(path, now, path, value, service))


def _without_block(now: HostFile, result: Restoration) -> bool:
    """Take our block out of a file; return whether there was one."""
    content = linux_files.without_block(now.content)
    if content == now.content:
        return False
    service = SSHD if now.path == linux_sshd.CONFIG else ""
    call = linux_files.replace_call(now.path, now, now.path, now.with_content(content), service)
    result.edits.append(Edit((Change(now.path, "with our lines", "without them"),), call))
    return True


def _content(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else value["content"]


def _file(seen: LinuxFacts, prior: Prior, force: bool, result: Restoration) -> None:
    now = seen.files.get(prior.name)
    content = now.content if now else None
    if content == _content(prior.before):
        return
    if force or content == _content(prior.after) or _cut_off(seen, prior, content):
        result.edits.append(_put_back(now, prior.name, prior.before))
        return
    there = "is gone" if now is None else "was changed by somebody else"
    if now is not None and prior.name in MARKED:
        left = (
            "our lines are taken out of it, the rest is left" if _without_block(now, result) else "it is left as it is"
        )
    else:
        left = "it is left as it is"
        result.stay.append(prior)
    result.findings.append(_changed_since(seen, prior.name, f"{there} since it was prepared; {left}"))


def _cut_off(seen: LinuxFacts, prior: Prior, content: str | None) -> bool:
    """Return whether a run of ours was killed while it wrote the file in place: its copy is there, the end is not."""
    ours = [whole for whole in (_content(prior.before), _content(prior.after)) if whole is not None]
    writing = f"{prior.name}{linux_files.COPY}" in seen.remains
    return writing and content is not None and any(whole.startswith(content) for whole in ours)


def _root_password(seen: LinuxFacts, prior: Prior, force: bool, result: Restoration) -> None:
    before, after = prior.before or {}, prior.after or {}
    old = (str(before.get("field", "")), str(before.get("changed", "")))
    new = (str(after.get("field", "")), str(after.get("changed", "")))
    now = seen.shadow
    if now is not None and now != new and now[0] == old[0]:
        return
    if now is not None and (force or now[0] == new[0]):
        if now != old:
            change = Change("root's password", "as given for the push", "as before")
            result.edits.append(Edit((change,), shadow_call(now, old)))
        return
    there = "could not be read" if now is None else "was changed by somebody else since; it is left as it is"
    result.findings.append(_changed_since(seen, f"the password of {ROOT}", there))
    result.stay.append(prior)


def _password_unknown(seen: LinuxFacts) -> Finding:
    return warning(
        "restore.no-record",
        f"{seen.host_name} was prepared for the push, but nothing is on record of it; the password that root was given "
        "for the push may still be set",
        "Restore with the asr_prior_dir that prepared it, or set root's password by hand (passwd root), or lock it "
        "(passwd -l root).",
        _SOURCE,
    )


def _changed_since(seen: LinuxFacts, what: str, said: str) -> Finding:
    return warning(
        "restore.changed-since",
        f"{what} on {seen.host_name} {said}",
        "Look at it on the host; run restore_sources again with force to put it back as it was before the preparation.",
        _SOURCE,
    )
