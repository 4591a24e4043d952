"""Regions of recorded requests, put into those of the lab."""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.providers.azure_fabric import region
from asr_lab.contract.azure import lab_location
from asr_lab.contract.recording import Exchange


def in_our_regions(exchange: Exchange, body: Any) -> Any:
    """Return the body with a region that the lab has where it names one that the lab does not have."""
    if isinstance(body, Mapping):
        return {name: _held(exchange, name, held) for name, held in body.items()}
    if isinstance(body, list):
        return [in_our_regions(exchange, held) for held in body]
    return body


def _held(exchange: Exchange, name: str, held: Any) -> Any:
    if name != "location" or not isinstance(held, str):
        return in_our_regions(exchange, held)
    if "/replicationfabrics/" in exchange.path.casefold() and region(held) is not None:
        return held
    return lab_location(held)
