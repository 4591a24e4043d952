"""What aiohttp does with a kept connection that breaks, counted at the far end of a real socket."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest

from asr_migrate.azure.client import writes_arrive_once

ADDRESS = "127.51.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"


class Breaking:
    """A server that answers the first request of a connection and breaks it when the second has arrived."""

    def __init__(self) -> None:
        self.arrived: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            self.arrived.append(head.split(b" ")[0].decode())
            if number == 0:
                writer.write(OK)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def opened(**options):
    far = Breaking()
    server = await asyncio.start_server(far.serve, ADDRESS, 0)
    url = f"http://{ADDRESS}:{server.sockets[0].getsockname()[1]}/"
    async with server, aiohttp.ClientSession(**options) as session:
        yield far, session, url


async def second(method, **options):
    """Send a GET and then ``method`` on the same connection; return what arrived and what the caller was told."""
    async with opened(**options) as (far, session, url):
        (await session.get(url)).release()
        told = None
        try:
            (await session.request(method, url)).release()
        except aiohttp.ClientError as error:
            told = error
        return far.arrived, told


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
def test_a_write_whose_connection_breaks_arrives_once_and_the_caller_is_told(method):
    arrived, told = asyncio.run(second(method, middlewares=(writes_arrive_once,)))
    assert arrived == ["GET", method]
    assert isinstance(told, aiohttp.ClientConnectionError)


def test_a_read_whose_connection_breaks_is_sent_again():
    arrived, told = asyncio.run(second("GET", middlewares=(writes_arrive_once,)))
    assert (arrived, told) == (["GET", "GET", "GET"], None)


def test_without_it_aiohttp_would_send_a_put_twice():
    arrived, _ = asyncio.run(second("PUT"))
    assert arrived == ["GET", "PUT", "PUT"]
