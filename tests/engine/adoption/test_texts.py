"""Every layout in which the predecessor wrote a transcript can be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.adoption.texts import NoTranscript, decoded, parsed
from engine.transcript import Draft, ordered

WORDS = st.text(
    st.characters(categories=("L", "N"), include_characters=" ,.'-äöüß"), min_size=1, max_size=60
).filter(lambda text: text.strip() and not text.startswith("{"))


def old_clock(seconds: float, of_start: float) -> str:
    """As the predecessor wrote it: whole seconds, hours from a start of an hour on."""
    minutes, left = divmod(int(seconds), 60)
    if of_start < 3600:
        return f"{minutes:02d}:{left:02d}"
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{left:02d}"


def old_lines(segments: list[tuple[float, float, str]]) -> str:
    return "\n\n".join(
        f"[{old_clock(start, start)} - {old_clock(end, start)}]  {text}"
        for start, end, text in segments
    )


@st.composite
def told(draw: st.DrawFn) -> list[tuple[float, float, str]]:
    at = draw(st.floats(0, 5000))
    segments = []
    for _ in range(draw(st.integers(1, 12))):
        length = draw(st.floats(0, 30))
        segments.append((at, at + length, draw(WORDS)))
        at += length + draw(st.floats(0, 3))
    return segments


@given(told())
def test_one_line_a_segment_comes_back_to_the_second(
    segments: list[tuple[float, float, str]],
) -> None:
    found = parsed(old_lines(segments))
    assert found.timed
    assert [draft.text for draft in found.drafts] == [" ".join(t.split()) for _, _, t in segments]
    for draft, (start, end, _) in zip(found.drafts, segments, strict=True):
        assert draft.start == int(start)
        assert draft.end == int(end)


@given(told())
def test_whatever_is_read_becomes_segments_that_keep_the_contract(
    segments: list[tuple[float, float, str]],
) -> None:
    found = parsed(old_lines(segments))
    length = found.length_s
    made = ordered(found.drafts, length)
    assert len(made) == len(segments)
    before = 0.0
    for segment in made:
        assert before <= segment.start <= segment.end <= length
        before = segment.end


def test_an_end_may_be_in_the_next_hour_and_an_hour_be_minutes() -> None:
    found = parsed("[59:59 - 60:03]  over the hour\n\n[01:00:03 - 01:00:07]  and on")
    assert [(d.start, d.end) for d in found.drafts] == [(3599.0, 3603.0), (3603.0, 3607.0)]


def test_times_may_stand_above_the_text() -> None:
    found = parsed("[00:00 - 00:04]\nHello there.\nAll of you.\n\n[00:04 - 00:09]\nGood evening.\n")
    assert found.drafts == (
        Draft(0, 4, "Hello there. All of you."),
        Draft(4, 9, "Good evening."),
    )


def test_a_missing_time_is_no_reason_to_lose_the_text() -> None:
    found = parsed("[00:00 - 00:04]  one\n\n[Timestamps unavailable]  two\n\n[00:09 - ]  three")
    assert found.drafts == (Draft(0, 4, "one"), Draft(None, None, "two"), Draft(9, None, "three"))
    assert found.length_s > 9


def test_text_without_times_is_one_segment() -> None:
    found = parsed("Nobody wrote down\nwhen this was said.")
    assert not found.timed
    assert " ".join(draft.text for draft in found.drafts) == (
        "Nobody wrote down when this was said."
    )
    assert len(found.drafts) == 1


def test_the_json_layout_tells_the_metadata_too() -> None:
    text = json.dumps(
        {
            "videoId": "dQw4w9WgXcQ", "publishedAt": "2024-05-06T07:08:09Z", "channelId": None,
            "Title": "A & B", "Description": "short…", "thumbnail": None,
            "content": "[00:00 - 00:02]  hello",
        }
    )  # fmt: skip
    found = parsed(text)
    assert found.drafts == (Draft(0, 2, "hello"),)
    assert found.described["title"] == "A & B"
    assert found.described["videoId"] == "dQw4w9WgXcQ"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_every_encoding_of_windows_is_read(encoding: str) -> None:
    assert decoded("Grüße, schön\r\n".encode(encoding)) == "Grüße, schön\r\n"


@pytest.mark.parametrize("text", ["", "  \n\n", "[00:00 - 00:04]", '{"content": ""}'])
def test_a_file_without_words_is_no_transcript(text: str) -> None:
    with pytest.raises(NoTranscript):
        parsed(text)


def test_a_file_that_is_no_text_is_no_transcript() -> None:
    with pytest.raises(NoTranscript, match="no text"):
        decoded(b"RIFF\0\0\0\0WAVE", "talk.txt")
