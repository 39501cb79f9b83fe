import shutil
from pathlib import Path

import pytest

from engine.library.shelf import Library
from engine.library.sidecar import Sidecar
from engine.settings import Settings, load
from engine.steps import marks
from engine.steps.audio import audio
from engine.steps.local_way import placed
from engine.steps.transcript import transcript
from engine.whisper import packaged
from engine.whisper.client import ALONE, Engine
from sandbox.voice import speak


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    if packaged.find("base") is None:
        pytest.skip("the weights of the extra `demo` are not installed")
    speak("The library opens at nine in the morning.", "en", tmp_path / "talk.wav")
    return tmp_path / "talk.wav"


@pytest.mark.e2e
def test_prepared_sound_that_was_tidied_away_is_made_again(spoken: Path) -> None:
    settings = load(whisper_model="base", whisper_device="cpu")
    library, said = Library(settings), list[str]()
    entry = placed(library, spoken)
    with Engine(settings, said.append) as engine:
        audio(library, entry, settings, engine)
        shutil.rmtree(marks.prepared_folder(library.read(entry), settings))
        transcript(library, entry, settings, engine)
    assert "library opens" in entry.transcript.read_text(encoding="utf-8")
    assert said == [ALONE], "without an engine the run says so, once"


def test_two_videos_with_the_same_sound_do_not_share_what_is_prepared(
    spoken: Path, settings: Settings
) -> None:
    library = Library(settings)
    first = library.read(placed(library, spoken))
    other = first.video.model_copy(update={"video_id": "another-one"})
    second = Sidecar(video=other, steps=first.steps)
    assert marks.of_audio(first, settings) == marks.of_audio(second, settings)
    folders = {marks.prepared_folder(sidecar, settings) for sidecar in (first, second)}
    assert len(folders) == 2
