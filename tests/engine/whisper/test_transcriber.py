from itertools import pairwise
from pathlib import Path

import pytest
import torch

from engine.audio.decoding import Aborted
from engine.audio.preparation import PreparedAudio
from engine.audio.windows import Window
from engine.errors import BadSettings, UnknownModel
from engine.settings import Settings, load
from engine.transcript import Segment
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.model import best_compute
from engine.whisper.presets import PRESETS
from engine.whisper.transcriber import Transcriber

STABIL = PRESETS["stabil"]


@pytest.fixture(scope="module")
def transcriber(shared_state: Path, base: Checkpoint) -> Transcriber:
    return Transcriber(load(state_dir=shared_state, whisper_device="cpu"))


def words(segments: tuple[Segment, ...] | list[Segment]) -> str:
    return " ".join(segment.text for segment in segments)


def test_speech_becomes_ordered_segments(transcriber: Transcriber, talk: PreparedAudio) -> None:
    told: list[Segment] = []
    steps: list[tuple[float, float]] = []
    result = transcriber.transcribe(
        talk,
        preset=STABIL,
        language="auto",
        model=None,
        progress=lambda done_s, total_s: steps.append((done_s, total_s)),
        segment=told.append,
    )
    assert (result.language, result.model, result.preset) == ("en", "base", "stabil")
    assert (result.device, result.note) == ("cpu", None)
    assert "fishing boats" in words(result.segments)
    assert words(told) == words(result.segments)
    assert all(a.end <= b.start for a, b in pairwise(result.segments))
    assert result.segments[-1].end <= talk.duration_s
    assert steps[0] == (0.0, talk.speech_s)
    assert steps[-1] == (talk.speech_s, talk.speech_s)
    assert steps == sorted(steps)
    assert result.engine_s > 0
    assert set(result.versions) == {"torch", "transformers"}


def test_words_are_told_where_they_are_wanted(
    transcriber: Transcriber, shared_state: Path, talk: PreparedAudio
) -> None:
    wanted = load(state_dir=shared_state, whisper_device="cpu", whisper_word_timestamps=True)
    result = Transcriber(wanted).transcribe(talk, preset=STABIL, language="en", model=None)
    for segment in result.segments:
        assert segment.words
        assert "".join(word.text for word in segment.words).split() == segment.text.split()
        assert segment.start <= segment.words[0].start
        assert segment.words[-1].end <= segment.end
    plain = transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    assert all(segment.words is None for segment in plain.segments)


@pytest.mark.parametrize(
    ("compute", "name"), [("float32", "float32"), ("bfloat16", "bfloat16"), ("auto", None)]
)
def test_it_computes_in_what_is_asked_for(
    compute: str, name: str | None, shared_state: Path, talk: PreparedAudio
) -> None:
    settings = load(state_dir=shared_state, whisper_device="cpu", whisper_compute=compute)
    result = Transcriber(settings).transcribe(talk, preset=STABIL, language="en", model=None)
    assert result.dtype == (name or best_compute(torch.device("cpu")))
    assert "fishing boats" in words(result.segments)


def test_what_the_device_cannot_compute_in_is_refused(
    shared_state: Path, talk: PreparedAudio
) -> None:
    settings = load(state_dir=shared_state, whisper_device="cpu", whisper_compute="float16")
    with pytest.raises(BadSettings, match="WHISPER_COMPUTE: float16 is not for cpu"):
        Transcriber(settings).transcribe(talk, preset=STABIL, language="en", model=None)


def test_beams_write_speech_too(shared_state: Path, talk: PreparedAudio) -> None:
    settings = load(state_dir=shared_state, whisper_device="cpu", whisper_beams=3)
    result = Transcriber(settings).transcribe(talk, preset=STABIL, language="en", model=None)
    assert "fishing boats" in words(result.segments)


def test_the_model_is_loaded_once(transcriber: Transcriber, talk: PreparedAudio) -> None:
    transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    again = transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    assert again.load_s < 0.05


def test_windows_that_overlap_are_joined(transcriber: Transcriber, talk: PreparedAudio) -> None:
    middle = talk.duration_s / 2
    windows = (
        Window(start_s=0.0, end_s=middle + 1.5),
        Window(start_s=middle - 1.5, end_s=talk.duration_s, joins_previous=True),
    )
    cut = talk.model_copy(update={"windows": windows})
    result = transcriber.transcribe(cut, preset=STABIL, language="en", model=None)
    whole = transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    heard, expected = words(result.segments).split(), words(whole.segments).split()
    assert abs(len(heard) - len(expected)) <= 2


def test_without_speech_nothing_is_loaded(settings: Settings, silent_talk: PreparedAudio) -> None:
    transcriber = Transcriber(settings)
    result = transcriber.transcribe(silent_talk, preset=STABIL, language="auto", model="large-v2")
    assert result.segments == ()
    assert (result.language, result.model, result.load_s) == (None, "large-v2", 0.0)
    asked = transcriber.transcribe(silent_talk, preset=STABIL, language="de", model=None)
    assert (asked.language, asked.model) == ("de", "base")


def test_a_missing_gpu_is_said(shared_state: Path, silent_talk: PreparedAudio) -> None:
    settings = load(state_dir=shared_state, whisper_device="cuda")
    result = Transcriber(settings).transcribe(silent_talk, preset=STABIL, language="en", model=None)
    if result.device == "cpu":
        assert result.note == "There is no CUDA device: the CPU was used."


def test_the_model_of_the_settings_is_the_default(
    shared_state: Path, silent_talk: PreparedAudio
) -> None:
    settings = load(state_dir=shared_state, whisper_model="medium")
    result = Transcriber(settings).transcribe(silent_talk, preset=STABIL, language="en", model=None)
    assert result.model == "medium"


def test_nonsense_is_refused_even_without_speech(
    settings: Settings, silent_talk: PreparedAudio
) -> None:
    with pytest.raises(UnknownModel):
        Transcriber(settings).transcribe(
            silent_talk, preset=STABIL, language="en", model="nonsense"
        )


def test_a_language_nobody_speaks_is_refused(transcriber: Transcriber, talk: PreparedAudio) -> None:
    transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    with pytest.raises(BadSettings, match="WHISPER_LANGUAGE"):
        transcriber.transcribe(talk, preset=STABIL, language="xx", model=None)


def test_another_model_takes_the_place_of_the_first(
    transcriber: Transcriber, talk: PreparedAudio, english_folder: Path, base: Checkpoint
) -> None:
    first = transcriber.transcribe(talk, preset=STABIL, language="en", model="base")
    with pytest.raises(BadSettings, match=r"tiny\.en knows English alone"):
        transcriber.transcribe(talk, preset=STABIL, language="de", model=str(english_folder))
    result = transcriber.transcribe(talk, preset=STABIL, language="en", model=str(base.folder))
    assert (first.model, result.model) == ("base", base.folder.name)
    assert words(result.segments) == words(first.segments)


def test_an_abort_stops_it(transcriber: Transcriber, talk: PreparedAudio) -> None:
    with pytest.raises(Aborted):
        transcriber.transcribe(talk, preset=STABIL, language="auto", model=None, abort=lambda: True)


def test_the_default_asked_for_by_its_name_is_not_loaded_again(
    transcriber: Transcriber, talk: PreparedAudio
) -> None:
    transcriber.transcribe(talk, preset=STABIL, language="en", model=None)
    loads: list[str] = []
    for model in ("base", None):
        transcriber.transcribe(
            talk,
            preset=STABIL,
            language="en",
            model=model,
            loaded=lambda model: loads.append(model.name),
        )
    assert loads == []
