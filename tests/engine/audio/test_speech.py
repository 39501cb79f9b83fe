from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.audio import speech
from engine.audio.decoding import decode
from engine.audio.samples import SAMPLE_RATE, read_samples
from engine.audio.speech import find_speech, speech_probabilities
from engine.errors import MissingProgram


def silero_itself(samples: np.ndarray) -> np.ndarray:
    place = Path(next(iter(find_spec("silero_vad").submodule_search_locations)))
    model = torch.jit.load(place / "data" / "silero_vad.jit")
    frames = torch.from_numpy(samples[: len(samples) // 512 * 512]).reshape(-1, 1, 512)
    with torch.inference_mode():
        return np.array([model(frame, SAMPLE_RATE).item() for frame in frames])


def together(parts) -> np.ndarray:
    return np.concatenate(list(parts))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def spoken(voice, tmp_path) -> np.ndarray:
    made = decode(voice, tmp_path / "audio.wav")
    return read_samples(made.wav, made.gain_db, 0, made.duration_s)


def test_the_vectorised_pass_equals_silero_frame_by_frame(spoken):
    minute = np.resize(spoken, 60 * SAMPLE_RATE)
    expected = silero_itself(minute)
    found = together(speech_probabilities([minute]))
    assert len(found) == len(expected)
    assert np.abs(found - expected).max() < 1e-4


def test_the_vectorised_pass_equals_silero_on_real_speech(recording, tmp_path):
    made = decode(recording("talk_en.flac"), tmp_path / "audio.wav")
    minute = read_samples(made.wav, made.gain_db, 0, 60)
    found = together(speech_probabilities([minute]))
    assert np.abs(found - silero_itself(minute)).max() < 1e-4


@pytest.mark.parametrize("size", [100, 511, 512, 4096, 70_001])
def test_blocks_of_any_size_give_the_same_probabilities(size, spoken, monkeypatch):
    monkeypatch.setattr(speech, "_BLOCK_FRAMES", 64)
    blocks = [spoken[i : i + size] for i in range(0, len(spoken), size)]
    assert np.allclose(
        together(speech_probabilities(blocks)), silent_end(spoken), atol=1e-4
    )  # jit rounds anew


def silent_end(samples: np.ndarray) -> np.ndarray:
    return silero_itself(np.pad(samples, (0, -len(samples) % 512)))


def test_speech_is_found_where_somebody_speaks(spoken):
    spans = find_speech([spoken], len(spoken))
    pauses = [b.start_s - a.end_s for a, b in zip(spans, spans[1:], strict=False)]
    assert max(pauses) > 3.5
    assert 0.3 < spans[0].start_s < 0.8
    assert spans[-1].end_s <= len(spoken) / SAMPLE_RATE
    assert sum(span.end_s - span.start_s for span in spans) > 5


def test_silence_and_no_samples_hold_no_speech():
    assert find_speech([np.zeros(80_000, np.float32)], 80_000) == []
    assert find_speech([], 0) == []
    assert find_speech([np.zeros(0, np.float32)], 0) == []


def test_noise_is_no_speech():
    noise = np.random.default_rng(1).normal(0, 0.05, 320_000).astype(np.float32)
    assert find_speech([noise], len(noise)) == []


def test_the_number_of_torch_threads_is_left_as_it_was(spoken):
    torch.set_num_threads(2)
    find_speech([spoken], len(spoken))
    assert torch.get_num_threads() == 2


def test_abort_ends_the_search(spoken):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_speech([spoken], len(spoken), abort=stop)


def test_missing_weights_are_a_fault_of_the_installation(monkeypatch):
    speech._detector.cache_clear()
    monkeypatch.setattr(speech, "find_spec", lambda name: None)
    with pytest.raises(MissingProgram):
        list(speech_probabilities([np.zeros(512, np.float32)]))
