"""The real weights, converted once, and speech made at test time."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from engine.audio.preparation import PreparedAudio, prepare
from engine.audio.samples import Samples, read_samples
from engine.settings import Settings, load
from engine.whisper import packaged
from engine.whisper.checkpoints import Checkpoint, resolve
from engine.whisper.model import Model
from engine.whisper.model import load as load_model
from engine.whisper.presets import PRESETS, Preset
from engine.whisper.vocabulary import tokenizer_of_words
from sandbox.voice import speak

ENGLISH = (
    "The harbour was quiet that morning. Three fishing boats had come back before sunrise. "
    "Nobody in the village expected a storm before the end of the week."
)
AUDIO = Path(__file__).resolve().parents[3].parent / "shared" / "audio"
STABIL: Preset = PRESETS["stabil"]


@pytest.fixture(scope="session", autouse=True)
def two_threads() -> None:
    """As on the smallest machine that this must work on."""
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def shared_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def real_settings(shared_state: Path) -> Settings:
    """Settings whose state folder holds the converted checkpoint."""
    return load(state_dir=shared_state, whisper_device="cpu")


@pytest.fixture(scope="session")
def base(shared_state: Path) -> Checkpoint:
    if packaged.find("base") is None:
        pytest.skip("the weights of the extra `demo` are not installed")
    return resolve("base", load(state_dir=shared_state), "cpu")


@pytest.fixture(scope="session")
def model(base: Checkpoint) -> Model:
    return load_model(base, torch.device("cpu"))


@pytest.fixture(scope="session")
def exact_model(base: Checkpoint) -> Model:
    """In float32, for comparison with transformers."""
    return load_model(base, torch.device("cpu"), "float32")


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> PreparedAudio:
    """A short English talk, prepared."""
    folder = tmp_path_factory.mktemp("talk")
    speak(ENGLISH, "en", folder / "talk.wav")
    return prepare(folder / "talk.wav", folder / "prepared", STABIL)


@pytest.fixture(scope="session")
def speech(talk: PreparedAudio) -> Samples:
    """The talk's samples."""
    return read_samples(talk.wav, talk.gain_db, 0.0, talk.duration_s)


@pytest.fixture(scope="session")
def silent_talk(talk: PreparedAudio) -> PreparedAudio:
    """The same, as if nobody spoke."""
    return talk.model_copy(update={"windows": (), "speech_s": 0.0})


@pytest.fixture(scope="session")
def english_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny English-only checkpoint of random weights, in transformers' form."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny.en"
    return tiny_checkpoint(folder, 51_864)


def tiny_checkpoint(folder: Path, tokens: int) -> Path:
    """A Whisper of one layer with random weights."""
    sizes = {"encoder_layers": 1, "decoder_layers": 1, "d_model": 64}
    heads = {"encoder_attention_heads": 1, "decoder_attention_heads": 1}
    wide = {"encoder_ffn_dim": 128, "decoder_ffn_dim": 128}
    torch.manual_seed(0)
    config = WhisperConfig(vocab_size=tokens, **sizes, **heads, **wide)
    WhisperForConditionalGeneration(config).save_pretrained(folder)
    tokenizer_of_words([f"word{i}" for i in range(tokens)]).save(str(folder / "tokenizer.json"))
    return folder


def noise(seconds: float, loudness: float) -> Samples:
    """White noise."""
    drawn = np.random.default_rng(0).normal(0.0, loudness, round(seconds * 16_000))
    return drawn.astype(np.float32)
