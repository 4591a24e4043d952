"""Secrets are taken out of what a host said before any of it is quoted; a text that was cut could hide half of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from asr_migrate.hosts.plan import Answer

MASK = "********"


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every one of the secrets replaced by ``MASK``."""
    for secret in secrets:
        text = text.replace(secret, MASK) if secret else text
    return text


def masked_answer(answer: Answer, secrets: Iterable[str]) -> Answer:
    """Return an answer whose outputs hold none of the secrets."""
    known = tuple(secrets)
    return replace(answer, stdout=masked(answer.stdout, known), stderr=masked(answer.stderr, known))
