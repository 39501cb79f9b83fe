import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.audio.samples import SAMPLE_RATE, locate, read_blocks, read_samples
from engine.errors import NotMedia


def written(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setparams((channels, 2, rate, 0, "NONE", ""))
        out.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    return written(tmp_path / "ramp.wav", np.arange(10_000))


def test_a_stretch_holds_its_samples_at_full_scale_one(ramp):
    found = read_samples(ramp, 0, 0.1, 0.2)
    assert found.dtype == np.float32
    assert np.allclose(found, np.arange(1600, 3200) / 32768)


def test_the_gain_is_applied_and_never_leaves_full_scale(ramp):
    assert np.allclose(read_samples(ramp, 6.0206, 0, 0.1), np.arange(1600) / 16384, atol=1e-6)
    assert read_samples(ramp, 60, 0, 1).max() == 1.0


def test_outside_the_file_there_are_no_samples(ramp):
    assert len(read_samples(ramp, 0, -5, 0.1)) == 1600
    assert len(read_samples(ramp, 0, 0.6, 99)) == 400
    assert len(read_samples(ramp, 0, 5, 9)) == 0
    assert len(read_samples(ramp, 0, 0.2, 0.1)) == 0


def test_blocks_are_all_samples_in_order(ramp):
    blocks = list(read_blocks(ramp, 0, block=4096))
    assert [len(block) for block in blocks] == [4096, 4096, 1808]
    assert np.allclose(np.concatenate(blocks), np.arange(10_000) / 32768)


def test_a_file_beyond_four_gigabytes_is_measured_by_its_size(ramp):
    content = bytearray(ramp.read_bytes())
    content[:8] = b"RF64\xff\xff\xff\xff"
    content[40:44] = b"\xff\xff\xff\xff"
    ramp.write_bytes(content)
    assert locate(ramp).samples == 10_000


def test_chunks_before_the_samples_are_passed_over(ramp):
    content = ramp.read_bytes()
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    ramp.write_bytes(content[:36] + odd + content[36:])
    assert np.allclose(read_samples(ramp, 0, 0, 1), np.arange(10_000) / 32768)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" * 20, b"RIFF\0\0\0\0WAVE"])
def test_another_file_is_refused(content, tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(NotMedia):
        locate(tmp_path / "a.wav")


def test_another_form_of_wav_is_refused(tmp_path: Path):
    for rate, channels in ((44_100, 1), (SAMPLE_RATE, 2)):
        with pytest.raises(NotMedia, match="16 kHz mono"):
            locate(written(tmp_path / "a.wav", np.zeros(100), rate, channels))
    short = b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0abcd"
    (tmp_path / "b.wav").write_bytes(short)
    with pytest.raises(NotMedia):
        locate(tmp_path / "b.wav")
