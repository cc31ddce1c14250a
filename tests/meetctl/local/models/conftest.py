"""Clients of the real model server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import openai
import pytest


@pytest.fixture
async def client(model_server: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client; it does not retry, so that a test sees every answer."""
    async with openai.AsyncOpenAI(base_url=f"{model_server}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
async def http(model_server: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A plain client of the same server."""
    async with aiohttp.ClientSession(model_server) as session:
        yield session
