"""``$filter`` of Site Recovery lists: conditions with a quoted value joined by ``and`` (recorded: eq, parentheses)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from asr_lab.arm.wire import ArmError, Request

_CONDITION = re.compile(r"(?P<name>\w+)\s+(?P<operator>eq|ge|gt|le|lt)\s+'(?P<value>[^']*)'", re.IGNORECASE)


def conditions(request: Request, accepted: Mapping[str, str]) -> dict[str, str]:
    """Return the conditions of the request's ``$filter``: property -> value, as ``accepted`` writes the property.

    ``accepted`` maps each property to the operators it may have ("eq", or "eq ge" and so on). Raises ArmError 400 that
    names what was sent and what is accepted.
    """
    text = next((value for name, value in request.query.items() if name.casefold() == "$filter"), "")
    known = {name.casefold(): name for name in accepted}
    found: dict[str, str] = {}
    for match in _CONDITION.finditer(text):
        name = known.get(match["name"].casefold())
        if name is None or match["operator"].casefold() not in accepted[name].split():
            raise _refused(text, accepted)
        found[name] = match["value"]
    if re.sub(r"\band\b|[()\s]", "", _CONDITION.sub("", text), flags=re.IGNORECASE):
        raise _refused(text, accepted)
    return found


def moment(name: str, text: str) -> datetime:
    """Return the time that a condition holds, in UTC when it has no zone. Raises ArmError 400 when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{name} is '{text}'; a time such as 2026-01-31T12:00:00.000Z is needed."
        raise ArmError(400, "BadRequest", message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _refused(text: str, accepted: Mapping[str, str]) -> ArmError:
    listed = "; ".join(f"{name} ({operators})" for name, operators in accepted.items())
    return ArmError(
        400, "BadRequest", f"$filter is '{text}'; accepted: {listed}, each with a quoted value, joined by and."
    )
