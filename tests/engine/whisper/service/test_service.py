"""The listening process and its model process as clients meet them."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from engine.audio.preparation import PreparedAudio
from engine.errors import EngineDied, NotMedia
from engine.running import is_alive
from engine.whisper.client import Engine
from engine.whisper.messages import EVENTS, Done, Event, Queued, Spoken, Wishes
from engine.whisper.service.hearing import Now
from tests.engine.whisper.service.conftest import (
    STABIL,
    Running,
    Start,
    job_of,
    wait_until,
)


@contextmanager
def asked(running: Running, job: Any) -> Iterator[Iterator[Event]]:
    """The events of a job; leaving the block closes the connection."""
    with running.http.stream("POST", "/jobs", json=job.model_dump(mode="json")) as answer:
        assert answer.status_code == 200
        yield (EVENTS.validate_json(line) for line in answer.iter_lines())


def segments_of(running: Running, prepared: PreparedAudio) -> tuple[list[Event], Done]:
    with asked(running, job_of(prepared)) as events:
        said = list(events)
    assert isinstance(said[-1], Done), said[-1]
    return said, said[-1]


def test_the_model_stays_in_memory_between_jobs_and_clients(
    running: Running, talk: PreparedAudio
) -> None:
    _, first = segments_of(running, talk)
    _, second = segments_of(running, talk)
    assert second.transcription.segments == first.transcription.segments
    assert second.transcription.load_s < 0.05
    health = running.health()
    assert (health["model"], health["device"], health["loads"]) == ("base", "cpu", 1)
    assert health["vram"] is None or health["vram"]["total_mb"] > 0  # type: ignore[index]


def test_who_only_looks_on_sees_what_is_heard_at_this_moment(
    running: Running, long_talk: PreparedAudio
) -> None:
    def now() -> Now:
        return Now.model_validate_json(running.http.get("/now").content)

    assert now() == Now()
    with asked(running, job_of(long_talk)) as events:
        spoken = next(event for event in events if isinstance(event, Spoken))
        seen = now()
        assert seen.folder == long_talk.wav.parent.name
        assert spoken.segment in seen.latest
        assert 0 <= seen.done_s < seen.total_s
    wait_until(lambda: now() == Now(), 10)


def test_the_listening_process_never_holds_torch(running: Running, talk: PreparedAudio) -> None:
    segments_of(running, talk)
    listener = psutil.Process(running.process.pid)
    loaded = [mapped.path for mapped in listener.memory_maps()]
    assert not [path for path in loaded if "torch" in path or "numba" in path]
    assert listener.memory_info().rss < 150e6


def test_nothing_but_loopback_is_listened_on(running: Running) -> None:
    family = [psutil.Process(running.process.pid)]
    family += family[0].children(recursive=True)
    listening = [
        link.laddr.ip
        for process in family
        for link in process.net_connections("inet")
        if link.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize("token", [None, "", "Bearer wrong", "Basic abc"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("POST", "/jobs"),
        ("POST", "/v1/audio/transcriptions"),
        ("GET", "/v1/models"),
        ("GET", "/nothing"),
    ],
)
def test_without_the_token_nothing_is_answered(
    running: Running, method: str, path: str, token: str | None
) -> None:
    headers = {"Authorization": token} if token is not None else {}
    answer = httpx.request(
        method, running.url + path, headers=headers, content=b"x" * 100_000, trust_env=False
    )
    assert answer.status_code == 401
    assert "token" in answer.json()["error"]["message"]


def test_a_job_that_is_none_and_a_place_that_is_none_are_told(running: Running) -> None:
    assert running.http.post("/jobs", json={"kind": "dance"}).status_code == 400
    answer = running.http.get("/nothing")
    assert answer.status_code == 404
    assert "/nothing" in answer.json()["error"]["message"]


def test_jobs_are_done_one_at_a_time_in_their_order(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    ended: list[str] = []
    places: dict[str, list[int]] = {}

    def do(name: str, prepared: PreparedAudio) -> None:
        said, _ = segments_of(running, prepared)
        ended.append(name)
        places[name] = [event.ahead for event in said if isinstance(event, Queued)]

    with ThreadPoolExecutor(3) as pool:
        jobs = []
        for name, prepared in (("first", long_talk), ("second", talk), ("third", talk)):
            jobs.append(pool.submit(do, name, prepared))
            wait_until(
                lambda: sum(running.queue()[k] for k in ("waiting", "running")) == len(jobs), 5
            )
            assert running.queue()["running"] == 1
        for job in jobs:
            job.result()
    assert ended == ["first", "second", "third"]
    assert places == {"first": [0], "second": [1], "third": [2, 1]}


def test_a_preparation_goes_on_beside_a_transcription(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio, tmp_path: Path
) -> None:
    with Engine(running.settings) as engine:
        engine.prepare(talk.wav, tmp_path / "first", STABIL)  # its process takes seconds to start
        with asked(running, job_of(long_talk)) as events:
            next(events)
            engine.prepare(talk.wav, tmp_path / "beside", STABIL)
            assert running.queue()["running"] == 1
            list(events)


def test_a_client_that_goes_away_frees_the_slot_within_two_seconds(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    segments_of(running, talk)
    loads, aborted = running.health()["loads"], running.health()["jobs"]["aborted"]  # type: ignore[index]
    with asked(running, job_of(long_talk)) as events:
        while next(events).kind != "segment":
            pass
    assert wait_until(lambda: running.queue()["running"] == 0, 2.0) < 2.0
    assert running.health()["jobs"]["aborted"] == aborted + 1  # type: ignore[index, operator]
    _, again = segments_of(running, talk)
    assert again.transcription.load_s < 0.05
    assert running.health()["loads"] == loads


def test_a_client_that_is_killed_frees_the_slot_too(
    running: Running, long_talk: PreparedAudio
) -> None:
    code = (
        "import sys\n"
        "from engine.audio.preparation import PreparedAudio\n"
        "from engine.settings import load\n"
        "from engine.whisper.client import Engine\n"
        "from engine.whisper.messages import Wishes\n"
        "from engine.whisper.presets import PRESETS\n"
        "talk = PreparedAudio.model_validate_json(sys.argv[1])\n"
        "say = lambda segment: print(segment.text, flush=True)\n"
        "Engine(load()).transcribe(talk, PRESETS['stabil'], Wishes(language='en'), segment=say)\n"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", code, long_talk.model_dump_json()],
        env={"STATE_DIR": str(running.settings.state_dir), "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
    )
    assert client.stdout is not None
    assert client.stdout.readline()
    client.kill()
    client.wait()
    assert wait_until(lambda: running.queue()["running"] == 0, 2.0) < 2.0


def test_a_job_that_waits_is_forgotten_with_its_client(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    with asked(running, job_of(long_talk)) as events:
        next(events)
        with asked(running, job_of(talk)) as waiting:
            next(waiting)
            assert running.queue()["waiting"] == 1
        wait_until(lambda: running.queue()["waiting"] == 0, 2.0)


@pytest.mark.e2e
def test_a_model_process_that_dies_is_replaced_and_its_job_done(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    _, whole = segments_of(running, long_talk)
    restarts = running.health()["restarts"]
    said: list[Event] = []
    with asked(running, job_of(long_talk)) as events:
        for event in events:
            said.append(event)
            if event.kind == "segment" and sum(e.kind == "segment" for e in said) == 2:
                running.model_process().kill()
    assert [event.kind for event in said].count("restarted") == 1
    assert isinstance(said[-1], Done)
    assert said[-1].transcription.segments == whole.transcription.segments
    assert running.health()["restarts"] == restarts + 1  # type: ignore[operator]


@pytest.mark.e2e
def test_a_job_that_kills_two_processes_fails_and_the_queue_goes_on(
    running: Running, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    def kill_twice() -> None:
        for _ in range(2):
            wait_until(lambda: running.health()["model"] is not None, 20)
            losses = running.health()["restarts"]
            running.model_process().kill()
            wait_until(lambda losses=losses: running.health()["restarts"] != losses, 5)

    segments_of(running, talk)
    with ThreadPoolExecutor(1) as pool, Engine(running.settings) as engine:
        began = threading.Event()
        killer = pool.submit(lambda: began.wait(20) and kill_twice())
        with pytest.raises(EngineDied, match="status"):
            engine.transcribe(
                long_talk,
                STABIL,
                Wishes(language="en"),
                progress=lambda done_s, total_s: began.set(),
            )
        killer.result()
    segments_of(running, talk)


def test_a_failure_keeps_the_process_and_comes_back_as_itself(
    running: Running, talk: PreparedAudio, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no media at all", encoding="utf-8")
    restarts = running.health()["restarts"]
    with Engine(running.settings) as engine, pytest.raises(NotMedia):
        engine.prepare(tmp_path / "text.mp4", tmp_path / "prepared", STABIL)
    assert running.health()["restarts"] == restarts


@pytest.mark.e2e
def test_another_model_takes_the_place_of_the_first(
    running: Running, talk: PreparedAudio, english_folder: Path
) -> None:
    segments_of(running, talk)
    loads = running.health()["loads"]
    with asked(running, job_of(talk, model=str(english_folder))) as events:
        *_, last = events
    assert isinstance(last, Done)
    assert running.health()["model"] == "tiny.en"
    segments_of(running, talk)
    assert running.health()["model"] == "base"
    assert running.health()["loads"] == loads + 2  # type: ignore[operator]


def test_what_a_client_wishes_for_goes_before_the_engines_settings(
    running: Running, talk: PreparedAudio
) -> None:
    with asked(running, job_of(talk, words=True, beams=2, compute="float32")) as events:
        *_, last = events
    assert isinstance(last, Done)
    assert last.transcription.dtype == "float32"
    assert all(segment.words for segment in last.transcription.segments)
    _, plain = segments_of(running, talk)
    assert plain.transcription.dtype != "float32"
    assert not any(segment.words for segment in plain.transcription.segments)


def test_a_second_engine_is_told_of_the_first(running: Running) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "engine.whisper.service"],
        env={"STATE_DIR": str(running.settings.state_dir), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert second.returncode == 1
    assert "An engine runs already" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert running.health()["status"] == "ok"


def test_a_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "engine.whisper.service", "--port", str(port)],
            env={"STATE_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            encoding="utf-8",
            timeout=30,
        )
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "ENGINE_PORT" in done.stderr


@pytest.mark.e2e
@pytest.mark.parametrize("seconds", ["0", "1"])
def test_an_idle_model_process_ends_and_the_next_job_starts_another(
    start_engine: Start, talk: PreparedAudio, seconds: str
) -> None:
    engine = start_engine(WHISPER_IDLE_UNLOAD_SECONDS=seconds)
    segments_of(engine, talk)
    wait_until(lambda: engine.health()["model_pid"] is None, 5)
    assert engine.health()["model"] is None
    segments_of(engine, talk)
    assert engine.health()["loads"] == 2
    assert engine.health()["restarts"] == 0


@pytest.mark.e2e
def test_an_engine_that_is_stopped_leaves_no_process_and_no_card(
    start_engine: Start, talk: PreparedAudio, long_talk: PreparedAudio
) -> None:
    engine = start_engine()
    segments_of(engine, talk)
    family = psutil.Process(engine.process.pid).children(recursive=True)
    assert family
    with asked(engine, job_of(long_talk)) as events:
        next(events)
        engine.process.send_signal(signal.SIGTERM)
        with pytest.raises((StopIteration, httpx.TransportError)):
            while next(events).kind != "stopped":
                pass
            raise StopIteration
    engine.process.wait(8)
    assert not [process for process in family if process.is_running()]
    assert not list((engine.settings.state_dir / "run").glob("*.json"))


@pytest.mark.e2e
def test_what_a_killed_engine_started_ends_by_itself(
    start_engine: Start, talk: PreparedAudio
) -> None:
    engine = start_engine()
    segments_of(engine, talk)
    model = engine.model_process()
    engine.process.kill()
    engine.process.wait()
    wait_until(lambda: not is_alive(model), 3)


def test_the_log_names_jobs_and_no_token(running: Running, talk: PreparedAudio) -> None:
    segments_of(running, talk)
    log = (running.settings.logs_dir / "engine.log").read_text(encoding="utf-8")
    assert f"transcribe {talk.wav.parent.name} took" in log
    assert running.http.headers["Authorization"].removeprefix("Bearer ") not in log
