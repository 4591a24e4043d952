"""Freeze windows: times in which a company changes nothing, once or every week. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from asr_migrate.domain.parsing import within_utc, written_out

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WHOLE_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAMES = {**{day: day for day in DAYS}, **dict(zip(WHOLE_NAMES, DAYS, strict=True))}
LONGEST_CHAIN = 400
"""Windows that follow each other without a gap are one freeze; one that is longer than this does not end."""


class Freeze(BaseModel):
    """One window: ``start`` and ``end`` with a time zone, or every week ``days``, ``from``, ``to`` in ``zone``.

    ``days`` are mon to sun, ``from`` and ``to`` are HH:MM (00:00 and 00:00 when not given: the whole day), ``zone`` is
    an IANA name such as Europe/Berlin. A window whose ``to`` is not after its ``from`` ends on the next day. The end
    does not belong to the window.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    days: tuple[str, ...] = ()
    from_: time = Field(default=time(0), alias="from")
    to: time = time(0)
    zone: str | None = None
    why: str = Field(min_length=1)

    @field_validator("days", mode="before")
    @classmethod
    def _known_days(cls, value: Any) -> Any:
        days = [value] if isinstance(value, str) else value
        if not isinstance(days, list | tuple):
            raise ValueError("must be a list of days: mon, tue, wed, thu, fri, sat, sun")
        wrong = [str(day) for day in days if str(day).lower() not in NAMES]
        if wrong:
            raise ValueError(f"{wrong[0]} is no day; days are mon, tue, wed, thu, fri, sat, sun")
        return tuple(NAMES[str(day).lower()] for day in days)

    @field_validator("start", "end", mode="before")
    @classmethod
    def _no_bare_number(cls, value: Any) -> Any:
        return written_out(value)

    @field_validator("start", "end")
    @classmethod
    def _within_utc(cls, value: datetime | None) -> datetime | None:
        return None if value is None else within_utc(value)

    @field_validator("from_", "to", mode="before")
    @classmethod
    def _hours_and_minutes(cls, value: Any) -> Any:
        if isinstance(value, int | float):
            raise ValueError(
                "must be a time in quotes, for example '18:00' (YAML reads 18:00 without them as a number)"
            )
        return value

    @field_validator("from_", "to")
    @classmethod
    def _without_zone(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("must be a time without a zone, for example '18:00'; zone names the zone")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"{value} is no time zone; use an IANA name such as Europe/Berlin or UTC") from None
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Freeze:
        once = {"start", "end"} & self.model_fields_set
        weekly = {"days", "from_", "to", "zone"} & self.model_fields_set
        if once and weekly:
            raise ValueError("has start or end and also days, from, to or zone; a window is of one kind")
        if once and (self.start is None or self.end is None):
            raise ValueError(f"has no {'end' if self.start else 'start'}; give both, with a time zone")
        if self.start and self.end and self.end <= self.start:
            raise ValueError("ends before it starts")
        if not once and not self.days:
            raise ValueError("has neither start and end nor days")
        if self.days and self.zone is None:
            raise ValueError("has days but no zone; give an IANA name such as Europe/Berlin or UTC")
        return self

    def end_at(self, moment: datetime) -> datetime | None:
        """Return when the window that holds ``moment`` ends (UTC), None when none does."""
        return next((end for start, end in self._windows(moment) if start <= moment < end), None)

    def _windows(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the windows that may hold ``moment`` as (start, end) in UTC: those that began today or yesterday."""
        if self.start and self.end:
            yield self.start.astimezone(UTC), self.end.astimezone(UTC)
            return
        zone = ZoneInfo(self.zone or "UTC")
        today = moment.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if DAYS[day.weekday()] in self.days:
                last = day if self.to > self.from_ else day + timedelta(days=1)
                yield _utc(day, self.from_, zone), _utc(last, self.to, zone)


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def in_zone(freeze: Freeze, moment: datetime) -> datetime:
    """Return ``moment`` as the people of this freeze read it: in its own zone."""
    if freeze.zone:
        return moment.astimezone(ZoneInfo(freeze.zone))
    return moment.astimezone(freeze.end.tzinfo) if freeze.end else moment


@lru_cache(maxsize=64)
def frozen(freezes: tuple[Freeze, ...], now: datetime) -> tuple[Freeze, datetime | None] | None:
    """Return the window that holds ``now`` and when the freeze ends, None when nothing is frozen.

    Windows that follow each other without a gap end together, at the end of the last; the end is None when there is
    none in sight.
    """
    first = next((freeze for freeze in freezes if freeze.end_at(now)), None)
    if first is None:
        return None
    end = now
    for _ in range(LONGEST_CHAIN):
        later = _ends(freezes, end)
        if later is None:
            return first, in_zone(first, end)
        end = later
    return first, None


def _ends(freezes: Iterable[Freeze], moment: datetime) -> datetime | None:
    return max((end for freeze in freezes if (end := freeze.end_at(moment))), default=None)
