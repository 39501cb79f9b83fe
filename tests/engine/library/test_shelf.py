import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import Busy, DiskFull
from engine.library import atomic, locks
from engine.library.outcome import outcome
from engine.library.shelf import Library, written_at
from engine.library.sidecar import Sidecar
from engine.library.standing import standing
from engine.settings import Settings
from engine.video import Video


def talk(video_id: str = "abcdefghij1", **fields: object) -> Video:
    base: dict[str, object] = {
        "video_id": video_id,
        "title": "A talk",
        "published_at": datetime(2024, 5, 6, tzinfo=UTC),
        "channel_id": "UC" + "x" * 22,
        "channel_title": "Some channel",
    }
    return Video.model_validate(base | fields)


def test_a_video_lives_in_its_channels_folder_under_date_title_and_id(library: Library) -> None:
    entry = library.place(talk())
    assert entry.sidecar == library.root / "Some channel" / "2024-05-06_A_talk_abcdefghij1.json"
    assert entry.sidecar.is_file()
    assert library.find("abcdefghij1") == entry


def test_a_renamed_channel_keeps_its_folder(library: Library) -> None:
    first = library.place(talk())
    second = library.place(talk("abcdefghij2", channel_title="Quite another name"))
    assert first.folder == second.folder


def test_two_channels_of_one_name_do_not_share_a_folder(library: Library) -> None:
    first = library.place(talk())
    second = library.place(talk("abcdefghij2", channel_id="UC" + "y" * 22))
    assert first.folder != second.folder


def test_ids_that_differ_in_case_only_do_not_share_a_file_on_windows(library: Library) -> None:
    names = {library.place(talk(i)).sidecar.name.casefold() for i in ("abcdefghij1", "ABCDEFGHIJ1")}
    assert len(names) == 2
    upper = library.find("ABCDEFGHIJ1")
    assert upper is not None
    assert upper.stem.endswith("ABCDEFGHIJ1~1")


def test_placing_again_updates_the_metadata_and_keeps_place_and_steps(library: Library) -> None:
    entry = library.place(talk())
    library.record(entry, "download", written_at("done", fingerprint="f", sha256="s"))
    again = library.place(talk(title="A new title"))
    assert again == entry
    sidecar = library.read(entry)
    assert sidecar.video.title == "A new title"
    assert sidecar.is_done("download", "f")


def test_the_sidecar_carries_the_fields_that_older_tools_read(library: Library) -> None:
    entry = library.place(talk(description="d", thumbnail="http://x/y.jpg"))
    library.record(entry, "upload", written_at("done", document_key="k", sha256="s"))
    raw = json.loads(entry.sidecar.read_text(encoding="utf-8"))
    wanted = {"videoId", "publishedAt", "channelId", "title", "description", "thumbnail"}
    assert wanted <= set(raw)
    assert {"status", "at", "fingerprint", "versions", "error"} <= set(raw["steps"]["upload"])
    assert raw["steps"]["upload"]["document_key"] == "k"


def test_fields_that_this_version_does_not_know_survive_a_change(library: Library) -> None:
    entry = library.place(talk())
    raw = json.loads(entry.sidecar.read_text(encoding="utf-8"))
    raw["futureField"] = {"a": 1}
    entry.sidecar.write_text(json.dumps(raw), encoding="utf-8")
    library.ended(entry.video_id)
    raw = json.loads(entry.sidecar.read_text(encoding="utf-8"))
    assert raw["futureField"] == {"a": 1}
    assert raw["attempts"] == 1


