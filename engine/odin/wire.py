"""One HTTP connection to ODIN AI: credentials, time limits, retries, bounded answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from engine.errors import BadSettings, NetworkTrouble, ServiceTrouble, Temporary
from engine.odin.credentials import Credentials, Discretion
from engine.odin.refusals import AskedToWait, detail_of, one_line, refusal, route_is_missing

QUESTION = httpx.Timeout(connect=10, read=60, write=60, pool=10)
UPLOAD = httpx.Timeout(connect=10, read=300, write=120, pool=10)
"""Seconds; an upload is answered only after the server has read and stored all of it."""

TRIES = 5
_LONGEST_WAIT_S = 120.0
_LONGEST_ANSWER = 64 * 1024 * 1024
_LONGEST_REFUSAL = 64 * 1024

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Reply:
    """An answer that was read to its end; `body` may hold keys and shows in no report."""

    status: int
    body: bytes = field(repr=False)
    wait_s: float | None

    def as_a(self, model: type[Model]) -> Model:
        """The body as a model.

        Raises:
            ServiceTrouble: it is no such JSON; a proxy or a half-dead server answers so.
        """
        try:
            return model.model_validate_json(self.body)
        except ValidationError:
            pass  # left behind: it carries the body, which may hold keys
        raise ServiceTrouble("ODIN AI's answer is not in the form that its API has.")


class Wire:
    """Sends requests and turns whatever goes wrong into our errors; close it when done."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None],
        random: Callable[[], float],
        timeout: httpx.Timeout = QUESTION,
        tries: int = TRIES,
    ) -> None:
        self._tries = tries
        self._credentials = credentials
        self._sleep = sleep
        self._random = random
        self._gone: set[str] = set()
        try:
            self._http = httpx.Client(
                base_url=base_url.rstrip("/"),
                auth=credentials,
                transport=transport,
                timeout=timeout,
                follow_redirects=False,
                headers={"Accept": "application/json", "User-Agent": "tonspur"},
            )
        except httpx.InvalidURL as error:
            raise BadSettings(f"ODIN_BASE_URL: {error}.") from None
        self._discretion = Discretion(credentials)
        self._discretion.begin()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._discretion.end()

    def hidden_in(self, text: str) -> str:
        """The text without key and secret."""
        return self._credentials.hidden_in(text)

    def ask(self, method: str, *paths: str, **content: Any) -> Reply:
        """An answer to a question that may be asked twice: trouble is retried with jitter.

        Args:
            method: HTTP method.
            paths: the address, then its older twins, tried in turn on 404 and 405.
            content: what httpx takes: `json`, `params`, `data`.

        Raises:
            ServiceTrouble, NetworkTrouble: still there after the last try.
            Permanent: as `engine.odin.refusals.refusal` says.
        """
        for tries in range(1, self._tries + 1):
            try:
                return self.once(method, *paths, **content)
            except Temporary as error:
                if tries == self._tries:
                    raise plain(error) from None
                self._sleep(self.pause(tries, error))
        raise AssertionError("unreachable")  # pragma: no cover

    def once(self, method: str, *paths: str, **content: Any) -> Reply:
        """The same, but each address is asked one time only: for what must not be repeated blindly.

        Raises:
            AskedToWait: a ServiceTrouble that says for how long.
        """
        routes = [path for path in paths if path not in self._gone] or [paths[-1]]
        for path in routes:
            reply = self._send(method, path, **content)
            if 200 <= reply.status < 300:
                return reply
            said = self.hidden_in(detail_of(reply.body))
            if reply.status not in (404, 405):
                break
            if path != paths[-1] and route_is_missing(reply.status, said):
                self._gone.add(path)
        raise refusal(reply.status, said, reply.wait_s)

    def pause(self, tries: int, error: Exception | None = None) -> float:
        """Seconds before the next try: what the server asked for, else doubling; jitter on both."""
        if isinstance(error, AskedToWait):
            return error.wait_s + self._random()
        return float(min(2.0 ** (tries - 1), 30.0) * (0.5 + self._random()))

    def _send(self, method: str, path: str, **content: Any) -> Reply:
        try:
            with self._http.stream(method, path, **content) as response:
                limit = _LONGEST_ANSWER if response.is_success else _LONGEST_REFUSAL
                return Reply(
                    response.status_code,
                    _bounded(response, limit),
                    _wait_of(response.headers.get("Retry-After")),
                )
        except httpx.RequestError as error:
            said = one_line(self.hidden_in(str(error)))
            cause = f"{type(error).__name__}: {said}" if said else type(error).__name__
        # Outside, so that nothing leads to the httpx error: it holds request and credentials.
        raise NetworkTrouble(f"The connection to ODIN AI failed ({cause}).")


def plain(error: Temporary) -> Temporary:
    """The error as the leaf that callers outside know."""
    return ServiceTrouble(*error.args) if isinstance(error, AskedToWait) else error


def _bounded(response: httpx.Response, limit: int) -> bytes:
    """The body up to a limit in bytes and, against a server that trickles, in time."""
    until = time.monotonic() + 600
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > limit:
            if not response.is_success:
                break
            raise ServiceTrouble("ODIN AI's answer is too long to be one.")
        if time.monotonic() > until:
            raise ServiceTrouble("ODIN AI's answer does not come to its end.")
    return bytes(body[:limit])


def _wait_of(header: str | None) -> float | None:
    """Seconds of a Retry-After, as a number or a date; never more than two minutes."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except ValueError:
            return None
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (aware - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if seconds == seconds else None
