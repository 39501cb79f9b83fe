import re
import tempfile
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library import names
from engine.library.shelf import Library
from engine.settings import Settings
from engine.video import Video

VIDEO_ID = st.from_regex(r"[0-9A-Za-z_-]{11}", fullmatch=True)
TITLE = st.text(max_size=300)
DAY = date(2024, 5, 6)
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def is_valid_on_windows_and_linux(name: str) -> bool:
    return (
        bool(name)
        and not set(name) & set('/\\:*?"<>|')
        and not any(ord(c) < 32 or unicodedata.category(c) == "Cs" for c in name)
        and name[-1] not in " ."
        and not RESERVED.fullmatch(name)
    )


@given(TITLE, VIDEO_ID, st.sampled_from([0, 1, 99]))
def test_every_title_makes_a_valid_name_that_keeps_the_id(
    title: str, video_id: str, n: int
) -> None:
    made = names.stem(DAY, title, video_id, n)
    assert is_valid_on_windows_and_linux(made)
    assert len(made.encode()) <= names.STEM_BYTES
    assert made.startswith("2024-05-06_")
    assert names.id_of(made) == video_id


AWKWARD_ID = st.text("aAbB_-1", min_size=11, max_size=11)
SAME_TITLES = st.sampled_from(["", "x", "X", "ß", "SS", "é", "e\u0301", "a_" * 99, "CON", "."])


@given(st.lists(st.tuples(AWKWARD_ID, SAME_TITLES | TITLE), unique_by=lambda pair: pair[0]))
def test_no_two_videos_share_a_name_and_no_id_is_lost(videos: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as made:
        settings = Settings(library_dir=Path(made) / "library", state_dir=Path(made) / "state")
        day = datetime(2024, 5, 6, tzinfo=UTC)
        every = [Video(video_id=i, title=t, published_at=day) for i, t in videos]
        entries = Library(settings).expected(every)
    assert len({entry.stem.casefold() for entry in entries}) == len(every)
    assert len({unicodedata.normalize("NFC", e.stem.casefold()) for e in entries}) == len(every)
    for entry, video in zip(entries, every, strict=True):
        assert names.id_of(entry.stem) == entry.video_id == video.video_id
        assert is_valid_on_windows_and_linux(entry.sidecar.name)
        longest = entry.file(".transcript.json")
        assert len(longest.name.encode()) <= names.STEM_BYTES + len(".transcript.json")
        assert len(longest.parent.name.encode()) <= names.FOLDER_BYTES


@given(TITLE)
def test_every_channel_title_makes_a_valid_folder(title: str) -> None:
    made = names.channel_folder(title)
    assert is_valid_on_windows_and_linux(made)
    assert len(f"{made} 9".encode()) <= names.FOLDER_BYTES
    assert not made.startswith(".")


@given(st.text(), st.integers(0, 60))
def test_a_cut_is_a_beginning_within_its_bytes(text: str, limit: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    cut = names.cut_bytes(text, limit)
    assert text.startswith(cut)
    assert len(cut.encode()) <= limit


def test_titles_are_cleaned_as_older_tools_expect() -> None:
    title = 'A "B": C/D? 100% ~ Ü &amp; x.'
    made = names.stem(DAY, title, "dQw4w9WgXcQ")
    assert made == "2024-05-06_A_B__C_D__100%_~_Ü_&_x._dQw4w9WgXcQ"


def test_a_cut_title_does_not_end_in_half_a_family() -> None:
    family = "👩‍👩‍👧"
    assert not names.cut_bytes(family, 8).endswith("\u200d")


def test_the_date_in_a_name_is_that_of_utc() -> None:
    moment = datetime(2024, 5, 6, 23, 30, tzinfo=UTC)
    assert names.stem(moment, "x", "dQw4w9WgXcQ").startswith("2024-05-06")


@pytest.mark.parametrize(
    "other", ["notes", "2024-05-06_x", "channel", "2024-05-06_x_dQw4w9WgXc", "a.transcript"]
)
def test_names_of_other_programs_hold_no_id(other: str) -> None:
    assert names.id_of(other) is None


@pytest.mark.parametrize("title", ["CON", "nul.txt", "  ..  ", "", "LPT1"])
def test_reserved_or_empty_channel_names_are_made_usable(title: str) -> None:
    assert is_valid_on_windows_and_linux(names.channel_folder(title))
