"""What a browser sends becomes a file of the library under a safe name."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import arrivals
from engine.library.shelf import LOCAL_FOLDER, Library

NTFS_REFUSES = set('<>:"/\\|?*') | {chr(code) for code in range(32)}


def kept(library: Library, name: str, content: bytes = b"sound") -> Path:
    return arrivals.keep(name, io.BytesIO(content), library)


def test_it_lies_with_the_local_files_and_nothing_else_does(library: Library) -> None:
    file = kept(library, "Talk.MP3")
    assert file == library.root / LOCAL_FOLDER / "Talk.mp3"
    assert file.read_bytes() == b"sound"
    assert [found.name for found in file.parent.iterdir()] == ["Talk.mp3"]


def test_the_same_content_is_the_same_file_and_another_gets_a_number(library: Library) -> None:
    first = kept(library, "talk.mp3")
    assert kept(library, "talk.mp3") == first
    assert kept(library, "talk.mp3", b"other").name == "talk (2).mp3"
    assert kept(library, "talk.mp3", b"other").name == "talk (2).mp3"
    assert first.read_bytes() == b"sound"


@pytest.mark.parametrize(
    "name", ["../../evil.mp3", "..\\..\\evil.mp3", "C:\\Users\\me\\evil.mp3", "/etc/evil.mp3"]
)
def test_only_the_last_part_of_a_path_counts(library: Library, name: str) -> None:
    assert kept(library, name) == library.root / LOCAL_FOLDER / "evil.mp3"


@pytest.mark.parametrize("name", ["", ".", "..", ".mp3", "???.mp3", "con.mp3", "a" * 400 + ".mp3"])
def test_a_name_that_a_system_refuses_becomes_another(library: Library, name: str) -> None:
    file = kept(library, name)
    assert file.parent == library.root / LOCAL_FOLDER
    assert file.is_file()
    assert file.stem.upper() != "CON"


@given(st.text(max_size=300))
def test_every_name_is_one_that_windows_takes(name: str) -> None:
    stem, ending = arrivals._parts(f"{name}.mp3")
    assert not NTFS_REFUSES & set(stem + ending)
    assert 1 <= len(stem.encode()) <= 120
    assert not stem.startswith((".", " ")) and not stem.endswith((".", " "))
    assert ending in (".mp3", "")


def test_a_document_of_the_same_name_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    first = arrivals.keep_for_upload("notes.md", io.BytesIO(b"old"), tmp_path)
    second = arrivals.keep_for_upload("x/notes.md", io.BytesIO(b"new"), tmp_path)
    assert first == second
    assert second.read_bytes() == b"new"
