"""The vault's tags as ``engine.lease`` wants them: one tag put or dropped at a time, with the service's time.

``Microsoft.Resources/tags/default`` at the vault changes single tags (PATCH with Merge or Delete); an update of the
vault itself would replace them all. Every request goes through our policies: budget, journal, read-only in check mode.
Unlike any other write, one whose answer was lost is sent again: setting or removing a tag twice is the same as once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.failures import vault_missing
from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.landing_zone import LandingZone

MOST_TAGS = 50
BAD_REQUEST = 400
FORBIDDEN = 403
NOT_FOUND = 404
TRIES = 6
CHANGE_TIMEOUT_S = 120.0
FIRST_PAUSE_S = 1.0


class LeaseTags:
    """The tags of one landing zone's vault; implements ``engine.lease.Tags``."""

    def __init__(self, clients: AzureClients, zone: LandingZone) -> None:
        self._clients = clients
        self._zone = zone
        self._scope = zone.vault_id.strip("/")

    async def read(self) -> tuple[Mapping[str, str], datetime]:
        """Return all tags and the service's time (the answer's Date header, whole seconds).

        Raises SetupError when the vault does not exist, ServiceError when Azure does not answer.
        """
        heard: list[datetime] = []

        def remember(response: Any) -> None:
            heard.append(_date(response.http_response.headers) or self._clients.clock.now())

        zone = self._zone
        tags = self._clients.resources.tags
        try:
            found = await self._clients.read(
                tags.get_at_scope(self._scope, raw_response_hook=remember), f"reading the lease of vault {zone.vault}"
            )
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            raise vault_missing(zone, error.message) from error
        return dict(found.properties.tags or {}), heard[-1]

    async def put(self, name: str, value: str) -> None:
        """Set one tag. Raises SetupError when this principal may not, or when the vault has no room for it."""
        await self._patch("Merge", name, value)

    async def drop(self, name: str, value: str) -> None:
        """Remove one tag if it has this value."""
        await self._patch("Delete", name, value)

    async def _patch(self, operation: str, name: str, value: str) -> None:
        for tried in range(1, TRIES + 1):
            try:
                return await self._patch_once(operation, name, value)
            except ServiceError as error:
                if not error.transient or tried == TRIES:
                    raise
            await self._clients.clock.sleep(FIRST_PAUSE_S * 2 ** (tried - 1))
        return None

    async def _patch_once(self, operation: str, name: str, value: str) -> None:
        zone = self._zone
        body = {"operation": operation, "properties": {"tags": {name: value}}}
        call = self._clients.resources.tags.begin_update_at_scope(self._scope, body)
        try:
            await self._clients.finish(
                call,
                what=f"the lease of vault {zone.vault}",
                why="one run works on a wave",
                timeout_s=CHANGE_TIMEOUT_S,
            )
        except ServiceError as error:
            if error.status == FORBIDDEN:
                raise _not_allowed(zone, error) from error
            if operation == "Merge" and error.status == BAD_REQUEST:
                raise await self._no_room(error) from error
            raise

    async def _no_room(self, error: ServiceError) -> SetupError | ServiceError:
        tags, _ = await self.read()
        if len(tags) < MOST_TAGS:
            return error
        return SetupError(
            f"vault {self._zone.vault} has {len(tags)} tags, so the lease of a wave finds no place",
            code="NoRoomForLease",
            cause=f"Azure allows {MOST_TAGS} tags; a run keeps one while it works.",
            remedy="Remove a tag that nobody needs from the vault, then run the same playbook again.",
        )


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Date") or "")
    except ValueError:
        return None


def _not_allowed(zone: LandingZone, error: ServiceError) -> SetupError:
    return SetupError(
        f"vault {zone.vault}: its tags may not be changed, so no run can hold a wave",
        code="LeaseNotAllowed",
        cause=error.message,
        remedy="Give the principal the role Tag Contributor on the vault; a run keeps one tag there while it works.",
    )
