from pathlib import Path
from typing import Any

import pytest

from engine.youtube import length


def test_a_file_is_as_long_as_its_packets(tmp_path: Path, a_tone: Any) -> None:
    assert length.seconds(a_tone(tmp_path / "a.m4a", 7.5)) == pytest.approx(7.5, abs=0.2)


def test_a_cut_file_is_shorter_than_its_header_claims(tmp_path: Path, a_tone: Any) -> None:
    whole = a_tone(tmp_path / "a.mka", 20, format="matroska")
    content = whole.read_bytes()
    cut = tmp_path / "cut.mka"
    cut.write_bytes(content[: len(content) // 2])
    measured = length.seconds(cut)
    assert measured is not None
    assert 5 < measured < 15


@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", b"\x00" * 999]
)
def test_what_is_no_media_has_no_length(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.m4a"
    file.write_bytes(content)
    assert length.seconds(file) is None


def test_a_missing_file_has_no_length(tmp_path: Path) -> None:
    assert length.seconds(tmp_path / "none.m4a") is None
