import numpy as np
import pytest

from engine.audio.decoding import Decoded, decode
from engine.audio.preparation import prepare
from engine.audio.samples import SAMPLE_RATE, read_samples
from engine.whisper.presets import PRESETS

LOUDNESS_STEP = SAMPLE_RATE // 10
OPPOSITE = "pan=stereo|c0=c0|c1=-1*c0"


def loudness(made: Decoded) -> np.ndarray:
    """Of every tenth of a second, at the common level."""
    samples = read_samples(made.wav, made.gain_db, 0, made.duration_s)
    whole = samples[: len(samples) // LOUDNESS_STEP * LOUDNESS_STEP]
    return np.sqrt(np.square(whole.reshape(-1, LOUDNESS_STEP)).mean(axis=1))


@pytest.fixture
def hear(media, tmp_path):
    """Decode what ffmpeg makes of the arguments."""

    def hear(name: str, *arguments: str) -> Decoded:
        return decode(media(name, *arguments), tmp_path / f"{name}.wav")

    return hear


@pytest.fixture
def spoken(voice, hear):
    """How closely the voice, sent through ffmpeg like this, follows the original: 1 is the best."""
    original = hear("original.wav", "-i", str(voice))

    def spoken(name: str, *arguments: str) -> float:
        one, other = loudness(original), loudness(hear(name, "-i", str(voice), *arguments))
        shared = min(len(one), len(other))
        assert abs(len(one) - len(other)) <= 1
        return float(np.corrcoef(one[:shared], other[:shared])[0, 1])

    return spoken


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.mp3", ()),
        ("a.mp4", ("-f", "lavfi", "-i", "testsrc=s=64x64:r=5", "-shortest")),
        ("a.webm", ("-c:a", "libopus")),
        ("a.m4a", ("-c:a", "aac")),
        ("a.opus", ("-c:a", "libopus")),
        ("a.wav", ()),
        ("a.flac", ()),
        ("a.mkv", ("-c:a", "ac3", "-ar", "48000")),
        ("a.mka", ("-c:a", "libvorbis")),
        ("a.aiff", ()),
    ],
)
def test_a_voice_is_the_same_in_every_container(name, arguments, spoken):
    assert spoken(name, *arguments) > 0.98


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000, 192000])
def test_a_voice_is_the_same_at_every_sample_rate(rate, spoken):
    assert spoken("a.wav", "-ar", str(rate)) > 0.98


