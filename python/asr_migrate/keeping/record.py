"""The record of what a host was before we changed it, kept by a store on or near the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from asr_migrate.hosts import prior_record
from asr_migrate.hosts.identity import conflict
from asr_migrate.hosts.prior import Prior, merged
from asr_migrate.hosts.prior_record import Recorded


class Store(Protocol):
    """Keeps one text for one host, for good and for its owner only."""

    #: where the text stands, for messages
    place: str

    def read(self) -> str | None:
        """Return the text; None when there is none. Raises SetupError when it cannot be read."""
        ...

    def write(self, text: str) -> None:
        """Replace the text as a whole, so that a kill at any moment leaves the old or the new one; SetupError."""
        ...

    def delete(self) -> None:
        """Remove the text; nothing happens when there is none. Raises SetupError."""
        ...


class Record:
    """The prior values of ``host`` in a store. A record that cannot be read is never written over."""

    def __init__(self, host: str, store: Store) -> None:
        self._host = host
        self._store = store
        self._machine: Mapping[str, str] = {}

    @property
    def place(self) -> str:
        """Where the record stands, for people."""
        return self._store.place

    def load(self) -> tuple[Prior, ...]:
        """Return what is on record; empty when nothing is.

        Raises RecordUnreadableError, or the store's SetupError.
        """
        return self._read().priors

    def check(self, machine: Mapping[str, str]) -> None:
        """Make sure that the record is about ``machine``, an identity; what is written from now on says so.

        Raises OtherMachineError when it is another's, and the errors of ``load``. A record or a host that does not tell
        fits every other.
        """
        differ = conflict(self._read().machine, machine)
        if differ:
            raise prior_record.OtherMachineError(self.place, *differ)
        self._machine = machine

    def add(self, priors: tuple[Prior, ...]) -> None:
        """Put ``priors`` on record; of what is there already, the first ``before`` stays."""
        recorded = self._read()
        whole = merged(recorded.priors, priors)
        machine = {**recorded.machine, **self._machine}
        if whole != recorded.priors or machine != recorded.machine:
            self._store.write(prior_record.encode(self._host, whole, machine))

    def leave(self, priors: tuple[Prior, ...]) -> None:
        """Leave only ``priors`` on record; a record of nothing is removed."""
        if not priors:
            self._store.delete()
            return
        recorded = self._read()
        if priors != recorded.priors:
            self._store.write(prior_record.encode(self._host, priors, {**recorded.machine, **self._machine}))

    def _read(self) -> Recorded:
        text = self._store.read()
        return Recorded() if text is None else prior_record.decode(text, self._host, self.place)
