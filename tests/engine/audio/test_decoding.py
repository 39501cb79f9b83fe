import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest

from engine.audio import conversion, decoding
from engine.audio.decoding import Aborted, decode, ffmpeg_program, read_samples
from engine.audio.samples import SAMPLE_RATE, locate
from engine.errors import DiskFull, EngineDied, MissingProgram, NotMedia

STEREO = "[0][1]join=inputs=2:channel_layout=stereo"


def loudness(wav: Path, gain_db: float = 0.0) -> float:
    """Root mean square in dBFS."""
    samples = read_samples(wav, gain_db, 0, 1e9)
    return 20 * float(np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))


def first_sound(wav: Path) -> float:
    """When the first sample above -40 dBFS comes, in seconds."""
    return float(np.argmax(np.abs(read_samples(wav, 0, 0, 1e9)) > 0.01)) / SAMPLE_RATE


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "work" / "audio.wav"


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.ogg", "a.flac", "a.wav", "a.mkv", "a.aac"])
def test_every_usual_form_becomes_16_khz_mono(name, tone, target):
    made = decode(tone(name, 5, "-ac", "2"), target)
    assert made.wav == target
    assert made.duration_s == pytest.approx(5, abs=0.1)
    assert locate(target).samples == round(made.duration_s * SAMPLE_RATE)
    assert made.cut is None


def test_nothing_but_the_target_is_left(tone, target):
    decode(tone("a.mp3"), target)
    assert [path.name for path in target.parent.iterdir()] == ["audio.wav"]


def test_names_with_special_characters_are_only_names(tone, target):
    for name in ("a b'c\"d$(x);e&f.mp3", "%d [1] ü-日本.mp3", "-i.mp3", "a:b,c=d\\e.mp3"):
        assert decode(tone(name, 1), target).duration_s == pytest.approx(1, abs=0.1)


def test_quiet_speech_is_raised_to_the_common_level(tone, target):
    made = decode(tone("a.flac", 5, "-af", "volume=-24dB"), target)
    assert made.loudness_lufs + made.gain_db == pytest.approx(-16, abs=0.1)
    assert loudness(target, made.gain_db) == pytest.approx(loudness(target) + made.gain_db, abs=0.1)


def test_loud_sound_is_lowered(tone, target):
    made = decode(tone("a.flac", 5, "-af", "volume=17dB"), target)
    assert made.gain_db < -5
    assert made.loudness_lufs + made.gain_db == pytest.approx(-16, abs=0.1)


def test_a_single_peak_limits_the_gain(media, target):
    quiet_with_click = "aevalsrc='0.01*sin(2764*t)+between(t,2,2.01)*0.8':d=5"
    made = decode(media("a.flac", "-f", "lavfi", "-i", quiet_with_click), target)
    assert np.abs(read_samples(target, made.gain_db, 0, 5)).max() == pytest.approx(0.891, abs=0.01)


def test_silence_is_not_raised(media, target):
    made = decode(media("a.flac", "-f", "lavfi", "-i", "anullsrc=d=3"), target)
    assert (made.gain_db, made.loudness_lufs, made.peak_dbfs) == (0, None, None)
    assert made.duration_s == pytest.approx(3)


def test_a_silent_channel_does_not_hurt(media, target):
    half = ("-f", "lavfi", "-i", "sine=d=4", "-f", "lavfi", "-i", "anullsrc=d=4:cl=mono")
    made = decode(media("a.flac", *half, "-filter_complex", STEREO), target)
    assert made.loudness_lufs + made.gain_db == pytest.approx(-16, abs=0.1)


def test_a_full_scale_surround_mix_does_not_clip(media, target):
    loud = "aevalsrc=" + "|".join(["sin(2764*t)"] * 6) + ":d=3:c=5.1"
    made = decode(media("a.m4a", "-f", "lavfi", "-i", loud), target)
    assert made.peak_dbfs <= 0
    assert np.mean(np.abs(read_samples(target, 0, 1, 2)) > 0.999) < 0.05


