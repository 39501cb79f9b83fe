"""What is sent to the engine is bounded, and refused with a sentence."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.audio.preparation import PreparedAudio
from tests.engine.whisper.service.conftest import Running, Start

TRANSCRIPTIONS = "/v1/audio/transcriptions"


@pytest.fixture(scope="module")
def small(start_engine: Start) -> Running:
    """Takes two megabytes."""
    return start_engine(ENGINE_MAX_UPLOAD_MB="2")


def test_too_large_a_file_is_refused_with_a_sentence(small: Running) -> None:
    answer = small.http.post(
        TRANSCRIPTIONS, files={"file": bytes(4_000_000)}, data={"model": "whisper-1"}
    )
    assert answer.status_code == 413
    assert "2 MB of ENGINE_MAX_UPLOAD_MB" in answer.json()["error"]["message"]
    assert not list(small.settings.uploads_dir.glob("*"))


def test_a_body_without_a_length_is_counted(small: Running) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        for _ in range(8):
            yield bytes(1_000_000)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = small.http.post(TRANSCRIPTIONS, content=chunks(), headers=kind)
    assert answer.status_code == 413


def test_who_asks_first_is_told_before_sending(small: Running) -> None:
    """As curl does it: `Expect: 100-continue`."""
    import socket

    host, port = small.url.removeprefix("http://").split(":")
    head = (
        f"POST {TRANSCRIPTIONS} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        f"Authorization: {small.http.headers['Authorization']}\r\n"
        "Content-Length: 9000000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=5) as link:
        link.sendall(head.encode())
        assert link.recv(100).startswith(b"HTTP/1.1 413")


def test_a_length_that_is_no_number_is_refused(small: Running) -> None:
    with pytest.raises(httpx.HTTPError):
        answer = small.http.post(TRANSCRIPTIONS, headers={"Content-Length": "many"}, content=b"")
        answer.raise_for_status()


@pytest.mark.e2e
def test_200_megabytes_are_taken(running: Running, talk: PreparedAudio, tmp_path: Path) -> None:
    """The talk, and then silence; 16-bit stereo at 48 kHz."""
    import subprocess

    from engine.audio.decoding import ffmpeg_program

    large = tmp_path / "large.wav"
    argv = [str(ffmpeg_program()), "-loglevel", "error", "-i", str(talk.wav)]
    argv += ["-af", "apad=whole_dur=1100", "-ac", "2", "-ar", "48000", str(large)]
    subprocess.run(argv, check=True)
    assert large.stat().st_size > 200_000_000
    with large.open("rb") as file:
        answer = running.http.post(
            TRANSCRIPTIONS, files={"file": file}, data={"model": "whisper-1", "language": "en"}
        )
    assert answer.status_code == 200, answer.text
    assert "fishing boats" in answer.json()["text"]
    assert not list(running.settings.uploads_dir.glob("*"))
