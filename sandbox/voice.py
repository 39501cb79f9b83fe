"""Speech for the sandbox: eSpeak NG says a text, ffmpeg encodes it."""

import ctypes
import os
import re
import secrets
import subprocess
import sys
import threading
import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from engine.audio.decoding import ffmpeg_program
from engine.errors import MissingProgram
from engine.library.atomic import TEMPORARY_PREFIX, replacing

RATE = 22_050
"""Samples per second of eSpeak NG's voices."""
RECIPE = "1"
"""Changes whenever the same text would sound different; part of a recording's fingerprint."""

_VOICES = {"en": ("en-us", 150), "de": ("de", 130)}  # and words per minute
_PAUSE_S, _PARAGRAPH_PAUSE_S = 0.35, 0.8
_RETRIEVAL, _NO_EXIT = 1, 0x8000
_RATE_PARAMETER, _CHARACTER_POSITION, _UTF8 = 1, 1, 1
_PICTURE = ["-f", "lavfi", "-i", "color=c=0x203040:s=320x180:r=5", "-shortest"]
_ENCODERS: dict[str, list[str]] = {
    ".wav": ["-c:a", "pcm_s16le", "-f", "wav"],
    ".m4a": ["-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "ipod"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"],
    ".webm": ["-c:a", "libopus", "-b:a", "48k", "-f", "webm"],
    ".mp4": ["-c:v", "mpeg4", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "mp4"],
}
_one_voice = threading.Lock()  # eSpeak NG keeps its state per process
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def speak(text: str, language: str, path: Path) -> float:
    """Says `text` into the file `path`, whose suffix names the container; returns seconds.

    Known suffixes: .wav .m4a .mp3 .webm (Opus) and .mp4 (with a still picture). The file
    appears at once and whole.

    Raises:
        ValueError: a language without a voice, or an unknown suffix.
        MissingProgram: eSpeak NG or ffmpeg is not installed, or cannot do this.
    """
    if language not in _VOICES:
        raise ValueError(f"no voice for language {language!r}")
    if path.suffix not in _ENCODERS:
        raise ValueError(f"no encoder for {path.suffix!r}")
    samples = say(text, language)
    encode(samples, path)
    return len(samples) / 2 / RATE


def say(text: str, language: str) -> bytes:
    """The spoken text, mono, 16-bit little-endian samples at `RATE`, pauses between sentences."""
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    sound = bytearray(_silence(_PAUSE_S))
    with _one_voice:
        library, heard = _espeak()
        name, pace = _VOICES[language]
        library.espeak_SetVoiceByName(name.encode())
        library.espeak_SetParameter(_RATE_PARAMETER, pace, 0)
        for paragraph in paragraphs:
            for sentence in re.split(r"(?<=[.!?])\s+", " ".join(paragraph.split())):
                sound += _sentence(library, heard, sentence)
                sound += _silence(_PAUSE_S)
            sound += _silence(_PARAGRAPH_PAUSE_S - _PAUSE_S)
    return bytes(sound)


def encode(samples: bytes, path: Path) -> None:
    """Writes samples as `say` gives them into the container that the suffix of `path` names."""
    spoken = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}.wav")
    try:
        with replacing(path, path.suffix) as draft:
            _write_wave(samples, spoken)
            _run_ffmpeg(spoken, draft, path.suffix)
    finally:
        spoken.unlink(missing_ok=True)


def _run_ffmpeg(spoken: Path, draft: Path, suffix: str) -> None:
    command = [str(ffmpeg_program()), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-i", str(spoken), *(_PICTURE if suffix == ".mp4" else [])]
    command += [*_ENCODERS[suffix], str(draft)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise MissingProgram(f"ffmpeg cannot write {suffix}: {said}")


def _write_wave(samples: bytes, path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)


def _silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def _sentence(library: Any, heard: bytearray, sentence: str) -> bytes:
    heard.clear()
    spoken = sentence.encode("utf-8")
    library.espeak_Synth(
        spoken, ctypes.c_size_t(len(spoken) + 1), 0, _CHARACTER_POSITION, 0, _UTF8, None, None
    )
    library.espeak_Synchronize()
    return bytes(heard)


@cache
def _espeak() -> tuple[Any, bytearray]:
    """The library, set up, and the buffer that its samples arrive in."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise MissingProgram(
            "eSpeak NG is not installed; run: pip install tonspur[demo]"
        ) from error
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = _narrow(espeakng_loader.get_data_path())
    # Retrieval runs in this thread: Synth returns when the last sample was handed over.
    if library.espeak_Initialize(_RETRIEVAL + 1, 0, data, _NO_EXIT) != RATE:
        raise MissingProgram(f"eSpeak NG finds no voices in {espeakng_loader.get_data_path()}")
    heard = bytearray()
    _keep.append(_Callback(_listener(heard)))
    library.espeak_SetSynthCallback(_keep[-1])
    return library, heard


_keep: list[Any] = []  # ctypes does not: a collected callback crashes the process


def _listener(heard: bytearray) -> Callable[[Any, int, Any], int]:
    def listen(samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            heard.extend(ctypes.string_at(samples, count * 2))
        return 0

    return listen


def _narrow(path: str) -> bytes:
    # eSpeak NG opens files by narrow names, which on Windows are in the ANSI code page.
    return path.encode("mbcs") if sys.platform == "win32" else os.fsencode(path)
