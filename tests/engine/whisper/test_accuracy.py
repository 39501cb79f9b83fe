"""Accuracy on real speech, and on speech made here where that is missing."""

import json
import wave
from pathlib import Path

import jiwer
import numpy as np
import pytest
from transformers.models.whisper.english_normalizer import (
    BasicTextNormalizer,
    EnglishTextNormalizer,
)

from engine.audio.preparation import PreparedAudio, prepare
from engine.audio.samples import read_samples
from engine.settings import load
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.presets import PRESETS
from engine.whisper.transcriber import Transcriber

AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
OPTIMIERT = PRESETS["optimiert"]


@pytest.fixture(scope="module")
def transcriber(shared_state: Path, base: Checkpoint) -> Transcriber:
    return Transcriber(load(state_dir=shared_state, whisper_device="cpu"))


def word_errors(reference: str, hypothesis: str, language: str) -> float:
    """In percent, after Whisper's own normalisers."""
    normal = EnglishTextNormalizer({}) if language == "en" else BasicTextNormalizer()
    return 100 * jiwer.wer(normal(reference), normal(hypothesis))


def test_synthetic_speech_is_understood(transcriber: Transcriber, talk: PreparedAudio) -> None:
    result = transcriber.transcribe(talk, preset=OPTIMIERT, language="auto", model=None)
    reference = (
        "The harbour was quiet that morning. Three fishing boats had come back before sunrise. "
        "Nobody in the village expected a storm before the end of the week."
    )
    heard = " ".join(segment.text for segment in result.segments)
    assert word_errors(reference, heard, "en") <= 15.0


@pytest.mark.e2e
@pytest.mark.parametrize(("name", "worst"), [("talk_en", 10.0), ("talk_de", 21.0)])
def test_real_talks_are_understood(
    name: str, worst: float, transcriber: Transcriber, tmp_path: Path
) -> None:
    described = AUDIO / f"{name}.json"
    if not described.is_file():
        pytest.skip("the recordings are not here")
    about = json.loads(described.read_text(encoding="utf-8"))
    reference = " ".join(utterance["text"] for utterance in about["utterances"])
    prepared = prepare(AUDIO / about["file"], tmp_path / "prepared", OPTIMIERT)
    result = transcriber.transcribe(prepared, preset=OPTIMIERT, language="auto", model=None)
    heard = " ".join(segment.text for segment in result.segments)
    assert result.language == about["language"]
    assert word_errors(reference, heard, about["language"]) <= worst


@pytest.mark.e2e
@pytest.mark.parametrize("gaps", [True, False], ids=["talk", "gapless"])
@pytest.mark.parametrize("name", ["talk_en", "talk_de"])
def test_no_preset_hears_worse_than_the_default(
    name: str, gaps: bool, transcriber: Transcriber, tmp_path: Path
) -> None:
    if not (AUDIO / f"{name}.json").is_file():
        pytest.skip("the recordings are not here")
    about = json.loads((AUDIO / f"{name}.json").read_text(encoding="utf-8"))
    media = AUDIO / about["file"]
    if not gaps:
        media = without_gaps(media, about["utterances"], tmp_path)
    rates = {}
    for preset in PRESETS.values():
        prepared = prepare(media, tmp_path / "prepared", preset)
        result = transcriber.transcribe(prepared, preset=preset, language="auto", model=None)
        heard = " ".join(segment.text for segment in result.segments)
        rates[preset.name] = word_errors(about["reference"], heard, about["language"])
    assert max(rates.values()) <= rates["optimiert"] + 1.0


def without_gaps(media: Path, utterances: list[dict[str, float]], folder: Path) -> Path:
    """The utterances of a talk one right after the other."""
    whole = prepare(media, folder / "whole", OPTIMIERT)
    parts = [read_samples(whole.wav, 0.0, u["start"], u["end"]) for u in utterances]
    sound = (np.concatenate(parts) * 32767).astype(np.int16)
    with wave.open(str(folder / "gapless.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(sound.tobytes())
    return folder / "gapless.wav"


def test_languages_of_short_clips_are_heard(transcriber: Transcriber, tmp_path: Path) -> None:
    listed = AUDIO / "clips.json"
    if not listed.is_file():
        pytest.skip("the recordings are not here")
    heard, spoken = {}, {}
    for clip in json.loads(listed.read_text(encoding="utf-8"))[::2]:
        prepared = prepare(AUDIO / clip["file"], tmp_path / clip["file"], OPTIMIERT)
        result = transcriber.transcribe(prepared, preset=OPTIMIERT, language="auto", model=None)
        heard[clip["file"]], spoken[clip["file"]] = result.language, clip["language"]
    assert heard == spoken
