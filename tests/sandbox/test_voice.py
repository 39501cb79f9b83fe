import io
import sys
import wave
from pathlib import Path

import av
import pytest

from sandbox import espeak, voice

TEXT = "Warm the pot with hot water first. Then pour fresh water over the leaves."


def seconds_and_streams(path: Path) -> tuple[float, list[str]]:
    with av.open(str(path)) as opened:
        return (opened.duration or 0) / 1e6, [stream.type for stream in opened.streams]


def test_speech_is_mono_at_the_rate_of_the_voice(folder: Path) -> None:
    said = voice.speak(TEXT, "en", folder / "tea.wav")
    with wave.open(str(folder / "tea.wav")) as opened:
        assert (opened.getnchannels(), opened.getframerate()) == (1, voice.RATE)
        assert opened.getnframes() / voice.RATE == pytest.approx(said, abs=0.01)
    assert 4 < said < 9


@pytest.mark.parametrize("suffix", [".m4a", ".mp3", ".webm", ".mp4"])
def test_every_container_holds_the_whole_speech(folder: Path, suffix: str) -> None:
    path = folder / f"tea{suffix}"
    said = voice.speak(TEXT, "en", path)
    seconds, streams = seconds_and_streams(path)
    assert seconds == pytest.approx(said, abs=0.3)
    assert "audio" in streams
    assert ("video" in streams) == (suffix == ".mp4")
    assert list(folder.iterdir()) == [path]


def test_the_same_text_sounds_the_same_every_time() -> None:
    assert voice.say(TEXT, "en") == voice.say(TEXT, "en") != voice.say(TEXT, "de")


def test_a_paragraph_is_followed_by_a_longer_pause() -> None:
    one, two = (
        voice.say("Good morning. Sit down.", "en"),
        voice.say("Good morning.\n\nSit down.", "en"),
    )
    assert 0.3 < (len(two) - len(one)) / 2 / voice.RATE < 0.6


@pytest.mark.parametrize(("language", "name"), [("xx", "a.wav"), ("en", "a.xyz")])
def test_what_cannot_be_said_or_written_is_refused(folder: Path, language: str, name: str) -> None:
    with pytest.raises(ValueError, match="no (voice|encoder) for"):
        voice.speak(TEXT, language, folder / name)
    assert not list(folder.iterdir())


def test_an_ffmpeg_that_fails_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(voice._ENCODERS, ".mp3", ["-c:a", "no_such_encoder", "-f", "mp3"])
    with pytest.raises(voice.MissingProgram, match="no_such_encoder"):
        voice.speak(TEXT, "en", folder / "tea.mp3")
    assert not list(folder.iterdir())


def test_a_voice_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(voice._VOICES, "en", ("no-such-voice", 150))
    with pytest.raises(voice.MissingProgram, match="no-such-voice"):
        voice.say(TEXT, "en")


def test_a_missing_espeak_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "espeakng_loader.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with pytest.raises(voice.MissingProgram, match="pip install"):
        voice.say(TEXT, "en")


class Standard:
    """A standard stream of a process."""

    def __init__(self, content: bytes = b"") -> None:
        self.buffer = io.BytesIO(content)


def test_the_voice_program_says_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Standard()
    monkeypatch.setattr(sys, "stdin", Standard(b"Good morning.\n\nSit down."))
    monkeypatch.setattr(sys, "stdout", heard)
    assert espeak.main("en-us", "150") == 0
    # in this process it is not the first text that was said, so a few samples may differ
    said = voice.say("Good morning.\n\nSit down.", "en")
    assert abs(len(heard.buffer.getvalue()) - len(said)) < voice.RATE // 10


def test_the_voice_program_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert espeak.main("no-such-voice", "150") == espeak.NO_VOICES
    monkeypatch.setattr(espeak, "RATE", 1)
    assert espeak.main("en-us", "150") == espeak.NO_VOICES
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    assert espeak.main("en-us", "150") == espeak.NOT_INSTALLED
