"""The links from one page of a list to the next."""

import asyncio

import pytest

from asr_migrate.azure.links import followed
from asr_migrate.domain.errors import ServiceError, WireError

from .far_end import items, reply

HOST = "https://management.azure.com"
FIRST = {"value": [{"id": "1"}]}
LAST = reply(200, {"value": [{"id": "2"}]})


def listed(far, link):
    """Return the rows of a list whose first page names ``link`` as its next."""

    async def story():
        async with far.opened(LAST) as clients:
            far.answers = [reply(200, {**FIRST, "nextLink": link.format(host=far.address)}), LAST]
            return await items(clients)

    return asyncio.run(story())


@pytest.mark.parametrize("link", ["{host}/next?api-version=1&token=2", "/next?api-version=1&token=2"])
def test_the_next_page_is_asked_for_as_it_is_named(far, link):
    assert listed(far, link) == [{"id": "1"}, {"id": "2"}]
    assert far.arrived[1] == "GET /next?api-version=1&token=2"


@pytest.mark.parametrize("link", ["https://localhost:443/next?token=secret", "//localhost/next", "http://127.35.0.2/n"])
def test_a_next_page_of_another_host_is_refused_and_never_asked(far, link):
    with pytest.raises(WireError) as raised:
        listed(far, link)
    assert raised.value.code == "ForeignLink"
    assert "secret" not in str(raised.value.as_dict())
    assert len(far.arrived) == 1


def test_a_list_that_names_a_page_twice_ends_in_an_error(far):
    async def story():
        async with far.opened(LAST) as clients:
            far.answers = [reply(200, {**FIRST, "nextLink": f"{far.address}/next"})]
            await items(clients)

    with pytest.raises(ServiceError, match="read already") as raised:
        asyncio.run(story())
    assert raised.value.transient
    assert len(far.arrived) == 2


def test_a_host_is_the_same_in_any_case():
    assert followed("https://Management.Azure.com/x", HOST, (), "reading") == "https://Management.Azure.com/x"
    assert followed(None, HOST, (), "reading") is None
