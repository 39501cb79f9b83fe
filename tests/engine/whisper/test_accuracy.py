"""Accuracy on real speech, and on speech made here where that is missing."""

import json
from pathlib import Path

import jiwer
import pytest
from transformers.models.whisper.english_normalizer import (
    BasicTextNormalizer,
    EnglishTextNormalizer,
)

from engine.audio.preparation import PreparedAudio, prepare
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
