import os
from pathlib import Path

import pytest

from engine.errors import EmptyFile, NotMedia
from engine.library.local import file_id, media_files, place_file, writable
from engine.library.shelf import Library


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    file = folder / "My talk.wav"
    file.write_bytes(b"not looked into here")
    os.utime(file, (1_714_953_600, 1_714_953_600))  # 2024-05-06 00:00 UTC
    return file


def test_transcripts_stand_beside_the_media_under_date_title_and_content_id(
    library: Library, recording: Path
) -> None:
    entry = place_file(library, recording)
    video_id, sha256 = file_id(recording)
    assert entry.folder == recording.parent
    assert entry.stem == f"2024-05-06_My_talk_{video_id}"
    assert library.read(entry).steps["download"].sha256 == sha256


def test_a_touched_or_renamed_recording_keeps_its_place(library: Library, recording: Path) -> None:
    first = place_file(library, recording)
    os.utime(recording)
    assert place_file(library, recording) == first
    assert place_file(library, recording.rename(recording.with_name("b.wav"))) == first


def test_a_recording_straight_in_the_library_is_one_of_its_entries(
    library: Library, recording: Path
) -> None:
    library.root.mkdir(parents=True)
    entry = place_file(library, recording.rename(library.root / recording.name))
    assert list(library.entries()) == [entry]
    assert library.find(entry.video_id) == entry


def test_a_file_that_is_not_ours_is_never_overwritten(library: Library, recording: Path) -> None:
    video_id, _ = file_id(recording)
    foreign = recording.parent / f"2024-05-06_My_talk_{video_id}.txt"
    foreign.write_text("mine", encoding="utf-8")
    entry = place_file(library, recording)
    assert entry.text != foreign
    assert foreign.read_text(encoding="utf-8") == "mine"


def test_where_nobody_may_write_transcripts_go_to_the_library(
    library: Library, recording: Path
) -> None:
    recording.parent.chmod(0o555)
    try:
        assert not writable(recording.parent)
        entry = place_file(library, recording)
        assert entry.folder == library.root / "Local files"
        assert place_file(library, recording) == entry
    finally:
        recording.parent.chmod(0o755)


def test_what_is_missing_or_empty_is_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotMedia, match="no file"):
        place_file(library, tmp_path / "nothing.wav")
    empty = tmp_path / "empty.wav"
    empty.touch()
    with pytest.raises(EmptyFile):
        place_file(library, empty)
    assert list(tmp_path.glob("*.json")) == []


def test_folders_give_their_media_once_and_leave_the_rest_alone(recording: Path) -> None:
    folder = recording.parent
    for name in ("notes.txt", ".hidden.wav", "B.MP3", "sub/c.webm", ".git/d.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    found = [file.name for file in media_files([folder, recording, folder / "gone.wav"])]
    assert found == ["B.MP3", "My talk.wav", "c.webm", "gone.wav"]
