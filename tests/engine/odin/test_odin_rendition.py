"""Links to the moment in an uploaded transcript; and who signs it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadSettings
from engine.odin.documents import DocumentMetadata
from engine.odin.rendition import linked, rendition
from engine.odin.signature import Signature, signature, signed
from engine.settings import Settings, load
from engine.transcript import Segment, Transcript, clock, render, spoken_at

URL = "https://www.youtube.com/watch?v=abc"


def text_of(*segments: tuple[float, float, str]) -> str:
    made = tuple(Segment(start=start, end=end, text=said) for start, end, said in segments)
    whole = Transcript(language="en", duration_s=9_000, model="m", preset="p", segments=made)
    return render(whole, [("Title", "A talk")], ".txt")


def test_a_paragraph_begins_after_a_pause_or_a_minute() -> None:
    text = text_of(
        (0, 5, "One."), (5, 9, "Two."), (20, 25, "Three."), (25, 90, "Four."), (90, 95, "Five.")
    )
    links = [line for line in linked(text, URL).splitlines() if line.startswith("http")]
    assert links == [f"{URL}&t=0s", f"{URL}&t=20s", f"{URL}&t=90s"]


def test_a_minute_is_the_end_and_a_pause_of_less_than_two_seconds_is_none() -> None:
    text = text_of((0, 5, "One."), (6, 60, "Two."), (60, 70, "Three."), (71, 80, "Four."))
    links = [line for line in linked(text, URL).splitlines() if line.startswith("http")]
    assert links == [f"{URL}&t=0s", f"{URL}&t=60s"]


def test_hours_count_and_an_address_without_question_gets_one() -> None:
    text = text_of((3_725, 3_730, "Late."))
    assert "https://youtu.be/abc?t=3725s" in linked(text, "https://youtu.be/abc")


@given(
    st.lists(
        st.tuples(st.floats(0, 8_000), st.floats(0.1, 90), st.text("abc .", max_size=12)),
        max_size=20,
    )
)
def test_no_line_is_lost_and_each_is_under_a_link_to_its_minute(
    told: list[tuple[float, float, str]],
) -> None:
    text = text_of(*((start, start + length, said) for start, length, said in told))
    made = linked(text, URL).splitlines()
    kept = [line for line in made if not line.startswith(f"{URL}&t=")]
    assert [line for line in kept if line] == [line for line in text.splitlines() if line]
    link = None
    for line in made:
        if line.startswith(f"{URL}&t="):
            link = int(line.removeprefix(f"{URL}&t=").removesuffix("s"))
        elif times := spoken_at(line):
            assert link is not None
            assert 0 <= times[0] - link < 60


@given(st.text(), st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 90), st.text())))
def test_no_word_of_any_text_is_lost(above: str, told: list[tuple[int, int, str]]) -> None:
    spoken = [
        f"[{clock(start, True)} - {clock(start + length, True)}]  {said}"
        for start, length, said in told
    ]
    text = "\n\n".join([above, *spoken])
    made = [word for word in linked(text, URL).split() if not word.startswith(f"{URL}&t=")]
    assert made == text.split()


def test_the_file_that_is_made_for_it_is_gone_at_the_end(
    settings: Settings, tmp_path: Path
) -> None:
    text = tmp_path / "talk.txt"
    text.write_text(text_of((0, 5, "One.")), encoding="utf-8")
    wanted = settings.model_copy(update={"odin_links": True})
    with pytest.raises(RuntimeError), rendition(text, "talk.txt", URL, wanted) as made:
        assert made.name == "talk.txt"
        assert f"{URL}&t=0s" in made.read_text(encoding="utf-8")
        raise RuntimeError
    assert not made.exists()
    assert text.is_file()


def test_without_the_setting_or_an_address_the_transcript_goes_as_it_is(
    settings: Settings, tmp_path: Path
) -> None:
    text = tmp_path / "talk.txt"
    text.write_text("[00:00 - 00:05] One.", encoding="utf-8")
    with rendition(text, "talk.txt", URL, settings) as made:
        assert made == text
    wanted = settings.model_copy(update={"odin_links": True})
    with rendition(text, "talk.txt", None, wanted) as made:
        assert made == text


def test_settings_sign_over_what_the_video_says() -> None:
    metadata = DocumentMetadata(
        title="T",
        sha256="0",
        author_name="Channel",
        category="transcript",
        last_upload="2026-01-02",
    )
    plain = signed(metadata, load())
    assert (plain.author_name, plain.category, plain.added_by) == (
        "Channel",
        "transcript",
        "tonspur",
    )
    named = load(odin_author_name="Ada", odin_category="lecture", odin_uploaded_by="Grace")
    own = signed(metadata, named)
    assert (own.author_name, own.category, own.uploaded_by) == ("Ada", "lecture", "Grace")
    assert own.last_upload == metadata.last_upload


def test_a_signature_is_read_from_pairs() -> None:
    assert signature(None) is None
    assert signature(["category = lecture", "author_name=A=B"]) == Signature(
        category="lecture", author_name="A=B"
    )
    for wrong in ("category", "colour=red", "=x"):
        with pytest.raises(BadSettings, match="NAME=VALUE"):
            signature([wrong])
