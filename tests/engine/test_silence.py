"""Where nobody speaks nothing is written: whole ways from a file, and the decoder by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.audio.preparation import PreparedAudio, prepare
from engine.audio.windows import LONGEST_WINDOW_S, Span, Window
from engine.whisper.presets import PRESETS
from engine.whisper.transcriber import Transcriber

OPTIMIERT = PRESETS["optimiert"]
SHORT_S, LONG_S = 60, 600

_CHORD = "sin(2*PI*262*t)+sin(2*PI*330*t)+sin(2*PI*392*t)"
_SCALE = "sin(2*PI*262*pow(2,mod(floor(t*2)*7,12)/12)*t)"
SOUNDS = {
    "silence": "anullsrc=r=44100:cl=stereo",
    "faint_hiss": "anoisesrc=c=white:a=0.0002:seed=1:r=44100",
    "pink_noise": "anoisesrc=c=pink:a=0.5:seed=1:r=44100",
    "white_noise": "anoisesrc=c=white:a=0.5:seed=1:r=44100",
    "sweep_by_octaves": "aevalsrc=0.5*sin(2*PI*20*{T}/log(400)*(pow(400\\,t/{T})-1)):s=44100",
    "even_sweep": "aevalsrc=0.5*sin(2*PI*(20*t+3990/{T}*t*t)):s=44100",
    "hum_of_50_hz": (
        "aevalsrc=0.3*sin(2*PI*50*t)+0.1*sin(2*PI*100*t)+0.05*sin(2*PI*150*t):s=44100"
    ),
    "chord_and_beat": (
        f"aevalsrc='0.15*({_CHORD})*(0.6+0.4*exp(-4*mod(t,0.5)))"
        "+0.5*sin(2*PI*70*t)*exp(-30*mod(t,0.5))':s=44100"
    ),
    "tune_and_drums": (
        f"aevalsrc='0.3*{_SCALE}*exp(-3*mod(t,0.5))+0.1*({_CHORD})"
        "+0.2*(random(0)*2-1)*exp(-40*mod(t,0.25))':s=44100"
    ),
}
"""Sources of ffmpeg; `{T}` is the length in seconds, sweeps go from 20 Hz to 8 kHz in it."""
TEN_MINUTES = ("silence", "pink_noise", "sweep_by_octaves", "even_sweep")

Prepared = Callable[[str, int], PreparedAudio]
Texts = list[str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Callable[..., Path]) -> Prepared:
    """A sound of that name and so many seconds, prepared as any recording is."""
    folder = tmp_path_factory.mktemp("sounds")
    made: dict[tuple[str, int], PreparedAudio] = {}

    def make(name: str, seconds: int) -> PreparedAudio:
        if (name, seconds) not in made:
            source = SOUNDS[name].replace("{T}", str(seconds))
            wav = folder / f"{name}_{seconds}.wav"
            ffmpeg("-f", "lavfi", "-i", source, "-t", str(seconds), wav)
            made[name, seconds] = prepare(wav, folder / f"{name}_{seconds}", OPTIMIERT)
        return made[name, seconds]

    return make


def heard_everywhere(audio: PreparedAudio) -> PreparedAudio:
    """The same as if somebody spoke all the time: the detector of speech is passed by."""
    starts = range(0, int(audio.duration_s), int(LONGEST_WINDOW_S))
    windows = (
        Window(start_s=start, end_s=min(start + LONGEST_WINDOW_S, audio.duration_s))
        for start in starts
    )
    speech = (Span(0.0, audio.duration_s),)
    return audio.model_copy(
        update={"windows": tuple(windows), "speech": speech, "speech_s": audio.duration_s}
    )


def texts(transcriber: Transcriber, audio: PreparedAudio, language: str) -> Texts:
    result = transcriber.transcribe(audio, preset=OPTIMIERT, language=language, model=None)
    return [segment.text for segment in result.segments]


@pytest.mark.parametrize("name", SOUNDS)
def test_where_nobody_speaks_there_is_no_text(
    name: str, prepared: Prepared, base_transcriber: Transcriber
) -> None:
    audio = prepared(name, SHORT_S)
    assert audio.duration_s == pytest.approx(SHORT_S, abs=0.1)
    assert texts(base_transcriber, audio, "auto") == []


@pytest.mark.e2e
@pytest.mark.parametrize("name", TEN_MINUTES)
def test_ten_minutes_in_which_nobody_speaks_have_no_text(
    name: str, prepared: Prepared, base_transcriber: Transcriber
) -> None:
    audio = prepared(name, LONG_S)
    assert audio.duration_s == pytest.approx(LONG_S, abs=0.1)
    assert texts(base_transcriber, audio, "auto") == []


QUICK = ("silence", "white_noise")
BY_HAND = [pytest.param(name, "en") for name in QUICK]
BY_HAND += [pytest.param(name, "en", marks=pytest.mark.e2e) for name in SOUNDS if name not in QUICK]
BY_HAND += [pytest.param(name, "de", marks=pytest.mark.e2e) for name in SOUNDS]


@pytest.mark.parametrize(("name", "language"), BY_HAND)
def test_the_decoder_by_itself_writes_nothing_where_nobody_speaks(
    name: str, language: str, prepared: Prepared, base_transcriber: Transcriber
) -> None:
    audio = heard_everywhere(prepared(name, SHORT_S))
    assert len(audio.windows) == 2
    assert texts(base_transcriber, audio, language) == []
