from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.video import Video, iso_duration, iso_seconds


@given(st.integers(1, 20 * 3600))
def test_a_length_survives_its_iso_form(seconds: int) -> None:
    assert iso_seconds(iso_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["P0D", "PT0S", "soon", ""])
def test_no_length_is_none(text: str) -> None:
    assert iso_seconds(text) is None


def test_times_without_a_zone_are_utc() -> None:
    video = Video(video_id="x", title="t", published_at=datetime(2024, 1, 1))
    assert video.published_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert video.duration_s is None
