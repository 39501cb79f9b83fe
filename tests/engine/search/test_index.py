"""The index follows the files, whatever happens to it."""

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import NoPermission
from engine.search.index import Index
from engine.search.query import parsed
from engine.settings import Settings
from tests.engine.search.conftest import Say, transcript_of


def count(settings: Settings, text: str) -> int:
    return len(Index(settings).find(parsed(text)))


def test_new_changed_and_removed_transcripts_are_noticed(settings: Settings, say: Say) -> None:
    assert count(settings, "boats") == 0
    entry = say("Fishing boats came back.")
    assert count(settings, "boats") == 1
    entry.transcript.write_text(transcript_of(("Fishing nets.",)), encoding="utf-8")
    assert (count(settings, "boats"), count(settings, "nets")) == (0, 1)
    entry.transcript.unlink()
    assert count(settings, "nets") == 0


def test_a_recording_that_lies_straight_in_the_library_is_found(settings: Settings) -> None:
    settings.library_dir.mkdir(parents=True)
    lying = settings.library_dir / "2024-05-06_Talk_AAAAAAAAAA1.transcript.json"
    lying.write_text(transcript_of(("Fishing boats.",)), encoding="utf-8")
    [found] = Index(settings).find(parsed("boats"))
    assert found.file == lying
    lying.unlink()
    assert count(settings, "boats") == 0


def test_what_did_not_change_is_not_read_again(settings: Settings, say: Say) -> None:
    say("one", id="aaaaaaaaaa1")
    assert Index(settings).refresh() == 1
    assert Index(settings).refresh() == 0
    say("two", id="aaaaaaaaaa2")
    assert Index(settings).refresh() == 1


@pytest.mark.parametrize("damage", [b"no database", b"", None])
def test_a_damaged_or_deleted_index_is_built_anew(
    settings: Settings, say: Say, index_file: Path, damage: bytes | None
) -> None:
    say("Fishing boats.")
    assert count(settings, "boats") == 1
    if damage is None:
        index_file.unlink()
    else:
        index_file.write_bytes(damage)
    for side in ("-wal", "-shm"):
        index_file.with_name(index_file.name + side).unlink(missing_ok=True)
    assert count(settings, "boats") == 1


def test_a_page_that_was_overwritten_is_no_end(
    settings: Settings, say: Say, index_file: Path
) -> None:
    for number in range(30):
        say(*[f"boats {number} {n}" for n in range(30)], id=f"aaaaaaaaa{number:02}")
    assert count(settings, "boats") > 0
    with index_file.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(index_file.stat().st_size - 8192))
    assert count(settings, "boats") > 0


def test_tables_of_another_version_are_made_anew(
    settings: Settings, say: Say, index_file: Path
) -> None:
    say("Fishing boats.")
    index_file.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(index_file) as store:
        store.execute("CREATE TABLE files (something INTEGER)")
        store.execute("PRAGMA user_version = 999")
    store.close()
    assert count(settings, "boats") == 1


def test_another_library_is_another_index(settings: Settings, say: Say, tmp_path: Path) -> None:
    say("Fishing boats.")
    assert count(settings, "boats") == 1
    other = settings.model_copy(update={"library_dir": tmp_path / "other"})
    assert count(other, "boats") == 0
    assert count(settings, "boats") == 1


def test_foreign_and_hidden_files_are_left_alone(settings: Settings, say: Say) -> None:
    entry = say("Fishing boats.")
    (entry.folder / "broken.transcript.json").write_text("{", encoding="utf-8")
    (entry.folder / ".~abc.transcript.json").write_text(transcript_of(("boats",)), "utf-8")
    hidden = settings.library_dir / ".failed"
    hidden.mkdir()
    (hidden / "x.transcript.json").write_text(transcript_of(("boats",)), encoding="utf-8")
    assert count(settings, "boats") == 1


def test_many_searches_at_once_see_the_same(settings: Settings, say: Say) -> None:
    for number in range(60):
        say("Fishing boats.", id=f"aaaaaaaaa{number:02}")
    barrier = threading.Barrier(4)

    def look(_: int) -> int:
        barrier.wait()
        return count(settings, "boats")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, range(4))) == [60] * 4


def test_the_first_searches_ever_may_come_at_once(settings: Settings) -> None:
    barrier = threading.Barrier(4)

    def look(index: Index) -> int:
        barrier.wait()
        return index.refresh()

    with ThreadPoolExecutor(4) as pool:
        for place in range(60):  # one in ten met a locked file
            fresh = settings.model_copy(update={"state_dir": settings.state_dir / str(place)})
            assert list(pool.map(look, [Index(fresh) for _ in range(4)])) == [0] * 4


def test_a_search_that_is_killed_leaves_a_good_index(
    settings: Settings, say: Say, index_file: Path
) -> None:
    for number in range(40):
        say("Fishing boats.", id=f"aaaaaaaaa{number:02}")
    program = """
import os
from engine.search import index
from engine.settings import load
index._FILES_AT_ONCE = 10
taken = 0
def lines(file, real=index.lines_of):
    global taken
    taken += 1
    if taken == 25:
        os._exit(9)
    return real(file)
index.lines_of = lines
index.Index(load()).refresh()
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 9
    with sqlite3.connect(index_file) as store:
        (kept,) = store.execute("SELECT count(*) FROM files").fetchone()
    store.close()
    assert kept == 20
    assert count(settings, "boats") == 40


def test_a_word_that_is_everywhere_is_answered_with_the_newest(
    settings: Settings, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.search.index._RANKED", 5)
    for number in range(9):
        say("the same", id=f"aaaaaaaaa{number:02}")
    found = Index(settings).find(parsed("the"))
    newest = [one.file.name.removesuffix(".transcript.json")[-2:] for one in found]
    assert newest == ["08", "07", "06", "05", "04"]


def test_a_state_that_cannot_be_written_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state" / "search.sqlite3").mkdir(parents=True)
    with pytest.raises(NoPermission):
        count(settings, "boats")
