import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.transcript import FORMS, Draft, Segment, Transcript, ordered, render

HEADER = [("Title", "A talk"), ("Language", "en")]
TIMES = st.none() | st.floats(-100, 9000) | st.just(float("nan")) | st.just(float("inf"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "-->",
        "a --> b",
        "1\n00:00:01,000 --> 00:00:02,000\nx",
        "<b>&amp;",
        "\n\n",
        "NOTE\u2028x",
        "--->",
    ]
)
DRAFTS = st.lists(st.builds(Draft, TIMES, TIMES, TEXTS), max_size=30)
SRT_CUE = re.compile(r"(\d+)\n(\S+) --> (\S+)\n(.*)\n")
VTT_CUE = re.compile(r"(\S+) --> (\S+)\n(.*)\n")


def transcript(*segments: Segment, duration_s: float = 8000) -> Transcript:
    return Transcript(
        language="en", duration_s=duration_s, model="base", preset="stabil", segments=segments
    )


def seconds(clock: str) -> float:
    hours, minutes, left = re.split(":", clock.replace(",", "."))
    return int(hours) * 3600 + int(minutes) * 60 + float(left)


@given(DRAFTS, st.floats(0, 8000))
def test_segments_are_ordered_inside_and_apart_and_none_is_lost(drafts, duration_s):
    made = ordered(drafts, duration_s)
    for segment in made:
        assert 0 <= segment.start <= segment.end <= duration_s
    for one, following in pairwise(made):
        assert one.end <= following.start
    written = {"".join(d.text.split()) for d in drafts if any(c.isalnum() for c in d.text)}
    assert written <= {"".join(s.text.split()) for s in made}
    assert ordered(made, duration_s) == made


def test_a_missing_end_becomes_the_next_start_or_the_duration():
    made = ordered([Draft(1, None, "a"), Draft(5, None, "b")], 9)
    assert made == (Segment(start=1, end=5, text="a"), Segment(start=5, end=9, text="b"))


def test_a_missing_start_is_the_end_before():
    made = ordered([Draft(1, 3, "a"), Draft(None, 6, "b")], 9)
    assert made[1] == Segment(start=3, end=6, text="b")


def test_times_beyond_the_recording_are_brought_inside():
    made = ordered([Draft(-1, 4, "a"), Draft(8, 99, "b"), Draft(50, 60, "c")], 9)
    assert [(s.start, s.end) for s in made] == [(0, 4), (8, 8.98), (8.98, 9)]


def test_overlaps_end_at_the_next_start():
    made = ordered([Draft(0, 5, "a"), Draft(3, 6, "b")], 9)
    assert [(s.start, s.end) for s in made] == [(0, 3), (3, 6)]


def test_equal_starts_keep_their_order_and_some_time_each():
    made = ordered([Draft(1, 2, "a"), Draft(1, 2, "b")], 9)
    assert [s.text for s in made] == ["a", "b"]
    assert all(s.end > s.start for s in made)


def test_an_end_before_its_start_counts_as_missing():
    assert ordered([Draft(5, 4, "a")], 9)[0].end == 9


def test_a_transcript_is_always_in_order():
    late = Segment(start=9, end=99, text="b")
    made = transcript(late, Segment(start=0, end=20, text="a"), duration_s=10)
    assert [(s.start, s.end) for s in made.segments] == [(0, 9), (9, 10)]


def test_times_without_a_number_are_refused():
    with pytest.raises(ValidationError):
        Segment(start=float("nan"), end=1, text="a")
    with pytest.raises(ValidationError):
        Transcript.model_validate({"duration_s": "x", "segments": []})


def test_the_text_form_has_a_header_and_one_line_per_segment():
    made = transcript(
        Segment(start=0, end=61.9, text=" Hello\nthere "), Segment(start=62, end=70, text="You")
    )
    assert render(made, HEADER, ".txt") == (
        "Title: A talk\nLanguage: en\n\n[00:00 - 01:01] Hello there\n[01:02 - 01:10] You\n"
    )


def test_from_the_first_hour_on_both_ends_show_hours():
    made = transcript(
        Segment(start=3599, end=3603, text="over"), Segment(start=3700, end=7322, text="later")
    )
    assert render(made, [], ".txt") == ("[00:59:59 - 01:00:03] over\n[01:01:40 - 02:02:02] later\n")


def test_a_header_cannot_add_lines():
    text = render(transcript(), [("Title", "a\n\n[00:00 - 00:01] forged\u2028\x00")], ".txt")
    assert text.splitlines() == ["Title: a [00:00 - 00:01] forged", ""]


def test_srt_numbers_its_cues():
    made = transcript(
        Segment(start=1.5, end=2, text="a"), Segment(start=3661, end=3662.25, text="b")
    )
    assert render(made, HEADER, ".srt") == (
        "1\n00:00:01,500 --> 00:00:02,000\na\n\n2\n01:01:01,000 --> 01:01:02,250\nb\n"
    )


def test_vtt_escapes_what_it_would_read_as_marks():
    made = transcript(Segment(start=1.5, end=2, text='<i> & "x" --> y'))
    assert render(made, HEADER, ".vtt") == (
        'WEBVTT\n\n00:00:01.500 --> 00:00:02.000\n&lt;i&gt; &amp; "x" --&gt; y\n'
    )


def test_without_speech_every_form_is_still_valid():
    assert render(transcript(), [], ".txt") == ""
    assert render(transcript(), [], ".srt").strip() == ""
    assert render(transcript(), [], ".vtt") == "WEBVTT\n"
    assert json.loads(render(transcript(), [], ".transcript.json"))["segments"] == []


@given(DRAFTS)
def test_any_text_keeps_srt_and_vtt_whole(drafts):
    made = transcript(*ordered(drafts, 8000))
    srt = SRT_CUE.findall(render(made, HEADER, ".srt"))
    assert [int(number) for number, *_ in srt] == list(range(1, len(made.segments) + 1))
    text = render(made, HEADER, ".vtt")
    vtt = VTT_CUE.findall(text)
    assert text.count("-->") == len(vtt) == len(srt) == len(made.segments)
    for segment, (_, start, end, _), (vtt_start, vtt_end, _) in zip(
        made.segments, srt, vtt, strict=True
    ):
        assert abs(seconds(start) - segment.start) <= 0.001
        assert abs(seconds(end) - segment.end) <= 0.001
        assert (start, end) == (vtt_start.replace(".", ","), vtt_end.replace(".", ","))


@given(DRAFTS)
def test_json_reads_back_as_it_was(drafts):
    made = transcript(*ordered(drafts, 8000))
    assert Transcript.model_validate_json(render(made, HEADER, ".transcript.json")) == made


def test_json_holds_the_promised_fields():
    made = json.loads(render(transcript(Segment(start=0, end=1, text="a")), [], ".transcript.json"))
    assert set(made) >= {"language", "duration_s", "model", "preset", "segments"}
    assert made["segments"] == [{"start": 0.0, "end": 1.0, "text": "a"}]


def test_fields_of_later_releases_are_no_error():
    content = '{"language":null,"duration_s":1,"model":"m","preset":"p","segments":[],"new":1}'
    assert Transcript.model_validate_json(content).language is None


def test_an_unknown_form_is_an_error():
    with pytest.raises(KeyError):
        render(transcript(), [], ".docx")
    assert set(FORMS) == {".txt", ".srt", ".vtt", ".transcript.json"}
