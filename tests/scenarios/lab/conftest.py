"""A served Azure for each story, and each story told twice: with the synchronous SDK and with the asynchronous one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .served import KINDS, Client, Served

Story = Callable[[Client], Awaitable[None]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as running:
        yield running


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tell(served: Served, kind: str) -> Callable[..., None]:
    """Tell a story with the SDK of the test's kind; ``options`` go to the client's constructor."""

    def run(story: Story, **options: Any) -> None:
        async def told() -> None:
            async with KINDS[kind](served, "vault-1", options) as azure:
                await story(azure)

        asyncio.run(told())

    return run