@pytest.mark.parametrize("form", ["u8", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw"])
def test_a_voice_is_the_same_in_every_form_of_sample(form, spoken):
    assert spoken("a.wav", "-c:a", f"pcm_{form}") > 0.98


def test_floats_beyond_full_scale_are_clipped_and_not_wrapped(spoken):
    assert spoken("a.wav", "-af", "volume=14dB", "-c:a", "pcm_f32le") > 0.9


@pytest.mark.parametrize("name", ["a.flac", "a.m4a", "a.mp3"])
def test_a_voice_in_opposite_phase_is_heard(name, spoken):
    assert spoken(name, "-af", OPPOSITE) > 0.98


def test_a_voice_that_is_nearly_in_opposite_phase_is_not_left_to_the_noise(spoken, hear, voice):
    nearly = ("-af", "pan=stereo|c0=c0|c1=-0.9*c0")
    assert spoken("a.flac", *nearly) > 0.98
    assert hear("b.flac", "-i", str(voice), *nearly).gain_db < 10


def test_a_stretch_in_opposite_phase_is_as_loud_as_the_rest(hear):
    turned = "pan=stereo|c0=c0|c1=c0,aeval=val(0)|val(1)*(1-2*between(t\\,10\\,14)):c=same"
    made = hear("a.flac", "-f", "lavfi", "-i", "sine=d=40", "-af", turned)
    heard = loudness(made)
    assert heard[105:135].mean() == pytest.approx(heard[200:300].mean(), rel=0.1)


def test_what_is_in_the_middle_of_plain_stereo_is_mixed_at_its_full_level(hear):
    mono = hear("a.flac", "-f", "lavfi", "-i", "sine=d=5")
    middle = hear("b.flac", "-f", "lavfi", "-i", "sine=d=5", "-af", "pan=stereo|c0=c0|c1=c0")
    assert middle.loudness_lufs == pytest.approx(mono.loudness_lufs, abs=0.2)


@pytest.mark.parametrize("silent", ["c0=c0|c1=0*c0", "c0=0*c0|c1=c0"])
def test_a_voice_beside_a_silent_channel_is_heard(silent, spoken):
    assert spoken("a.flac", "-af", f"pan=stereo|{silent}") > 0.98


@pytest.mark.parametrize(
    "place",
    ["5.1|FC=c0", "5.1|BL=c0", "5.1|LFE=c0", "5.1(side)|SL=c0|SR=-1*c0", "7.1|FC=c0", "3c|c2=c0"],
)
def test_a_voice_in_any_channel_of_surround_is_heard(place, spoken):
    assert spoken("a.wav", "-af", f"pan={place}") > 0.98


def test_as_many_tracks_as_a_mixing_desk_records_are_all_heard(spoken):
    assert spoken("a.wav", "-af", "pan=16c|c15=c0") > 0.98


def test_surround_as_films_have_it_keeps_the_voice_above_the_music(hear, voice, media, tmp_path):
    music = "aevalsrc='0.1*sin(1382*t)*sin(3*t)|0.1*sin(2073*t)*sin(2*t)':c=stereo"
    mixed = "[0][1]amerge=inputs=2,pan=5.1|FC=c0|FL=c1|FR=c2"
    sources = ("-i", str(voice), "-f", "lavfi", "-i", music, "-filter_complex", mixed)
    film = media("a.mka", *sources, "-c:a", "ac3", "-ar", "48000")
    alone, among = (
        prepare(path, tmp_path / path.stem, PRESETS["stabil"]) for path in (voice, film)
    )
    assert among.speech_s == pytest.approx(alone.speech_s, rel=0.2)


@pytest.mark.parametrize("name", ["a.mka", "a.webm", "a.ogg", "a.m4a", "a.ts", "a.flv"])
def test_time_starts_with_the_first_sound_whatever_the_clock_of_the_file_says(name, hear):
    codec = {"a.m4a": "aac", "a.ts": "mp2", "a.flv": "aac"}.get(name, "libopus")
    tone = ("-f", "lavfi", "-i", "sine=d=4:r=48000", "-c:a", codec)
    made = hear(name, *tone, "-output_ts_offset", "10")
    assert made.duration_s == pytest.approx(4, abs=0.1)
    assert made.cut is None


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts"])
def test_time_starts_with_the_pictures_where_sound_comes_later(name, hear):
    pictures = ("-f", "lavfi", "-i", "testsrc=d=8:s=64x64:r=10")
    late = ("-itsoffset", "3", "-f", "lavfi", "-i", "sine=d=4:r=48000")
    made = hear(name, *pictures, *late, "-c:a", "aac", "-c:v", "mpeg4")
    first = float(np.argmax(loudness(made) > 0.01)) / 10
    assert first == pytest.approx(3, abs=0.15)
    assert made.duration_s == pytest.approx(7, abs=0.15)
    assert made.cut is None


@pytest.mark.parametrize("tremble_s", [0.005, 0.015])
def test_trembling_timestamps_neither_tear_nor_stretch_the_voice(tremble_s, spoken):
    trembling = ("-af", f"asetpts=PTS+random(0)*{tremble_s}/TB", "-c:a", "libopus")
    assert spoken("a.mka", *trembling) > 0.98


def test_single_packets_that_are_missing_do_not_add_up(hear):
    # Opus packets of 20 ms; one in ten is dropped.
    holes = ("-f", "lavfi", "-i", "sine=d=60:r=48000", "-c:a", "libopus")
    made = hear("a.mka", *holes, "-bsf:a", "noise=drop='not(mod(n,10))*gt(n,0)'")
    assert made.duration_s == pytest.approx(60, abs=0.15)
