"""The command line as people and programs meet it: a process, its two outputs, its exit status."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.audio.decoding import ffmpeg_program
from sandbox.voice import speak
from tests.json_lines import lines

ENGLISH = (
    "The library opens at nine in the morning. Please bring back the books that you have read. "
    "Children may take home as many picture books as they like."
)
GERMAN = "Guten Morgen. Das Wetter wird heute sehr schön. Am Abend gehen wir zusammen ins Theater."

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tonspur() -> Run:
    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tonspur", *map(str, arguments)],
            env={**os.environ, "WHISPER_MODEL": "base", **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an English and a German recording."""
    folder = tmp_path_factory.mktemp("spoken")
    speak(ENGLISH, "en", folder / "library.wav")
    speak(GERMAN, "de", folder / "wetter.m4a")
    return folder


@pytest.fixture
def media(spoken: Path, tmp_path: Path) -> Path:
    return shutil.copytree(spoken, tmp_path / "media")


def is_one_clear_line(done: subprocess.CompletedProcess[str]) -> bool:
    said = done.stderr.strip().splitlines()
    return 1 <= len(said) <= 3 and "Traceback" not in done.stderr


def test_help_answers_at_once(tonspur: Run) -> None:
    best = min(_seconds(lambda: tonspur("--help")) for _ in range(3))
    assert best < 1.5  # the contract's half second is measured on a quiet machine
    assert "sync" in tonspur("--help").stdout


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    program = (
        "import sys, tonspur; print([m for m in ('torch','prefect','av') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


def test_files_become_transcripts_beside_them(tonspur: Run, media: Path) -> None:
    done = tonspur("file", media, "--json")
    assert done.returncode == 0, done.stderr
    english, german = lines(done)
    fields = {"video_id", "title", "status", "reason", "transcript", "duration_s", "speech_s"}
    fields |= {"engine_s", "load_s", "language", "model", "device", "document_key"}
    assert set(english) == fields
    assert (english["status"], english["language"]) == ("done", "en")
    assert (german["status"], german["language"]) == ("done", "de")
    assert english["document_key"] is None
    assert "upload skipped" in str(english["reason"])
    text = Path(str(english["transcript"]))
    assert text.parent == media
    assert text.is_absolute()
    said = text.read_text(encoding="utf-8")
    assert "Children may take home" in said
    assert said.startswith("Title: library")
    for extension in (".srt", ".vtt", ".json", ".transcript.json"):
        assert text.with_suffix("").with_name(text.stem + extension).is_file()

    again = tonspur("file", media, "--json")
    assert [line["status"] for line in lines(again)] == ["skipped", "skipped"]
    assert list(media.glob(".~*")) == []


def test_one_bad_file_does_not_stop_the_others(tonspur: Run, media: Path) -> None:
    (media / "broken.mp3").write_text("this is no audio", encoding="utf-8")
    done = tonspur("file", media, "--json", "--no-upload")
    assert done.returncode == 1
    assert sorted(str(line["status"]) for line in lines(done)) == ["done", "done", "failed"]
    assert is_one_clear_line(done)


def make(tmp_path: Path, name: str, *arguments: str) -> Path:
    target = tmp_path / name
    program = [str(ffmpeg_program()), "-v", "error", "-y", *arguments, str(target)]
    subprocess.run(program, check=True)
    return target


def test_what_is_no_sound_gets_one_line_and_leaves_nothing(tonspur: Run, tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    text = folder / "notes.mp3"
    text.write_text("no media", encoding="utf-8")
    empty = folder / "empty.wav"
    empty.touch()
    silent = make(folder, "silent.mp4", "-f", "lavfi", "-i", "color=s=64x64:r=5:d=2")
    before = {file.name for file in folder.iterdir()}
    for file in (text, empty, silent, folder / "gone.wav"):
        done = tonspur("file", file, "--json")
        assert done.returncode == 1
        assert is_one_clear_line(done), done.stderr
        assert [line["status"] for line in lines(done)] == ["failed"]
        assert file.stem in done.stderr
    assert {file.name for file in folder.iterdir()} == before


@pytest.mark.e2e
def test_a_cut_file_is_transcribed_as_far_as_it_goes(tonspur: Run, media: Path) -> None:
    whole = make(media, "talk.m4a", "-i", str(media / "library.wav"), "-movflags", "+faststart")
    content = whole.read_bytes()
    cut = media / "cut.m4a"
    cut.write_bytes(content[: len(content) * 6 // 10])
    done = tonspur("file", cut, "--json")
    assert done.returncode == 0, done.stderr
    [line] = lines(done)
    text = Path(str(line["transcript"])).read_text(encoding="utf-8")
    assert "in the morning" in text
    [sidecar] = [f for f in media.glob("*_cut_*.json") if "transcript" not in f.name]
    assert json.loads(sidecar.read_text(encoding="utf-8"))["steps"]["audio"]["cut"]


def test_silence_is_done_with_an_empty_transcript(tonspur: Run, tmp_path: Path) -> None:
    make(tmp_path, "quiet.wav", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=5")
    done = tonspur("file", tmp_path / "quiet.wav", "--json", "--no-upload")
    [line] = lines(done)
    assert (done.returncode, line["status"]) == (0, "done")
    assert str(line["reason"]).startswith("no speech")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("file", "x.wav"), {"LIBRARY_DIR": __file__}),
        (("file", "x.wav", "--model", "large-v99"), {}),
        (("file", "x.wav", "--preset", "turbo"), {}),
        (("file",), {}),
        (("nonsense",), {}),
        (("upload", "x.txt"), {}),
        (("sync", "@someone"), {"YT_API_KEYS": "k"}),
        (("sync", "@someone", "--since", "yesterday", "--dry-run"), {}),
        (("sync", "@someone", "--latest", "3", "--all", "--dry-run"), {}),
        (("sync", "@someone", "--dry-run"), {}),
        (("video", "dQw4w9WgXcQ"), {}),
        (("video", "-SE7D6ezK4M"), {}),
        (("video", "dQw4w9WgXcQ", "--jsno"), {}),
    ],
)
def test_bad_calls_and_settings_end_with_status_2_and_one_line(
    tonspur: Run, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = tonspur(*arguments, **environment)
    assert done.returncode == 2, done.stderr
    assert is_one_clear_line(done), done.stderr
    assert done.stdout == ""


def test_an_address_that_is_none_fails_without_a_server(tonspur: Run) -> None:
    done = tonspur("video", "https://example.org/watch", "--no-upload", "--json")
    assert done.returncode == 1
    assert [line["status"] for line in lines(done)] == ["failed"]
    assert is_one_clear_line(done)


def test_a_command_that_is_told_to_stop_leaves_no_process(media: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tonspur", "file", str(media)],
        env={**os.environ, "WHISPER_MODEL": "base"},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (family := psutil.Process(running.pid).children(recursive=True)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.terminate()
    _, said = running.communicate(timeout=10)
    assert running.returncode == 1
    assert b"Stopped." in said
    gone, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


def test_keys_are_shown_with_their_budgets_and_never_as_they_are(tonspur: Run) -> None:
    nobody = tonspur("keys")
    assert nobody.returncode == 0
    assert "YT_API_KEYS" in nobody.stderr
    shown = tonspur("keys", YT_API_KEYS="secret-one,secret-two")
    assert shown.returncode == 0
    assert "0 of 10000" in shown.stdout
    assert "secret" not in shown.stdout + shown.stderr
    as_json = tonspur("keys", "--json", YT_API_KEYS="secret-one,secret-two", YT_DAILY_UNITS="0")
    rows = lines(as_json)
    assert [(row["state"], row["units_budget"], row["searches_budget"]) for row in rows] == [
        ("used up", 0, 100)
    ] * 2
    assert len({row["key"] for row in rows}) == 2
