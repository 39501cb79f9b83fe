"""Speech for the sandbox: eSpeak NG says a text, ffmpeg encodes it."""

import re
import secrets
import subprocess
import sys
import wave
from pathlib import Path

from engine.audio.decoding import ffmpeg_program
from engine.errors import MissingProgram
from engine.library.atomic import TEMPORARY_PREFIX, replacing
from sandbox import espeak

RATE = espeak.RATE
"""Samples per second."""
RECIPE = "2"
"""Changes whenever the same text would sound different; part of a recording's fingerprint."""

_VOICES = {"en": ("en-us", 150), "de": ("de", 130)}  # and words per minute
_PICTURE = ["-f", "lavfi", "-i", "color=c=0x203040:s=320x180:r=5"]
_ENCODERS: dict[str, list[str]] = {
    ".wav": ["-c:a", "pcm_s16le", "-f", "wav"],
    ".m4a": ["-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "ipod"],
    ".mp3": ["-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"],
    ".webm": ["-c:a", "libopus", "-b:a", "48k", "-f", "webm"],
    ".mp4": ["-c:v", "mpeg4", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", "-f", "mp4"],
}
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console
_LONGEST_S = 120.0


def speak(text: str, language: str, path: Path) -> float:
    """Says `text` into the file `path`, whose suffix names the container; returns seconds.

    Known suffixes: .wav .m4a .mp3 .webm (Opus) and .mp4 (with a still picture). The file
    appears at once and whole. The same text gives the same samples every time.

    Raises:
        ValueError: a language without a voice, or an unknown suffix.
        MissingProgram: eSpeak NG or ffmpeg is not installed, or cannot do this.
    """
    if path.suffix not in _ENCODERS:
        raise ValueError(f"no encoder for {path.suffix!r}")
    samples = say(text, language)
    encode(samples, path)
    return len(samples) / 2 / RATE


def say(text: str, language: str) -> bytes:
    """The spoken text, mono, 16-bit little-endian samples at `RATE`, pauses between sentences.

    Raises:
        ValueError: a language without a voice.
        MissingProgram: eSpeak NG is not installed, or finds no voices.
    """
    if language not in _VOICES:
        raise ValueError(f"no voice for language {language!r}")
    voice, pace = _VOICES[language]
    command = [sys.executable, "-P", espeak.__file__, voice, str(pace)]
    done = subprocess.run(  # noqa: S603
        command,
        input=_one_sentence_a_line(text).encode("utf-8"),
        capture_output=True,
        timeout=_LONGEST_S,
        creationflags=_NO_WINDOW,
    )
    if done.returncode == espeak.NOT_INSTALLED:
        raise MissingProgram("eSpeak NG is not installed; run: pip install tonspur[demo]")
    if done.returncode:
        raise MissingProgram(f"eSpeak NG finds no voice {voice}, or died ({done.returncode}).")
    return done.stdout


def encode(samples: bytes, path: Path) -> None:
    """Writes samples as `say` gives them into the container that the suffix of `path` names.

    Raises:
        MissingProgram: there is no ffmpeg, or it lacks the encoder.
    """
    spoken = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}.wav")
    try:
        with replacing(path, path.suffix) as draft:
            _write_wave(samples, spoken)
            _run_ffmpeg(spoken, draft, path.suffix, len(samples) / 2 / RATE)
    finally:
        spoken.unlink(missing_ok=True)


def _one_sentence_a_line(text: str) -> str:
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(re.sub(r"(?<=[.!?]) ", "\n", part) for part in paragraphs)


def _run_ffmpeg(spoken: Path, draft: Path, suffix: str, seconds: float) -> None:
    command = [str(ffmpeg_program()), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-i", str(spoken), *(_PICTURE if suffix == ".mp4" else [])]
    command += ["-t", f"{seconds:.3f}", *_ENCODERS[suffix], str(draft)]  # the picture is endless
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, stdin=subprocess.DEVNULL, creationflags=_NO_WINDOW
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise MissingProgram(f"ffmpeg cannot write {suffix}: {said}")


def _write_wave(samples: bytes, path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)