def test_only_the_chosen_one_of_several_tracks_is_heard(media, target):
    two = ("-f", "lavfi", "-i", "sine=d=2", "-f", "lavfi", "-i", "sine=d=6:f=800")
    made = decode(media("a.mkv", *two, "-map", "0", "-map", "1"), target)
    assert made.duration_s == pytest.approx(2, abs=0.1)


def test_sound_that_starts_late_keeps_the_times_of_the_pictures(media, target):
    pictures = ("-f", "lavfi", "-i", "testsrc=d=8:s=64x64")
    late = media("a.mp4", *pictures, "-itsoffset", "3", "-f", "lavfi", "-i", "sine=d=4")
    made = decode(late, target)
    assert made.duration_s == pytest.approx(7, abs=0.1)
    assert first_sound(target) == pytest.approx(3, abs=0.1)
    assert made.cut is None


def test_a_gap_in_the_packets_is_filled_with_silence(media, target):
    gap = ("-f", "lavfi", "-i", "sine=d=6", "-af", "asetpts=PTS+gt(T\\,3)*20/TB")
    made = decode(media("a.mka", *gap, "-c:a", "libopus"), target)
    assert made.duration_s == pytest.approx(26, abs=0.2)
    assert np.abs(read_samples(target, 0, 5, 22)).max() < 0.01
    assert np.abs(read_samples(target, 0, 24, 25)).max() > 0.05


def test_an_absurd_gap_is_not_filled(media, target):
    gap = ("-f", "lavfi", "-i", "sine=d=6", "-af", "asetpts=PTS+gt(T\\,3)*90000/TB")
    made = decode(media("a.mka", *gap, "-c:a", "libopus"), target)
    assert made.duration_s == pytest.approx(6, abs=0.2)
    assert made.cut


@pytest.mark.parametrize(
    ("name", "codec", "copies"),
    [("a.webm", "libopus", 2), ("a.ogg", "libopus", 3), ("a.ts", "mp2", 3)],
)
def test_files_joined_end_to_end_lose_nothing(name, codec, copies, tone, target):
    one = tone(name, 4, "-c:a", codec)
    joined = one.with_stem("joined")
    joined.write_bytes(one.read_bytes() * copies)
    assert decode(joined, target).duration_s == pytest.approx(4 * copies, abs=0.2)


def test_a_change_of_form_midway_loses_nothing(tone, target):
    mono, stereo = tone("a.ts", 4, "-c:a", "mp2"), tone("b.ts", 4, "-c:a", "mp2", "-ac", "2")
    joined = mono.with_name("joined.ts")
    joined.write_bytes(mono.read_bytes() + stereo.read_bytes() + mono.read_bytes())
    made = decode(joined, target)
    assert made.duration_s == pytest.approx(12, abs=0.2)
    assert made.loudness_lufs == pytest.approx(-21.7, abs=1)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.mp3", ()),
        ("a.flac", ()),
        ("a.wav", ()),
        ("a.ogg", ()),
        ("a.m4a", ("-movflags", "+faststart")),
        ("a.webm", ("-c:a", "libopus")),
        ("a.avi", ("-c:a", "mp2")),
    ],
)
def test_a_truncated_file_gives_what_is_there_and_says_so(name, arguments, tone, target):
    whole = tone(name, 20, *arguments)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    made = decode(whole, target)
    assert 3 < made.duration_s < 19.9
    assert made.cut
    assert made.cut.endswith(".")


def test_a_hole_in_a_file_is_reported_and_keeps_the_times(tone, target):
    whole = tone("a.m4a", 20)
    content = bytearray(whole.read_bytes())
    content[60_000:90_000] = bytes(30_000)
    whole.write_bytes(content)
    made = decode(whole, target)
    assert made.duration_s == pytest.approx(20, abs=1)
    assert "damaged" in made.cut


