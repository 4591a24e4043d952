"""What is changed on a Linux source, decided here by what the probe saw: each edit has what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from asr_migrate.hosts import linux_cloud, linux_disks, linux_files, linux_script, linux_sshd
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.plan import Change
from asr_migrate.hosts.prior import Prior
from asr_migrate.hosts.sha512_crypt import holds
from asr_migrate.hosts.want import SourceWant

SHADOW = "shadow"
ROOT = "root"
HOSTS = "/etc/hosts"
FSTAB = "/etc/fstab"
#: sshd's service, told to ``replace_file``.
SSHD = "sshd"


@dataclass(frozen=True)
class Edit:
    """One thing of the host: the changes it makes, the script's line that makes them, and its value before and after.

    ``prior`` is None for what need not be put back.
    """

    changes: tuple[Change, ...]
    call: str
    prior: Prior | None = None


def edits(seen: LinuxFacts, want: SourceWant, root_field: str) -> list[Edit]:
    """Return what has to be changed; ``root_field`` is root's new field of /etc/shadow, empty without a push."""
    to_push = want.push and not seen.mobility.ready
    found = [_remains(seen), _hosts_file(seen, want), _cloud_init(seen, want), _fstab(seen, want)]
    if to_push:
        found += [_root_password(seen, want, root_field), _sshd(seen)]
    return [edit for edit in found if edit]


def _file(seen: LinuxFacts, path: str, content: str, changes: Iterable[Change], service: str = "") -> Edit:
    now = seen.files.get(path)
    new = {"content": content, "mode": linux_files.NEW_MODE, "uid": 0, "gid": 0}
    after = now.with_content(content) if now else new
    call = linux_files.replace_call(path, now, path, after, service)
    return Edit(tuple(changes), call, Prior(linux_files.KIND, path, now.value if now else None, after))


def _remains(seen: LinuxFacts) -> Edit | None:
    return remove_remains(seen.remains) if seen.remains else None


def remove_remains(paths: tuple[str, ...]) -> Edit:
    """Return the deletion of files that a killed run left."""
    changes = tuple(Change(path, "left by a run that was killed", "removed") for path in paths)
    return Edit(changes, linux_script.call("remains", "remove_remains", *paths))


def _hosts_file(seen: LinuxFacts, want: SourceWant) -> Edit | None:
    addresses = seen.addresses or want.addresses
    unnamed = [address for address in addresses if address not in seen.named_addresses]
    if not want.hosts_file or not unnamed:
        return None
    content = seen.files[HOSTS].content if HOSTS in seen.files else ""
    lines = linux_files.block(content) + "".join(f"{address}\t{seen.host_name}\n" for address in unnamed)
    changes = (Change(f"{HOSTS} {address}", None, seen.host_name) for address in unnamed)
    return _file(seen, HOSTS, linux_files.with_block(content, lines, first=False), changes)


def _cloud_init(seen: LinuxFacts, want: SourceWant) -> Edit | None:
    if not want.cloud_init or not seen.cloud_init or not linux_cloud.looks_for_ec2(seen.files):
        return None
    file = seen.files.get(linux_cloud.DROP_IN)
    if file and file.content == linux_cloud.CONTENT:
        return None
    names = linux_cloud.sources(file.content) if file else None
    before = f"datasource_list: [{', '.join(names)}]" if names else None
    sources = ", ".join(linux_cloud.sources(linux_cloud.CONTENT) or ())
    changes = (Change(linux_cloud.DROP_IN, before, f"datasource_list: [{sources}]"),)
    return _file(seen, linux_cloud.DROP_IN, linux_cloud.CONTENT, changes)


def _fstab(seen: LinuxFacts, want: SourceWant) -> Edit | None:
    file = seen.files.get(FSTAB)
    if not want.fstab_by_uuid or file is None:
        return None
    content = linux_disks.fstab_by_uuid(file.content, seen.storage)
    pairs = zip(linux_disks.fstab(file.content), linux_disks.fstab(content), strict=True)
    changes = [
        Change(f"{FSTAB} {old.target}", old.device, new.device) for old, new in pairs if old.device != new.device
    ]
    return _file(seen, FSTAB, content, changes) if changes else None


def _sshd(seen: LinuxFacts) -> Edit | None:
    wanted = linux_sshd.to_change(seen.settings, seen.sftp_server)
    if not seen.sshd_present or not wanted:
        return None
    changes = (Change(f"sshd {keyword}", before or None, after) for keyword, (before, after) in wanted.items())
    content = linux_sshd.with_settings(seen.files[linux_sshd.CONFIG].content, wanted)
    return _file(seen, linux_sshd.CONFIG, content, changes, SSHD)


def _root_password(seen: LinuxFacts, want: SourceWant, root_field: str) -> Edit | None:
    if seen.shadow is None or not root_field:
        return None
    field, day = seen.shadow
    is_wanted = field == root_field or holds(field, want.root_password.get_secret_value())
    if is_wanted and day != "0":
        return None
    new = (field if is_wanted else root_field, str(_day(seen.utc)))
    described = "to be changed at the next login" if is_wanted else "another"
    before = "not set" if field.strip("!*") == "" else described
    return Edit(
        (Change("root's password", before, "as given"),), shadow_call(seen.shadow, new), shadow_prior(seen.shadow, new)
    )


def _day(utc: str | None) -> int:
    """Return the host's day as /etc/shadow counts them; the first one when its clock could not be read."""
    return (datetime.fromisoformat(utc) - datetime(1970, 1, 1, tzinfo=UTC)).days if utc else 1


def shadow_prior(before: tuple[str, str], after: tuple[str, str]) -> Prior:
    """Return root's password fields and their days of change, before and after."""
    return Prior(SHADOW, ROOT, _shadow_value(before), _shadow_value(after))


def _shadow_value(value: tuple[str, str]) -> dict[str, str]:
    return {"field": value[0], "changed": value[1]}


def shadow_call(now: tuple[str, str], new: tuple[str, str]) -> str:
    """Return the script's line that changes root's field and day from ``now`` to ``new``."""
    lines = "".join(f"{text}\n" for text in (*now, *new))
    return linux_script.call("root's password", "replace_root_password", stdin=lines)


def all_changes(found: Iterable[Edit]) -> Iterator[Change]:
    """Return the changes of all edits, in order."""
    for edit in found:
        yield from edit.changes
