"""One question to the Data API: who asks, what it costs, which parameters it has."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response

from sandbox.google_errors import bad_parameter, key_invalid, key_missing, quota_exceeded
from sandbox.tally import Bucket
from sandbox.world import Here, World
from sandbox.youtube_items import Item, etag

_PARTS = {
    "id",
    "snippet",
    "contentDetails",
    "status",
    "statistics",
    "liveStreamingDetails",
    "brandingSettings",
    "topicDetails",
    "localizations",
    "player",
    "recordingDetails",
}
_TOKEN = re.compile(r"at:(\d+):([0-9a-f]{8})")


@dataclass(frozen=True)
class Page:
    """A stretch of a listing."""

    start: int
    size: int


@dataclass(frozen=True)
class Query:
    """The parameters of one request; reading a bad one raises Google's refusal."""

    request: Request
    world: World

    def text(self, name: str) -> str | None:
        """A parameter, None where it is absent or empty."""
        return self.request.query_params.get(name) or None

    def ids(self, name: str = "id", most: int = 50) -> list[str]:
        """A comma-separated parameter, each once."""
        given = self.text(name) or ""
        found = list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
        if len(found) > most:
            raise bad_parameter(
                name, "The request specifies an invalid filter parameter.", "invalidFilters"
            )
        return found

    def parts(self) -> set[str]:
        """The parts asked for."""
        found = set(self.ids("part"))
        if not found:
            raise bad_parameter("part", "Required parameter: part", "missingRequiredParameter")
        if found - _PARTS:
            raise bad_parameter("part", f"'{sorted(found - _PARTS)[0]}'", "unknownPart")
        return found

    def one_filter(self, *names: str) -> tuple[str, str]:
        """The single filter of a list call."""
        given = [(name, value) for name in names if (value := self.text(name))]
        if not given:
            said = "No filter selected. Expected one of: " + ", ".join(names)
            raise bad_parameter("parameters.", said, "missingRequiredParameter")
        if len(given) > 1:
            said = "Incompatible parameters specified in the request: " + ", ".join(
                name for name, _ in given
            )
            raise bad_parameter("parameters.", said, "incompatibleParameters")
        return given[0]

    def page(self, listing: str) -> Page:
        """Where a page of `listing` starts and how long it may be."""
        given = self.text("maxResults") or "5"
        if not given.isdecimal() or int(given) > 50:
            raise bad_parameter(
                "maxResults",
                f"Invalid value '{given}'. Values must be within the range: [0, 50]",
            )
        token = self.text("pageToken")
        return Page(_start_of(token, listing) if token else 0, int(given))


def _token(start: int, listing: str) -> str:
    raw = f"at:{start}:{etag(listing)[:8]}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _start_of(token: str, listing: str) -> int:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        raw = ""
    found = _TOKEN.fullmatch(raw)
    if not found or found[2] != etag(listing)[:8]:
        raise bad_parameter(
            "pageToken", "The request specifies an invalid page token.", "invalidPageToken"
        )
    return int(found[1])


def answer(
    query: Query, kind: str, items: Iterable[Item], total: int, more: dict[str, Any] | None = None
) -> Response:
    """A list answer; 304 to a client that has it already."""
    body: dict[str, Any] = {"kind": f"youtube#{kind}ListResponse", "etag": ""}
    body |= more or {}
    listed = list(items)
    if listed or kind != "channel":  # channels.list alone leaves out what is empty
        body["items"] = listed
    body.setdefault("pageInfo", {"totalResults": total, "resultsPerPage": max(total, 1)})
    body["etag"] = etag({**body, "items": [item["etag"] for item in listed]})
    headers = {"etag": body["etag"], "cache-control": "private", "vary": "X-Origin, Referer"}
    if query.request.headers.get("if-none-match", "").strip('"') == body["etag"]:
        return Response(status_code=304, headers=headers)
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Response(raw, media_type="application/json; charset=UTF-8", headers=headers)


def paged(
    query: Query, kind: str, listing: str, found: Sequence[Any], show: Callable[[int], Item]
) -> Response:
    """One page of `found`; `show` makes the item at a position."""
    page = query.page(listing)
    end = min(page.start + page.size, len(found))
    more: dict[str, Any] = {}
    if page.size and end < len(found):
        more["nextPageToken"] = _token(end, listing)
    if page.size and page.start:
        more["prevPageToken"] = _token(max(0, page.start - page.size), listing)
    more["pageInfo"] = {"totalResults": len(found), "resultsPerPage": page.size}
    return answer(query, kind, map(show, range(page.start, end)), len(found), more)


def _charge(request: Request, world: World, bucket: Bucket) -> Query:
    given = request.headers.get("x-goog-api-key") or request.query_params.get("key")
    if not given:
        raise key_missing()
    known = next((key for key in world.spec.api_keys if key.key == given), None)
    if known is None:
        raise key_invalid()
    budget = known.units if bucket == "units" else known.searches
    if not world.tally.spend(bucket, given, 1, budget):
        raise quota_exceeded()
    return Query(request, world)


async def _unit(request: Request, world: Here) -> Query:
    return _charge(request, world, "units")


async def _search(request: Request, world: Here) -> Query:
    return _charge(request, world, "searches")


UnitQuery = Annotated[Query, Depends(_unit)]
"""A question that costs one unit; a bad one costs it too."""
SearchQuery = Annotated[Query, Depends(_search)]
"""A question that costs one search."""
