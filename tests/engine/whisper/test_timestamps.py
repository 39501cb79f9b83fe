"""Segments begin and end where somebody begins and ends to speak."""

import json
import statistics
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.audio.preparation import prepare
from engine.settings import load
from engine.transcript import Segment
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.presets import PRESETS
from engine.whisper.transcriber import Transcriber
from sandbox.voice import speak

AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
OPTIMIERT = PRESETS["optimiert"]
SENTENCES = (
    "The harbour was quiet that morning.",
    "Three fishing boats had come back before sunrise.",
    "Nobody in the village expected a storm.",
    "The old man carried his chair to the end of the pier.",
    "He waited there until it was dark.",
)
PAUSES_S = (0.6, 0.9, 1.7, 3.5)
Bounds = list[tuple[float, float]]


@pytest.fixture(scope="module")
def transcriber(shared_state: Path, base: Checkpoint) -> Transcriber:
    return Transcriber(load(state_dir=shared_state, whisper_device="cpu"))


def heard(transcriber: Transcriber, media: Path, folder: Path) -> tuple[Segment, ...]:
    prepared = prepare(media, folder, OPTIMIERT)
    result = transcriber.transcribe(prepared, preset=OPTIMIERT, language="auto", model=None)
    assert all(a.end <= b.start for a, b in pairwise(result.segments))
    assert all(0 <= s.start < s.end <= prepared.duration_s for s in result.segments)
    return result.segments


def errors(utterances: Bounds, segments: Sequence[Segment]) -> list[float]:
    """How far the next bound of a segment lies from each side of a pause of 0.5 s or more."""
    found = []
    for (_, end), (start, _) in pairwise(utterances):
        if start - end >= 0.5:
            found.append(min(abs(segment.end - end) for segment in segments))
            found.append(min(abs(segment.start - start) for segment in segments))
    return found


def spoken(folder: Path) -> tuple[Path, Bounds]:
    """Sentences with silence between them, and where each really is."""
    parts: list[np.ndarray] = [np.zeros(0, np.int16)]
    bounds: Bounds = []
    rate = samples = 0
    for sentence, pause_s in zip(SENTENCES, (*PAUSES_S, 1.0), strict=True):
        speak(sentence, "en", folder / "sentence.wav")
        with wave.open(str(folder / "sentence.wav")) as file:
            rate = file.getframerate()
            sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        loud = np.flatnonzero(np.abs(sound) > 300)
        sound = sound[loud[0] : loud[-1] + 1]
        bounds.append((samples / rate, (samples + len(sound)) / rate))
        parts += [sound, np.zeros(int(pause_s * rate), np.int16)]
        samples += len(parts[-1]) + len(sound)
    with wave.open(str(folder / "talk.wav"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.concatenate(parts).tobytes())
    return folder / "talk.wav", bounds


def test_segments_of_spoken_sentences_have_their_bounds(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    media, bounds = spoken(tmp_path)
    found = errors(bounds, heard(transcriber, media, tmp_path / "prepared"))
    assert len(found) == 2 * len(PAUSES_S)
    assert statistics.median(found) <= 0.2
    assert max(found) <= 0.5


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["talk_en", "talk_de"])
def test_segments_of_real_talks_have_the_bounds_of_utterances(
    name: str, transcriber: Transcriber, tmp_path: Path
) -> None:
    if not (AUDIO / f"{name}.json").is_file():
        pytest.skip("the recordings are not here")
    about = json.loads((AUDIO / f"{name}.json").read_text(encoding="utf-8"))
    bounds = [(u["start"], u["end"]) for u in about["utterances"]]
    found = errors(bounds, heard(transcriber, AUDIO / about["file"], tmp_path / "prepared"))
    assert statistics.median(found) <= 0.2
    assert sum(error <= 0.5 for error in found) >= 0.9 * len(found)