def test_a_thousand_changes_of_eight_processes_to_one_sidecar_are_all_kept(
    library: Library, settings: Settings
) -> None:
    entry = library.place(talk())
    program = (
        "from engine.library.shelf import Library\n"
        "from engine.settings import load\n"
        "library = Library(load())\n"
        f"for _ in range(125): library.ended({entry.video_id!r})\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(8)]
    assert [process.wait() for process in running] == [0] * 8
    assert library.read(entry).attempts == 1_000


def test_only_one_run_at_a_time_walks_the_way_of_a_video(library: Library) -> None:
    with library.way("abcdefghij1"):
        with pytest.raises(Busy), library.way("abcdefghij1", timeout_s=0):
            pass
        with library.way("abcdefghij2", timeout_s=0):
            pass
    with library.way("abcdefghij1", timeout_s=0):
        pass


def test_what_a_killed_run_left_half_written_goes_when_the_next_one_begins(
    library: Library, settings: Settings
) -> None:
    entry = library.place(talk())
    other = library.place(talk("abcdefghij2"))
    paths = [str(e.file(x)) for e in (entry, other) for x in (".json", ".transcript.json")]
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from engine.library import atomic\n"
        f"for path in {paths}:\n"
        "    atomic.replacing(Path(path)).__enter__().write_text('half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert len([*entry.folder.glob(".~*")]) == 4
    with library.way(entry.video_id):
        assert len([*entry.folder.glob(".~*")]) == 2
    with library.way(other.video_id):
        assert [*entry.folder.glob(".~*")] == []


def test_many_videos_are_placed_with_one_look_at_the_library(library: Library) -> None:
    old = library.place(talk())
    library.ended(old.video_id)
    placed = library.place_all([talk("abcdefghij2"), talk(title="New"), talk("ABCDEFGHIJ2")])
    assert [entry.stem for entry in placed] == [
        "2024-05-06_A_talk_abcdefghij2",
        old.stem,
        "2024-05-06_A_talk_ABCDEFGHIJ2~1",
    ]
    assert library.read(old).video.title == "New"
    assert library.read(old).attempts == 1
    assert list(library.entries()) == sorted(placed, key=lambda entry: entry.stem)


def test_a_place_is_foretold_as_it_will_be(library: Library) -> None:
    videos = [
        talk("abcdefghij2"),
        talk("ABCDEFGHIJ2"),
        talk("x" * 11, channel_title="some CHANNEL"),
    ]
    assert library.expected(videos) == library.place_all(videos)


def test_channels_whose_names_differ_in_case_only_have_two_folders(library: Library) -> None:
    first = library.place(talk())
    other = library.place(talk("x" * 11, channel_id="UC" + "y" * 22, channel_title="SOME channel"))
    assert first.folder.name.casefold() != other.folder.name.casefold()


def test_the_card_of_a_channel_learns_its_handle_and_keeps_its_title(library: Library) -> None:
    folder = library.place(talk()).folder
    library.place(talk("x" * 11, channel_handle="@some", channel_title="Renamed"))
    card = library.channel(folder)
    assert card is not None
    assert (card.handle, card.title) == ("@some", "Some channel")


def test_a_failure_without_a_title_is_kept_and_forgotten(library: Library) -> None:
    file = library.note_failure("abcdefghij1", written_at("failed", error="private"))
    assert file == library.root / ".failed" / "abcdefghij1.json"
    assert json.loads(file.read_text(encoding="utf-8"))["steps"]["metadata"]["error"] == "private"
    assert library.find("abcdefghij1") is None
    library.forget_failure("abcdefghij1")
    assert not file.exists()


def test_a_sync_takes_again_what_was_interrupted(library: Library) -> None:
    placed, begun, ended = (library.place(talk(f"abcdefghij{n}")) for n in range(3))
    library.record(begun, "download", written_at("done"))
    library.ended(ended.video_id)
    there = standing(library, placed.folder)
    assert there.ended == {ended.video_id}
    assert there.waiting == ()
    library.record(begun, "metadata", written_at("done"))
    assert standing(library, placed.folder).waiting == (begun,)


def test_what_is_no_sidecar_is_not_taken_for_one(library: Library) -> None:
    entry = library.place(talk())
    for name in ("2024-05-06_x_abcdefghij2.json", "2024-05-06_x_abcdefghij3.json"):
        entry.folder.joinpath(name).write_text("[1]", encoding="utf-8")
    entry.folder.joinpath("2024-05-06_x_abcdefghij4.json").write_text("{", encoding="utf-8")
    assert Sidecar.read(entry.folder / "2024-05-06_x_abcdefghij2.json") is None
    assert Sidecar.read(entry.folder / "2024-05-06_x_abcdefghij4.json") is None
    assert Sidecar.from_json({"videoId": "x"}) is None


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    atomic.write_text(target, "old")
    with pytest.raises(UnicodeEncodeError):
        atomic.write_text(target, "new \ud800")
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.glob(".~*")) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic.replacing(tmp_path / "x"), Path("/dev/full").open("wb", 0) as full:
            full.write(b"x")

    with pytest.raises(DiskFull):
        fill()


def test_an_outcome_tells_the_first_step_that_failed(library: Library) -> None:
    entry = library.place(talk())
    assert outcome(entry, library.read(entry)).status == "deferred"
    library.record(entry, "download", written_at("failed", error="members only"))
    said = outcome(entry, library.read(entry))
    assert (said.status, said.reason) == ("failed", "members only")
    library.record(entry, "download", written_at("deferred", error="live"))
    assert outcome(entry, library.read(entry)).status == "deferred"


def test_an_outcome_carries_what_the_transcription_measured(library: Library) -> None:
    entry = library.place(talk())
    for step in ("metadata", "download", "audio"):
        library.record(entry, step, written_at("done"))
    measured = {"engine_s": 2.5, "language": "en", "model": "base", "device": "cpu"}
    library.record(entry, "transcript", written_at("done", cause="no speech", **measured))
    library.record(entry, "write", written_at("done"))
    library.record(entry, "upload", written_at("skipped", cause="not asked for"))
    atomic.write_text(entry.text, "x")
    said = outcome(entry, library.read(entry))
    assert (said.status, said.engine_s, said.language) == ("done", 2.5, "en")
    assert said.reason == "no speech; upload skipped: not asked for"
    assert said.transcript == entry.text
    assert outcome(entry, library.read(entry), fresh=False).status == "skipped"


def test_a_lock_is_free_again_when_its_holder_is_killed(settings: Settings) -> None:
    program = (
        "import sys, time\n"
        "from engine.library import locks\n"
        "from engine.settings import load\n"
        "with locks.held(load().locks_dir, 'way', 'x'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(Busy), locks.held(settings.locks_dir, "way", "x", timeout_s=0):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locks.held(settings.locks_dir, "way", "x", timeout_s=5):
        pass
