"""Lists that come in pages: lazily, each row once, and bounded whatever the tokens do."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from engine.errors import ServiceTrouble
from engine.youtube.api_errors import ApiRefusal, Meaning

MOST_PAGES = 1000
"""YouTube ends uploads at 20,000 videos, 400 pages: what goes on beyond this is a loop."""
_MOST_BARREN_PAGES = 10

Answer = dict[str, Any]
Row = TypeVar("Row")


def pages(
    ask: Callable[[str | None], Answer], read: Callable[[Answer], dict[str, Row]]
) -> Iterator[list[Row]]:
    """Yields the new rows of each page that has some; asks for a page when it is wanted.

    Args:
        ask: the answer for a page token, None for the first page.
        read: the rows of an answer by their ids, in order.

    Raises:
        ApiRefusal: from `ask`; a stale token restarts the list once before.
        ServiceTrouble: the pages go in a circle, or never end.
    """
    token: str | None = None
    tokens: set[str] = set()
    known: set[str] = set()
    barren = 0
    restarted = False
    for _ in range(MOST_PAGES):
        try:
            answer = ask(token)
        except ApiRefusal as refusal:
            if refusal.meaning is not Meaning.STALE_PAGE or token is None or restarted:
                raise
            token, tokens, restarted, barren = None, set(), True, -len(tokens)
            continue
        rows = {key: row for key, row in read(answer).items() if key not in known}
        known |= rows.keys()
        if rows:
            yield [*rows.values()]
        barren = 0 if rows else barren + 1
        token = _next(answer, tokens)
        if token is None:
            return
        tokens.add(token)
        if barren > _MOST_BARREN_PAGES:
            break
    raise ServiceTrouble("YouTube's Data API sends a list that does not end.")


def _next(answer: Answer, tokens: set[str]) -> str | None:
    token = answer.get("nextPageToken")
    if token in tokens:
        raise ServiceTrouble("YouTube's Data API sends the pages of a list in a circle.")
    return token if isinstance(token, str) and token else None
