from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.recordings import TALKS_DIR, Recordings, text_of
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo

TEA = SandboxVideo(
    id="uF_C5ANi1Hk", title="Tea", published=datetime(2025, 1, 1, tzinfo=UTC), talk="tea"
)


def spec_of(*videos: SandboxVideo) -> SandboxSpec:
    channel = SandboxChannel(id="UC" + "a" * 22, handle="@a", title="A", videos=videos)
    return SandboxSpec(channels=(channel,))


def prepared(folder: Path) -> Recordings:
    made = Recordings(folder)
    made.prepare(spec_of(TEA))
    return made


def test_a_talk_is_spoken_once_and_found_again(folder: Path) -> None:
    first = prepared(folder).of(TEA)
    stamp = first.path.stat().st_mtime_ns
    again = prepared(folder).of(TEA)
    assert again == first
    assert again.path.stat().st_mtime_ns == stamp


def test_a_damaged_recording_is_spoken_anew(folder: Path) -> None:
    first = prepared(folder).of(TEA)
    whole = first.path.stat().st_size
    first.path.write_bytes(b"half")
    assert prepared(folder).of(TEA).path.stat().st_size == whole


def test_an_unknown_talk_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recordings(folder).prepare(spec_of(TEA.model_copy(update={"talk": "silence"})))


def test_a_video_without_media_needs_no_voice(folder: Path) -> None:
    hidden = TEA.model_copy(update={"obstacle": "private"})
    made = Recordings(folder)
    made.prepare(spec_of(hidden))
    assert not list(folder.iterdir())
    assert made.seconds(hidden) > 0
    assert made.seconds(TEA.model_copy(update={"obstacle": "upcoming"})) == 0


def test_every_talk_is_plain_text_without_numerals() -> None:
    talks = sorted(TALKS_DIR.glob("*.txt"))
    assert len(talks) == 7
    for talk in talks:
        assert not any(letter.isdigit() for letter in text_of(talk.stem))


def test_a_talk_may_be_said_several_times_over(folder: Path) -> None:
    thrice = TEA.model_copy(update={"times": 3})
    made = Recordings(folder)
    made.prepare(spec_of(TEA, thrice))
    assert made.of(thrice).seconds > 2.9 * made.of(TEA).seconds
