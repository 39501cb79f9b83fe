"""Dragged-in recordings are worked off in their order, and a bad one does not stop the others."""

import time
from pathlib import Path

from console.recordings import Recording, Recordings
from engine.library.shelf import Library
from sandbox.voice import speak
from tasks.job import Job

TEXT = "The library opens at nine in the morning. Please bring back the books that you have read."


def ended(recording: Recording) -> Recording:
    deadline = time.monotonic() + 120
    while recording.outcome is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return recording


def test_a_bad_file_fails_and_the_next_is_heard_segment_by_segment(
    library: Library, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.mp3", tmp_path / "good.mp3"
    bad.write_bytes(b"no sound at all")
    speak(TEXT, "en", good)
    queue, job = Recordings(), Job(model="base")
    queue.add(bad, job, upload=False)
    queue.add(good, job, upload=False)
    queue.add(good, job, upload=False)
    assert [one.file for one in queue.every] == [bad, good], "what waits is not queued twice"
    failed, heard = map(ended, queue.every)
    assert failed.outcome is not None and failed.outcome.status == "failed"
    assert heard.outcome is not None and heard.outcome.status == "done"
    assert "library" in " ".join(segment.text for segment in heard.latest)
    assert heard.done_s == heard.total_s > 0
    assert heard.speed and heard.left_s == 0
    queue.forget_ended()
    assert queue.every == []
