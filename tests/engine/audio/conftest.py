"""Media made at test time, and recordings of real speech where the checkout has them."""

import ctypes
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path

import espeakng_loader
import pytest

from engine.audio.decoding import ffmpeg_program

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "audio"
Make = Callable[..., Path]


@pytest.fixture
def media(tmp_path: Path) -> Make:
    """Runs ffmpeg with the given arguments and returns the file that it wrote."""

    def make(name: str, *arguments: str) -> Path:
        target = tmp_path / name
        argv = [str(ffmpeg_program()), "-loglevel", "error", "-nostdin", "-y", *arguments]
        subprocess.run([*argv, str(target)], check=True, timeout=60)
        return target

    return make


@pytest.fixture
def tone(media: Make) -> Make:
    """A 440 Hz tone of so many seconds, in the form that the name's ending tells."""

    def make(name: str, seconds: float = 5, *arguments: str) -> Path:
        return media(name, "-f", "lavfi", "-i", f"sine=d={seconds}", *arguments)

    return make


@pytest.fixture
def recording() -> Callable[[str], Path]:
    """A recording of real speech; skips where the checkout has none."""

    def find(name: str) -> Path:
        path = RECORDINGS / name
        if not path.is_file():
            pytest.skip(f"no recordings of real speech in {RECORDINGS}")
        return path

    return find


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three spoken sentences with 4 s of silence before the last, as WAV at eSpeak's own rate."""
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    spoken = bytearray()
    callback_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
    )

    @callback_type
    def hear(samples, count, _events):
        if samples and count:
            spoken.extend(ctypes.string_at(samples, count * 2))
        return 0

    rate = library.espeak_Initialize(2, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    library.espeak_SetSynthCallback(hear)
    library.espeak_SetVoiceByName(b"en-us")
    pauses = (0.5, 0.5, 4.0)
    sentences = (
        "The harbour was quiet when the first boat came in.",
        "Nobody on the pier had expected it before noon.",
        "Then somebody rang the bell and everyone went home.",
    )
    for pause, sentence in zip(pauses, sentences, strict=True):
        spoken.extend(bytes(int(pause * rate) * 2))
        text = sentence.encode() + b"\0"
        library.espeak_Synth(text, len(text), 0, 1, 0, 1, None, None)
        library.espeak_Synchronize()
    library.espeak_Terminate()
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(bytes(spoken))
    return path
