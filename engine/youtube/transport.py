"""HTTP as this package needs it: bounded in time and size, no redirects, one request per call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from engine.errors import NetworkTrouble, ServiceTrouble

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
LONGEST_ANSWER_S = 60.0
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes after decompression; a page of 50 videos with long descriptions has about 0.5 MB."""


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    headers: dict[str, str]
    content: bytes


def client(timeout: httpx.Timeout = TIMEOUT) -> httpx.Client:
    """A client that follows no redirect: a key in a header must not travel on."""
    return httpx.Client(timeout=timeout, follow_redirects=False)


def fetch(
    http: httpx.Client,
    url: str,
    headers: dict[str, str],
    *,
    largest: int = LARGEST_ANSWER,
    clock: Callable[[], float] = time.monotonic,
) -> Reply:
    """Sends one GET and reads the whole answer.

    Raises:
        NetworkTrouble: no connection, a broken one, or an answer of more than a minute.
        ServiceTrouble: the answer is larger than `largest` bytes, or damaged.
    """
    deadline = clock() + LONGEST_ANSWER_S
    try:
        with http.stream("GET", url, headers=headers) as answer:
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if len(content) > largest:
                    raise ServiceTrouble(f"{_host(url)} sends more than {largest} bytes.")
                if clock() > deadline:
                    raise NetworkTrouble(f"{_host(url)} answers too slowly.")
            return Reply(answer.status_code, dict(answer.headers), bytes(content))
    except httpx.DecodingError:
        trouble: NetworkTrouble | ServiceTrouble = ServiceTrouble(
            f"{_host(url)} sends a damaged answer."
        )
    except httpx.HTTPError as error:
        trouble = NetworkTrouble(f"No answer from {_host(url)}: {type(error).__name__}.")
    # Raised outside of the handlers, so that no frame of the request hangs on it as its context.
    raise trouble


def _host(url: str) -> str:
    return httpx.URL(url).host


class ApiHttp:
    """Stands in for httplib2.Http in google-api-python-client.

    httplib2 sends again by itself on a dropped connection and follows redirects; every request has
    to be charged, and none may carry the key elsewhere.
    """

    def __init__(self, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._client = client(timeout)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: object = None,
        headers: dict[str, str] | None = None,
        **_: Any,
    ) -> tuple[Any, bytes]:
        """One GET, in httplib2's form: the response's header object, and its bytes."""
        import httplib2

        if method != "GET" or body:
            raise ValueError(f"only GET is sent, not {method}")
        reply = fetch(self._client, uri, headers or {})
        told = {key: value for key, value in reply.headers.items() if key != "content-encoding"}
        return httplib2.Response(told | {"status": str(reply.status)}), reply.content

    def close(self) -> None:
        """Gives its connections back."""
        self._client.close()
