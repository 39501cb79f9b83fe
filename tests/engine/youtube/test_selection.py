from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadSettings
from engine.youtube.selection import Selection, Window, choose, window

BERLIN = ZoneInfo("Europe/Berlin")
PL = "PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf"


def test_nothing_chosen_is_the_default() -> None:
    assert Selection().is_default
    assert choose().is_default
    assert not choose(latest=1).is_default
    assert not choose(since=date(2024, 1, 1)).is_default


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"latest": 3, "everything": True}, "latest and all exclude each other: choose one."),
        (
            {"latest": 3, "most_viewed": 4, "playlist": PL},
            "latest and most viewed and playlist exclude each other",
        ),
        (
            {"since": date(2024, 2, 1), "until": date(2024, 1, 1)},
            "since 2024-02-01 is after until 2024-01-01.",
        ),
        ({"latest": 0}, "latest: Input should be greater than or equal to 1"),
        ({"most_viewed": -1}, "most-viewed: "),
        ({"playlist": "https://vimeo.com/1"}, "playlist: .*not on YouTube"),
        ({"since": "soon"}, "since: "),
        ({"newest": 3}, "newest: "),
    ],
)
def test_a_contradiction_is_one_sentence(values: dict[str, object], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        choose(**values)


def test_a_playlist_becomes_its_id_and_survives_a_second_reading() -> None:
    chosen = choose(playlist=f"https://www.youtube.com/playlist?list={PL}")
    assert chosen.playlist == PL
    assert Selection(**chosen.model_dump(mode="json")) == chosen
    assert choose(playlist=" ").is_default


def test_days_narrow_every_choice() -> None:
    chosen = choose(latest=3, since=date(2024, 1, 1), until=date(2024, 1, 1))
    assert chosen.latest == 3


def test_days_are_those_of_the_users_zone_summer_time_included() -> None:
    chosen = choose(since=date(2026, 3, 29), until=date(2026, 3, 29))  # a day of 23 hours
    span = window(chosen, BERLIN)
    assert span.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert span.end == datetime(2026, 3, 29, 22, tzinfo=UTC)


def test_the_systems_zone_is_taken_when_none_is_given() -> None:
    span = window(choose(since=date(2024, 5, 6)))
    assert span.start == datetime(2024, 5, 6).astimezone(UTC)
    assert span.end is None


def test_an_open_span_holds_everything_and_a_closed_one_no_unknown_date() -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    assert window(Selection()) == Window()
    assert Window().holds(None)
    assert Window().holds(at)
    assert not Window(start=at).holds(None)
    assert not Window(end=at).holds(None)
    assert not Window(start=at).is_before(None)


@given(st.dates(), st.dates(), st.sampled_from([None, UTC, BERLIN, ZoneInfo("Asia/Tokyo")]))
def test_any_days_make_a_span_that_holds_its_ends(
    first: date, last: date, zone: ZoneInfo | None
) -> None:
    first, last = sorted([first, last])
    span = window(choose(since=first, until=last), zone)
    assert span.start is not None
    assert span.end is not None
    assert span.start < span.end
    assert span.holds(span.start)
    assert span.holds(span.end - timedelta(seconds=1))
    assert not span.holds(span.end)
    assert span.is_before(span.start - timedelta(seconds=1))
