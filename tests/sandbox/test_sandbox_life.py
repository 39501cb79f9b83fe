import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest

from engine.errors import EngineDied
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.demo_channel import DEMO_CHANNEL, demo_spec
from sandbox.life import environment_of

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., Sandbox]


def gone(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def upload(running: Sandbox, name: str = "a.txt") -> httpx.Response:
    odin = running.spec.odin
    return httpx.post(
        f"{running.url}/v3/project/knowledge/add/file",
        headers={"X-API-KEY": odin.key, "X-API-SECRET": odin.secret},
        data={"project_id": odin.project_ids[0], "metadata": "{}"},
        files={"file": (name, b"words")},
    )


def test_the_environment_names_every_setting_and_points_here(sandbox: Sandbox) -> None:
    values = sandbox.environment()
    assert set(values) == {
        "YT_API_ENDPOINT",
        "YT_FEED_URL",
        "YT_WATCH_URL",
        "YT_API_KEYS",
        "ODIN_BASE_URL",
        "ODIN_API_KEY",
        "ODIN_API_SECRET",
        "ODIN_PROJECT_ID",
    }
    assert values["YT_WATCH_URL"] == f"{sandbox.url}/watch/{{id}}"
    assert values["YT_API_KEYS"] == "rich,poor"


def test_the_truth_is_what_is_spoken(sandbox: Sandbox) -> None:
    assert sandbox.truth("uF_C5ANi1Hk").startswith("Here is some quick advice")
    assert sandbox.language("OowJFXS_-5Y") == "de"
    assert sandbox.handle == "@tonspur-demo"
    assert sandbox.channel_address == "https://www.youtube.com/@tonspur-demo"
    assert len(sandbox.videos) == 14
    with pytest.raises(KeyError):
        sandbox.truth("AAAAAAAAAAA")


def test_the_demo_lasts_less_than_five_minutes(start: Start) -> None:
    running = start()
    query = {"part": "contentDetails", "id": ",".join(video.id for video in running.videos)}
    headers = {"X-Goog-Api-Key": running.environment()["YT_API_KEYS"]}
    answer = httpx.get(f"{running.url}/youtube/v3/videos", params=query, headers=headers)
    lengths = [item["contentDetails"]["duration"] for item in answer.json()["items"]]
    seconds = [int(length.removeprefix("PT").removesuffix("S")) for length in lengths]
    assert 180 < sum(seconds) < 300
    assert all(seconds)


def test_state_outlives_the_process(start: Start) -> None:
    first = start("kept")
    assert upload(first).status_code == 200
    first.fault(route="/feeds/*", status=500, times=None)
    first.stop()
    again = start("kept")
    assert sum(again.counts().documents.values()) == 1
    assert again.counts().uploads == 1
    assert upload(again).json()["document_key"].endswith("_2")
    assert httpx.get(again.environment()["YT_FEED_URL"]).status_code == 500


def test_what_was_acknowledged_survives_a_kill(start: Start) -> None:
    first = start("killed")
    key = upload(first).json()["document_key"]
    psutil.Process(first.pid).kill()
    again = start("killed")
    odin = again.spec.odin
    headers = {"X-API-KEY": odin.key, "X-API-SECRET": odin.secret}
    known = httpx.get(f"{again.url}/project/{odin.project_ids[0]}/knowledge", headers=headers)
    assert list(known.json()["knowledge_base"]) == [key]


def test_a_port_is_taken_again_by_the_next_process(start: Start) -> None:
    port = free_port()
    first = start("ports", port=port)
    httpx.get(first.url)
    assert first.url == f"http://127.0.0.1:{port}"
    first.stop()
    assert start("ports", port=port).url == first.url


def test_two_sandboxes_run_side_by_side(start: Start) -> None:
    one, two = start("one"), start("two")
    upload(one)
    assert (one.counts().uploads, two.counts().uploads) == (1, 0)


def test_a_new_spec_is_served_at_once_and_after_a_restart(start: Start) -> None:
    running = start("changed")
    fresh = SandboxVideo(
        id="Ak-qQXGxOcw", title="New", published=datetime.now(UTC), talk="tea", container="mp3"
    )
    running.change(SandboxSpec(channels=(DEMO_CHANNEL.with_videos(fresh),)))
    assert httpx.get(f"{running.url}/media/{fresh.id}.mp3").status_code == 200
    served = httpx.get(f"{running.url}/sandbox/spec").json()
    assert len(served["channels"][0]["videos"]) == 8
    running.stop()
    again = start("changed")
    assert again.videos[0].id == fresh.id
    assert httpx.get(f"{again.url}/watch/{fresh.id}").status_code == 200


def test_the_sandbox_ends_when_its_parent_is_killed(tmp_path: Path, recordings: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from sandbox import Sandbox\n"
        "s = Sandbox(Path(sys.argv[1]), recordings=Path(sys.argv[2])); s.start()\n"
        "print(s.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "orphan"), str(recordings)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child, within_s=10)


def test_stopping_twice_is_harmless_and_leaves_no_process(start: Start) -> None:
    running = start()
    pid = running.pid
    running.stop()
    running.stop()
    assert gone(pid, within_s=1)


def test_an_answer_in_the_making_does_not_hold_up_the_end(start: Start) -> None:
    running = start("busy")
    running.fault(route="/media/*", bytes_per_second=1000, times=None)
    with httpx.stream("GET", f"{running.url}/media/uF_C5ANi1Hk.mp4"):
        started = time.monotonic()
        running.stop()
    assert time.monotonic() - started < 7


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path, recordings: Path) -> None:
    video = DEMO_CHANNEL.videos[0].model_copy(update={"talk": "silence"})
    channel = SandboxChannel(id="UC" + "a" * 22, handle="@a", title="A", videos=(video,))
    broken = Sandbox(tmp_path / "x", spec=SandboxSpec(channels=(channel,)), recordings=recordings)
    with pytest.raises(EngineDied, match=r"silence\.txt"):
        broken.start()


def test_the_command_announces_itself_on_standard_output(tmp_path: Path, recordings: Path) -> None:
    command = [sys.executable, "-m", "sandbox", "--state", str(tmp_path / "s"), "--watch-stdin"]
    process = subprocess.Popen(
        [*command, "--recordings", str(recordings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["environment"] == environment_of(ready["url"], demo_spec())
    assert ready["pid"] > 0
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
