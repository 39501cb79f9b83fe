import json
import shutil
from pathlib import Path

import pytest

from engine.audio.decoding import Aborted
from engine.audio.preparation import load_prepared, prepare
from engine.audio.samples import read_samples
from engine.errors import NotMedia
from engine.whisper.presets import PRESETS

OPTIMIERT = PRESETS["optimiert"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_spoken_sentences_are_prepared_at_every_preset(voice, folder, preset):
    made = prepare(voice, folder, preset)
    assert len(made.windows) == 2
    assert made.windows[1].start_s - made.windows[0].end_s > 2
    assert 5 < made.speech_s < made.duration_s
    assert made.cut is None
    assert len(read_samples(made.wav, made.gain_db, 0, 1)) == 16_000


def test_a_real_talk_is_prepared(recording, folder):
    made = prepare(recording("jfk.flac"), folder, OPTIMIERT)
    assert len(made.windows) == 1
    assert made.windows[0].duration_s > 9


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("talk", ["talk_de", "talk_en"])
def test_every_utterance_of_a_real_talk_is_in_a_window(talk, preset, recording, folder):
    windows = prepare(recording(f"{talk}.flac"), folder, preset).windows
    told = json.loads(recording(f"{talk}.json").read_text(encoding="utf-8"))
    for utterance in told["utterances"]:
        start, end = utterance["start"], utterance["end"]
        heard = sum(max(0, min(w.end_s, end) - max(w.start_s, start)) for w in windows)
        assert heard > end - start - 0.8  # breath and room tone at the edges of a cutting


def test_what_was_prepared_is_loaded_again(voice, folder):
    made = prepare(voice, folder, OPTIMIERT)
    assert load_prepared(folder) == made
    assert sorted(path.name for path in folder.iterdir()) == ["audio.wav", "prepared.json"]


def test_the_folder_may_be_moved(voice, folder, tmp_path: Path):
    made = prepare(voice, folder, OPTIMIERT)
    moved = folder.rename(tmp_path / "elsewhere")
    assert load_prepared(moved) == made.model_copy(update={"wav": moved / "audio.wav"})


def test_preparing_twice_gives_the_same(voice, folder):
    first, second = (prepare(voice, folder, OPTIMIERT) for _ in range(2))
    assert second == first.model_copy(update={"engine_s": second.engine_s})


def test_nothing_prepared_loads_as_none(tmp_path: Path):
    assert load_prepared(tmp_path) is None


@pytest.mark.parametrize("damage", ["wav gone", "wav short", "wav wrong", "json short"])
def test_damaged_preparation_loads_as_none(damage, voice, folder):
    made = prepare(voice, folder, OPTIMIERT)
    description = folder / "prepared.json"
    if damage == "wav gone":
        made.wav.unlink()
    elif damage == "wav short":
        made.wav.write_bytes(made.wav.read_bytes()[:-1000])
    elif damage == "wav wrong":
        shutil.copy(description, made.wav)
    else:
        description.write_bytes(description.read_bytes()[:-20])
    assert load_prepared(folder) is None


def test_leftovers_of_a_killed_run_are_removed(voice, folder):
    folder.mkdir()
    (folder / ".~0badf00d.wav").write_bytes(b"half")
    prepare(voice, folder, OPTIMIERT)
    assert not list(folder.glob(".~*"))


def test_a_run_that_fails_leaves_no_description(voice, folder, tmp_path: Path):
    prepare(voice, folder, OPTIMIERT)
    with pytest.raises(NotMedia):
        prepare(tmp_path / "nothing.mp3", folder, OPTIMIERT)
    assert load_prepared(folder) is None


def test_sound_without_speech_has_no_window(tone, folder):
    made = prepare(tone("a.flac", 5), folder, OPTIMIERT)
    assert made.windows == ()
    assert made.speech_s == 0


def test_abort_ends_the_preparation(voice, folder):
    with pytest.raises(Aborted):
        prepare(voice, folder, OPTIMIERT, abort=(folder / "audio.wav").exists)
    with pytest.raises(Aborted):
        prepare(voice, folder, OPTIMIERT, abort=lambda: True)
    assert load_prepared(folder) is None