def test_a_live_recording_that_was_cut_is_reported(tone, target):
    live = tone("a.webm", 20, "-c:a", "libopus", "-live", "1")
    assert decode(live, target).cut is None
    live.write_bytes(live.read_bytes()[:-40_001])
    assert decode(live, target).cut


def test_a_wav_that_a_pipe_wrote_is_not_cut(tone, target):
    piped = tone("a.wav", 3)
    content = bytearray(piped.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"
    piped.write_bytes(content)
    assert decode(piped, target).cut is None


@pytest.mark.parametrize("noise", [Random(1).randbytes(100_000), bytes(2_000_000)])
def test_a_file_of_noise_is_no_media_and_leaves_nothing(noise, tmp_path: Path, target):
    (tmp_path / "a.mp3").write_bytes(noise)
    with pytest.raises(NotMedia, match=r"a\.mp3"):
        decode(tmp_path / "a.mp3", target)
    assert not target.exists()


def test_a_track_of_which_nothing_decodes_is_no_media(tone, target):
    hollow = tone("a.m4a", 3, "-movflags", "+faststart")
    content = hollow.read_bytes()
    start = content.index(b"mdat") + 4
    hollow.write_bytes(content[:start] + bytes(len(content) - start))
    with pytest.raises(NotMedia, match="can be decoded"):
        decode(hollow, target)
    assert list(target.parent.iterdir()) == []


def test_abort_ends_ffmpeg_and_leaves_nothing(tone, target):
    long = tone("a.flac", 600)
    with pytest.raises(Aborted):
        decode(long, target, abort=lambda: True)
    assert list(target.parent.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_an_ffmpeg_ended_from_outside_is_worth_another_try(tone, target, monkeypatch):
    source = tone("a.flac", 300)
    started = subprocess.Popen

    def ended(argv, **options):
        process = started(argv, **options)
        process.send_signal(signal.SIGKILL)
        return process

    monkeypatch.setattr(decoding.subprocess, "Popen", ended)
    with pytest.raises(EngineDied, match="signal 9"):
        decode(source, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named(tone, target, monkeypatch):
    usual = decoding.command
    monkeypatch.setattr(
        decoding, "command", lambda source, _, *rest: usual(source, Path("/dev/full"), *rest)
    )
    with pytest.raises(DiskFull):
        decode(tone("a.flac", 60), target)


def test_endless_sound_is_cut_and_said(tone, target, monkeypatch):
    monkeypatch.setattr(conversion, "LONGEST_S", 5)
    monkeypatch.setattr(decoding, "LONGEST_S", 5)
    made = decode(tone("a.flac", 9), target)
    assert made.duration_s == 5
    assert made.cut.startswith("Only the first")


def test_the_ffmpeg_on_path_goes_first(tmp_path: Path, monkeypatch):
    own = tmp_path / ("ffmpeg.exe" if os.name == "nt" else "ffmpeg")
    own.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg_program() == own
    own.unlink()
    assert ffmpeg_program().is_file()


def test_no_ffmpeg_at_all_is_a_fault_of_the_installation(tmp_path: Path, monkeypatch):
    def none() -> str:
        raise RuntimeError

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(conversion.imageio_ffmpeg, "get_ffmpeg_exe", none)
    with pytest.raises(MissingProgram):
        ffmpeg_program()


def test_decoding_needs_neither_torch_nor_much_time_to_import():
    code = "import sys, engine.audio.preparation; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    argv = [sys.executable, "-c", code]
    assert subprocess.run(argv, cwd=root, timeout=60, check=False).returncode == 0


def test_two_decodings_at_a_time_do_not_meet(tone, target):
    source = tone("a.mp3", 20)
    runs = [threading.Thread(target=decode, args=(source, target)) for _ in range(3)]
    started = time.monotonic()
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert time.monotonic() - started < 30
    assert locate(target).duration_s == pytest.approx(20, abs=0.1)
