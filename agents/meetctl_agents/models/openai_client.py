"""The HTTP client for servers that speak OpenAI's API, which takes what such servers really answer.

The plugin and OpenAI's library read what OpenAI sends. Others answer in plain JSON where a stream was asked for, with
`choices: null` at the end, in text instead of JSON, with an error page and status 200: each of them becomes what was
meant, or an error in the server's own words.
"""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2 as httpx
import openai

from meetctl.protocol import Endpoint
from meetctl.protocol.proxies import is_loopback

from .errors import ModelError
from .openai_answers import ServerWords, chat_events, failure_json, mend_event, transcription_json, words_of

CONNECT_S = 15.0
LONGEST_BODY = 1_000_000
"""Bytes of an answer that should have been a stream, or a sound."""
_CHAT, _SPEECH, _TRANSCRIPTION = "/chat/completions", "/audio/speech", "/audio/transcriptions"


def openai_client(endpoint: Endpoint) -> openai.AsyncClient:
    """Returns a client for the endpoint; whoever asks for it closes it."""
    return openai.AsyncClient(
        api_key=endpoint.api_key.get_secret_value() or None,
        base_url=endpoint.base_url,
        max_retries=0,
        http_client=_http_client(endpoint.base_url or ""),
    )


def certificates() -> ssl.SSLContext:
    """Returns whom the environment trusts: read once, for reading takes 20 ms and is the same for every client."""
    return _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.lru_cache(maxsize=2)
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()  # which looks at these variables itself


def _http_client(url: str) -> MendingClient:
    try:
        return MendingClient(
            timeout=httpx.Timeout(connect=CONNECT_S, read=5.0, write=5.0, pool=5.0),
            follow_redirects=True,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=50, keepalive_expiry=120),
            # A proxy of the environment is for what is outside, and an odd one must not keep us from our own servers;
            # the environment's certificates are for both.
            trust_env=not is_loopback(url),
            verify=certificates(),
        )
    except (ImportError, ValueError) as error:
        message = f"the environment's proxy cannot be used: {' '.join(str(error).split())}"
        raise ModelError(
            message, hint="name an http:// proxy in HTTPS_PROXY, or leave HTTPS_PROXY and ALL_PROXY away"
        ) from error


class MendingClient(httpx.AsyncClient):
    """Sends requests, and puts into order what comes back."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        path = request.url.path
        if path.endswith(_TRANSCRIPTION):
            await request.aread()  # it may have to be sent twice
        response = await super().send(request, **options)
        if path.endswith(_TRANSCRIPTION):
            if response.status_code in (400, 422) and (plainer := _asked_for_less(request)):
                await response.aclose()
                response = await super().send(plainer, **options)
            return await _whole(response, transcription_json) if response.is_success else await _told(response)
        if not response.is_success:
            return await _told(response)
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if path.endswith(_CHAT) and b'"stream":true' in request.content.replace(b" ", b""):
            if kind == "text/event-stream":
                return _rewritten(response, _MendedEvents(response))
            return await _whole(response, chat_events, {"content-type": "text/event-stream"}, kind=kind)
        is_text = kind != "text/event-stream" and (kind.startswith("text/") or kind.endswith("json"))
        if path.endswith(_SPEECH) and is_text:
            return await _whole(response, _no_sound, kind=kind)
        return response


def _asked_for_less(request: httpx.Request) -> httpx.Request | None:
    """Returns the request for a transcription once more, for the plain form; None where that is what it was."""
    body = request.content.replace(b"\r\n\r\nverbose_json\r\n", b"\r\n\r\njson\r\n")
    if body == request.content:
        return None
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    return httpx.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def _no_sound(text: str, kind: str) -> bytes:
    raise ServerWords(f"it answered {kind or 'no type'} where sound was asked for", text)


async def _whole(
    response: httpx.Response,
    mend: Callable[[str, str], bytes],
    headers: dict[str, str] | None = None,
    *,
    kind: str = "",
) -> httpx.Response:
    """Returns the answer mended; one that cannot be used, as a failure that says what came."""
    text = await _text_of(response)
    try:
        content = mend(text, kind)
    except ServerWords as words:
        return _failure(response, 502, failure_json(str(words), _address_of(response)))
    kept = {"content-type": response.headers.get("content-type", "application/json"), **(headers or {})}
    return httpx.Response(response.status_code, headers=kept, content=content, request=response.request)


async def _told(response: httpx.Response) -> httpx.Response:
    """Returns a failure with all that is worth knowing in its body: what plugins make of it keeps the body alone."""
    text = await _text_of(response)
    told = failure_json(words_of(text), _address_of(response), text, response.headers.get("retry-after"))
    return _failure(response, response.status_code, told)


def _failure(response: httpx.Response, status: int, body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(status, headers=_without_length(response), json=body, request=response.request)


async def _text_of(response: httpx.Response) -> str:
    body = b""
    try:
        if response.is_stream_consumed:
            body = response.content
        else:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LONGEST_BODY:
                    break
    finally:
        await response.aclose()
    return body.decode(response.encoding or "utf-8", errors="replace")


def _address_of(response: httpx.Response) -> str:
    """Returns what was asked, without what may be secret in it."""
    url = response.request.url
    return f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}{url.path}"


def _without_length(response: httpx.Response) -> dict[str, str]:
    dropped = ("content-encoding", "content-length", "transfer-encoding", "content-type")
    return {name: value for name, value in response.headers.items() if name.lower() not in dropped}


def _rewritten(response: httpx.Response, stream: httpx.AsyncByteStream) -> httpx.Response:
    kind = {"content-type": response.headers.get("content-type", "")}
    return httpx.Response(
        response.status_code,
        headers={**_without_length(response), **kind},
        stream=stream,
        request=response.request,
        extensions=response.extensions,
    )


class _MendedEvents(httpx.AsyncByteStream):
    """A stream of events, each in the form that OpenAI's library reads."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._response.aiter_lines():
            yield mend_event(line).encode() + b"\n"

    async def aclose(self) -> None:
        await self._response.aclose()
