from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ServiceTrouble
from engine.youtube import paging
from engine.youtube.api_errors import ApiRefusal, Meaning
from engine.youtube.paging import pages


def read(answer: dict[str, Any]) -> dict[str, str]:
    return {row: row for row in answer["rows"]}


def stale() -> ApiRefusal:
    return ApiRefusal(Meaning.STALE_PAGE, 400, "invalidPageToken", "")


class Pages:
    def __init__(self, table: dict[str | None, tuple[str, str | None]]) -> None:
        self.table = table
        self.asked: list[str | None] = []

    def __call__(self, token: str | None) -> dict[str, Any]:
        self.asked.append(token)
        rows, following = self.table[token]
        return {"rows": rows.split()} | ({"nextPageToken": following} if following else {})


def test_a_page_is_asked_for_when_it_is_wanted() -> None:
    ask = Pages({None: ("a b", "2"), "2": ("c", None)})
    walk = pages(ask, read)
    assert ask.asked == []
    assert next(walk) == ["a", "b"]
    assert ask.asked == [None]
    assert [*walk] == [["c"]]


def test_a_row_comes_once() -> None:
    ask = Pages({None: ("a b", "2"), "2": ("b c", None)})
    assert [*pages(ask, read)] == [["a", "b"], ["c"]]


def test_an_empty_page_in_the_middle_is_passed_over() -> None:
    ask = Pages({None: ("a", "2"), "2": ("", "3"), "3": ("b", None)})
    assert [*pages(ask, read)] == [["a"], ["b"]]


def test_a_repeated_token_ends_in_an_error() -> None:
    ask = Pages({None: ("a", "2"), "2": ("b", "3"), "3": ("c", "2")})
    with pytest.raises(ServiceTrouble, match="circle"):
        [*pages(ask, read)]
    assert len(ask.asked) == 3


def test_ever_new_tokens_without_new_rows_end() -> None:
    calls: list[object] = []

    def ask(token: str | None) -> dict[str, Any]:
        calls.append(token)
        return {"rows": ["a"], "nextPageToken": str(len(calls))}

    with pytest.raises(ServiceTrouble, match="does not end"):
        [*pages(ask, read)]
    assert len(calls) < 20


def test_a_list_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 5)
    count: Iterator[int] = iter(range(1000))

    def ask(token: str | None) -> dict[str, Any]:
        number = str(next(count))
        return {"rows": [number], "nextPageToken": number}

    with pytest.raises(ServiceTrouble, match="does not end"):
        [*pages(ask, read)]
    assert next(count) == 5


def test_a_stale_token_restarts_the_list_once_without_repeating_rows() -> None:
    plain = Pages({None: ("a b", "2"), "2": ("c", None)})
    refusals = [None, stale(), None, None]

    def ask(token: str | None) -> dict[str, Any]:
        refused = refusals.pop(0)
        if refused:
            raise refused
        return plain(token)

    assert [*pages(ask, read)] == [["a", "b"], ["c"]]
    assert plain.asked == [None, None, "2"]


def test_a_second_stale_token_is_raised() -> None:
    plain = Pages({None: ("a b", "2"), "2": ("c", None)})

    def ask(token: str | None) -> dict[str, Any]:
        if token:
            raise stale()
        return plain(token)

    with pytest.raises(ApiRefusal):
        [*pages(ask, read)]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), min_size=1, max_size=8))
def test_all_rows_come_in_order_each_once(listed: list[list[str]]) -> None:
    def ask(token: str | None) -> dict[str, Any]:
        number = int(token or 0)
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(listed) else {}
        return {"rows": listed[number]} | more

    rows = [row for page in pages(ask, read) for row in page]
    assert rows == [*dict.fromkeys(row for page in listed for row in page)]
