"""The api-version a recorded service really had, where the public repository rewrote it in the recorded URLs.

Test suites rewrite the api-version of old recordings when their SDK moves on; then the answers are those of an older
service than the URL says. What tells: a version younger than the time of the recording, another version in the links of
the answers, and shapes that only the service of 2016-08-10 had.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from asr_lab.arm.versions import SITE_RECOVERY_VERSIONS
from asr_lab.contract.facts import Facts, rows_of
from asr_lab.contract.recording import Exchange, walk
from asr_lab.contract.recording import moment as moment_of

OLDEST = "2016-08-10"
SINCE_SWITCH_PROVIDER = "2022-08-01"
_TIMES = ("startTime", "endTime")
_OLD_SERVICE_UNTIL = "2017-12-31"


def true_version(facts: Facts, exchange: Exchange) -> str:
    """Return the api-version to ask the lab for in place of the recorded one; the recorded one where nothing tells."""
    asked = exchange.api_version
    if not asked or "/replication" not in exchange.path.casefold():
        return asked
    told = facts.version_evidence
    if told is None:
        told = facts.version_evidence = _ceiling(facts)
    return min(asked, told) if told else asked


def _ceiling(facts: Facts) -> str:
    """Return the youngest version that the session's answers allow, empty when they allow any."""
    found: list[str] = []
    for exchange in facts.session.exchanges:
        if "/replication" in exchange.path.casefold():
            found += _signs(exchange)
    times = [time for time in map(_true_time, facts.session.exchanges) if time]
    if times:
        found.append(_published(min(times)))
    return min(found, default="")


def _signs(exchange: Exchange) -> Iterator[str]:
    """Yield the versions that one answer speaks of."""
    status = exchange.headers.get("azure-asyncoperation", "")
    if "/replicationjobs/" in status.casefold():
        yield OLDEST
    elif found := parse_qs(urlsplit(status).query).get("api-version"):
        yield found[0]
    answer = exchange.answer
    if isinstance(answer, Mapping):
        held = answer.get("properties")
        if isinstance(held, Mapping) and "scenarioName" in held and "status" in answer and "type" not in answer:
            yield OLDEST
    for body, _full in rows_of(exchange):
        properties = body.get("properties")
        if isinstance(properties, Mapping) and "protectionState" in properties:
            if "replicationHealthErrors" in properties and "healthErrors" not in properties:
                yield OLDEST
            elif "switchProviderState" not in properties:
                yield max(one for one in SITE_RECOVERY_VERSIONS if one < SINCE_SWITCH_PROVIDER)


def _true_time(exchange: Exchange) -> datetime | None:
    """Return when an exchange really took place at the latest: its true time, or the start of a job it shows."""
    if exchange.true_time:
        return exchange.time
    if exchange.name("replicationJobs") and exchange.status == 200:
        starts = [moment_of(text) for _place, key, text in walk(exchange.answer) if key in _TIMES]
        found = [start for start in starts if start is not None and start.year > 2000]
        return max(found, default=exchange.time)
    return exchange.time


def _published(time: datetime) -> str:
    """Return the youngest version of the lab that was there at a time."""
    day = time.date().isoformat()
    if day <= _OLD_SERVICE_UNTIL:
        return OLDEST
    return max((one for one in SITE_RECOVERY_VERSIONS if one <= day), default=OLDEST)
