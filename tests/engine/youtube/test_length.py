from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.youtube import length


def sound(path: Path) -> float:
    found = length.measured(path)
    assert found is not None
    return found.sound_s


def test_a_file_is_as_long_as_its_packets(tmp_path: Path, a_tone: Any) -> None:
    assert sound(a_tone(tmp_path / "a.m4a", 7.5)) == pytest.approx(7.5, abs=0.2)


def test_a_cut_file_is_shorter_than_its_header_claims(tmp_path: Path, a_tone: Any) -> None:
    whole = a_tone(tmp_path / "a.mka", 20, format="matroska")
    content = whole.read_bytes()
    cut = tmp_path / "cut.mka"
    cut.write_bytes(content[: len(content) // 2])
    assert 5 < sound(cut) < 15


def test_damaged_packets_are_counted_as_lost(tmp_path: Path, a_tone: Any) -> None:
    whole = a_tone(tmp_path / "a.m4a", 20)
    found = length.measured(whole)
    assert found is not None
    assert found.lost_s < 0.2
    content = bytearray(whole.read_bytes())
    with av.open(str(whole)) as media:
        packets = [packet for packet in media.demux() if packet.pos is not None]
        for packet in packets[len(packets) // 2 :]:
            content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    whole.write_bytes(bytes(content))
    damaged = length.measured(whole)
    assert damaged is not None
    assert damaged.sound_s == pytest.approx(found.sound_s, abs=1)
    assert damaged.lost_s > 5


@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", b"\x00" * 999]
)
def test_what_is_no_media_has_no_length(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.m4a"
    file.write_bytes(content)
    assert length.measured(file) is None


def test_a_missing_file_has_no_length(tmp_path: Path) -> None:
    assert length.measured(tmp_path / "none.m4a") is None


def test_a_picture_may_outlast_the_sound(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    with av.open(str(file), "w") as media:
        picture = media.add_stream("mpeg4", rate=1)
        picture.width = picture.height = 32
        tone = media.add_stream("aac", rate=16000)
        tone.layout = "mono"
        for number in range(9):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = number
            media.mux(picture.encode(frame))
        media.mux(picture.encode(None))
        for start in range(0, 16000 * 4, 1024):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            block.sample_rate, block.pts = 16000, start
            media.mux(tone.encode(block))
        media.mux(tone.encode(None))
    found = length.measured(file)
    assert found is not None
    assert found.sound_s == pytest.approx(4, abs=0.2)
    assert found.whole_s == pytest.approx(9, abs=0.2)
    assert [found.agrees(s, 2) for s in (None, 4.0, 9.0, 6.5, 12.0)] == [
        True,
        True,
        True,
        False,
        False,
    ]
