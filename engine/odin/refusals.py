"""What an answer that is no success means, as one of our errors."""

import json
import re
from typing import Any

from engine.errors import (
    BadSettings,
    DocumentTooLarge,
    RefusedCredentials,
    RefusedDocument,
    ServiceTrouble,
    TonspurError,
)

_CREDITS = re.compile(r"\bcredits?\b|\bpayment\b|\bbilling\b", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
# What FastAPI, nginx, Apache, Express and Go say of an address that they do not know.
_NO_ROUTE = re.compile(r"|Not Found( .*)?|404( .*)?|Cannot (GET|POST|PATCH|DELETE) /.*")
_LONGEST = 300


class AskedToWait(ServiceTrouble):
    """The service named the seconds after which it wants to be asked again."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NameTaken(RefusedDocument):
    """A document of this name is there, and `force` was not set."""


class NotThere(RefusedDocument):
    """The server knows no such address, or nothing at it."""

    def __init__(self, message: str, *, route_missing: bool) -> None:
        super().__init__(message)
        self.route_missing = route_missing


def refusal(status: int, said: str, wait_s: float | None) -> TonspurError:
    """The error that an answer stands for.

    Args:
        status: HTTP status, anything but 2xx.
        said: what the server says about it, as `detail_of` reads it.
        wait_s: seconds that the answer asks to wait; None where it does not.
    """
    if 300 <= status < 400:
        return BadSettings(
            f"ODIN_BASE_URL: the server answers {status} and points elsewhere; "
            "name the final address, credentials are sent nowhere else."
        )
    if status in (408, 425, 429) or status >= 500:
        sentence = _sentence("ODIN AI cannot answer for now", status, said)
        return ServiceTrouble(sentence) if wait_s is None else AskedToWait(sentence, wait_s)
    if status == 402 or (status == 403 and _CREDITS.search(said)):
        return RefusedCredentials(_sentence("ODIN AI's credits do not allow this", status, said))
    if status in (401, 403):
        return RefusedCredentials(
            _sentence("ODIN AI refused key and secret", status, said)
            + " Check ODIN_API_KEY, ODIN_API_SECRET and ODIN_PROJECT_ID;"
            + " uploads need a privileged key."
        )
    return _about_the_item(status, said)


def _about_the_item(status: int, said: str) -> TonspurError:
    if status == 413:
        return DocumentTooLarge(_sentence("ODIN AI finds the file too large", status, said))
    if status == 409:
        return NameTaken(_sentence("ODIN AI has a document of this name", status, said))
    sentence = _sentence("ODIN AI does not take this", status, said)
    gone = route_is_missing(status, said)
    if status == 404 and "project" in said.lower() and not gone:
        return RefusedCredentials(f"{sentence} Check ODIN_PROJECT_ID.")
    if status in (404, 405):
        return NotThere(sentence, route_missing=gone)
    return RefusedDocument(sentence)


def route_is_missing(status: int, said: str) -> bool:
    """Whether the address itself is unknown there, and not what was asked for at it."""
    return status == 405 or (status == 404 and _NO_ROUTE.fullmatch(said) is not None)


def detail_of(body: bytes) -> str:
    """What the server says, on one line: `detail` as text or list, HTML without its markup."""
    text = body.decode("utf-8", errors="replace")
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError):
        return one_line(_MARKUP.sub(" ", text))
    if isinstance(answer, dict):
        answer = answer.get("detail") or answer.get("message") or answer.get("error") or ""
    if isinstance(answer, list):
        answer = "; ".join(_complaint(item) for item in answer)
    return one_line(answer if isinstance(answer, str) else "")


def _complaint(item: object) -> str:
    """One entry of FastAPI's validation list: place and message, never the refused input."""
    if not isinstance(item, dict):
        return item if isinstance(item, str) else ""
    place = item.get("loc")
    steps = [str(step) for step in place if step != "body"] if isinstance(place, list) else []
    return ": ".join(part for part in (".".join(steps), str(item.get("msg", ""))) if part)


def one_line(text: str) -> str:
    """Printable and without line ends: fit for a log and a table."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())


def _sentence(what: str, status: int, said: str) -> str:
    if len(said) > _LONGEST:
        said = said[: _LONGEST - 1] + "…"
    return f"{what} ({status}): {said.rstrip('.')}." if said else f"{what} ({status})."
