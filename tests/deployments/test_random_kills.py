"""Every process may die at any moment: a sync goes on to its end all the same, by itself.

TONSPUR_KILLS=4 kills each kind of process four times over a sync of fifty videos, which takes ten
minutes or more; TONSPUR_KILLS=1 each once over sixteen.
"""

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.worker import FLOW_RUNS_AT_ONCE
from engine.library.shelf import Library
from engine.library.sidecar import STEPS
from engine.odin.client import OdinClient
from engine.running import RunningCard, card_file, is_alive
from engine.settings import Settings
from engine.steps import marks
from engine.steps.status import statuses
from engine.whisper import shared
from sandbox.life import Sandbox
from sandbox.spec import SandboxChannel, SandboxSpec, SandboxVideo
from tasks.queue import STARTS
from tests.deployments.running_up import running_up

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif("TONSPUR_KILLS" not in os.environ, reason="TONSPUR_KILLS is not set"),
]

KINDS = ("flow run", "worker", "listening process", "model process", "Prefect server")
KILLS_OF_EACH = int(os.environ.get("TONSPUR_KILLS", "1"))
PAUSE_S = (2.0, 12.0)
SLOT_FREE_S = 90.0
GPU_FREE_S = 2.0
ORPHANED_S = 180.0
LONGEST_S = 1500.0
VIDEOS = 50 if KILLS_OF_EACH >= 4 else 16

TALKS = ("harbor", "bread", "garden", "sleep")


def videos(first: int, count: int) -> tuple[SandboxVideo, ...]:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return tuple(
        SandboxVideo(
            id=f"killed--{number:03}",
            title=f"Talk {number}",
            published=start + timedelta(days=number),
            talk=TALKS[number % len(TALKS)],
            times=1 + number % 3,
        )
        for number in range(first, first + count)
    )


def obstacles() -> tuple[SandboxVideo, ...]:
    """One that fails for good, and one that is too early."""
    at = datetime(2025, 6, 1, tzinfo=UTC)
    later = datetime.now(UTC) + timedelta(days=3)
    return (
        SandboxVideo(id="killed-aged", title="Adults", published=at, talk="tea", obstacle="age"),
        SandboxVideo(
            id="killed-soon",
            title="Premiere",
            published=at,
            talk="tea",
            obstacle="upcoming",
            scheduled=later,
        ),
    )


def channel(*own: SandboxVideo) -> SandboxSpec:
    made = SandboxChannel(id=f"UC{'k' * 22}", handle="@killed", title="Killed", videos=own)
    return SandboxSpec(channels=(made,))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", spec=channel(*videos(0, VIDEOS), *obstacles())) as running:
        yield running


@pytest.fixture
def settings(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Settings]:
    environment = sandbox.environment() | {"WHISPER_MODEL": "base"}
    with running_up(environment, tmp_path, monkeypatch) as known:
        yield known


@dataclass
class Killer:
    """Kills what its plan says, and looks how soon the GPU and its slot are free."""

    settings: Settings
    plan: list[str]
    chance: random.Random
    due: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    gpu_free_s: list[float] = field(default_factory=list)

    def look(self) -> None:
        now = time.monotonic()
        if not self.plan or now < self.due:
            return
        target = self._find(self.plan[0])
        if target is None:
            return  # it is being started again
        kind = self.plan.pop(0)
        held = self._holds_the_gpu(target) if kind == "flow run" else None
        print(
            f"{now:.1f}: kill -9 {kind} {target.pid}{' with the GPU' if held else ''}", flush=True
        )
        target.kill()
        self.done[kind] += 1
        if held is not None:
            self.gpu_free_s.append(self._until_free(held))
        self.due = time.monotonic() + self.chance.uniform(*PAUSE_S)

    def _find(self, kind: str) -> psutil.Process | None:
        try:
            if kind == "flow run":
                runs = flow_runs(self.settings)
                holders = [run for run in runs if self._holds_the_gpu(run) is not None]
                # every second one shall have the GPU, and is waited for
                chosen = runs if self.done[kind] % 2 else holders
                return self.chance.choice(chosen) if chosen else None
            if kind == "model process":
                health = self._health()
                pid = health["model_pid"] if health else None
                return psutil.Process(pid) if pid else None
            names = {
                "worker": "worker",
                "listening process": "engine",
                "Prefect server": "prefect-server",
            }
            card = RunningCard.read(card_file(self.settings, names[kind]))
            return psutil.Process(card.pid) if card else None
        except psutil.NoSuchProcess:
            return None

    def _health(self) -> dict[str, Any] | None:
        engine = shared.answering(self.settings)
        return engine.health() if engine else None

    def _holds_the_gpu(self, process: psutil.Process) -> float | None:
        """For how long the job in hand has run, if it is this process's."""
        engine, health = shared.answering(self.settings), self._health()
        if not engine or not health or health["queue"]["preparing"]:
            return None
        port = int(engine.url.rsplit(":", 1)[1])
        links = [link for link in process.net_connections("tcp") if link.raddr]
        mine = any(link.raddr.port == port and link.status == "ESTABLISHED" for link in links)
        running = health["queue"]["running_s"]
        return float(running) if mine and running is not None else None

    def _until_free(self, before_s: float) -> float:
        begun = time.monotonic()
        while True:
            health = self._health()
            running = health["queue"]["running_s"] if health else None
            if running is None or running < before_s:
                return time.monotonic() - begun
            time.sleep(0.02)


def flow_runs(settings: Settings) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            is_run = process.cmdline()[-1:] == ["prefect.engine"]
            if is_run and process.environ().get("STATE_DIR") == str(settings.state_dir):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if is_alive(process)]


@dataclass
class Clock:
    """Does what the hourly `retry-failed` would do; what crashed begins again by itself."""

    retries: int = 0
    due: float = 0.0

    def look(self, settings: Settings) -> None:
        from engine.steps.later import Again, chosen
        from tasks import again
        from tasks.job import Job

        if time.monotonic() < self.due:
            return
        self.due = time.monotonic() + 20
        known = again.known()
        failed = chosen(Library(settings), Again(), datetime.now(UTC), known.unexplained)
        self.retries += len(again.again(failed, known, Job()))


def ours() -> Any:
    """Syncs and videos; the server also plans a hundred runs ahead for what runs by the clock."""
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    return FlowFilter(name=FlowFilterName(any_=["channel-sync", "process-video"]))


def sync_under_fire(killer: Killer, clock: Clock, settings: Settings, handle: str) -> float:
    """One sync to its end, with kills between; seconds from the last kill to the end."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.deployments import run_deployment

    parameters = {"channel": handle, "wait": True, "everything": True}
    run_deployment("channel-sync/channel-sync", parameters=parameters, timeout=0, as_subflow=False)
    begun, last = time.monotonic(), time.monotonic()
    while True:
        assert time.monotonic() - begun < LONGEST_S
        before = len(killer.plan)
        killer.look()
        last = time.monotonic() if len(killer.plan) < before else last
        try:
            clock.look(settings)
            with get_client(sync_client=True) as client:
                runs = client.read_flow_runs(flow_filter=ours())
        except httpx.HTTPError:
            continue  # the server is being started again
        begun_ones = [run.state for run in runs if run.state and not is_over(run)]
        waiting = [s for s in begun_ones if s.is_scheduled() and s.name == "Scheduled"]
        if len(begun_ones) == len(waiting) and not killer.plan and _is_later(waiting):
            return time.monotonic() - last
        time.sleep(0.3)


def is_over(run: Any) -> bool:
    """What crashed begins again, up to a limit."""
    if run.state.is_crashed():
        return bool(run.run_count >= STARTS)
    return bool(run.state.is_final())


def _is_later(waiting: list[Any]) -> bool:
    """Only the run of the premiere is left, days ahead."""
    now = datetime.now(UTC)
    times = [state.state_details.scheduled_time for state in waiting]
    return all(at is not None and at > now + timedelta(hours=1) for at in times)


def finished_transcriptions(settings: Settings) -> Counter[str]:
    """How often each prepared sound was transcribed to its end, by the engine's log."""
    log = "".join(
        file.read_text(encoding="utf-8") for file in settings.logs_dir.glob("engine.log*")
    )
    return Counter(re.findall(r"job \d+: transcribe (\S+) took [\d.]+ s: done", log))


def free_slots(deadline_s: float) -> float:
    """Seconds until nobody holds the tag slot."""
    from prefect.client.orchestration import get_client

    begun = time.monotonic()
    with get_client(sync_client=True) as client:
        while client.read_global_concurrency_limit_by_name("tag:gpu").active_slots:
            assert time.monotonic() - begun < deadline_s
            time.sleep(0.5)
    return time.monotonic() - begun


def test_kills_of_every_process_leave_every_video_in_its_right_state(
    settings: Settings, sandbox: Sandbox
) -> None:
    seed = random.SystemRandom().randrange(10_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    plan = [*KINDS] * KILLS_OF_EACH
    chance.shuffle(plan)
    if KILLS_OF_EACH == 1:  # what is there only while somebody works goes first
        plan.sort(key=lambda kind: kind not in ("flow run", "model process"))
    clock, library = Clock(), Library(settings)
    killer = Killer(settings, plan, chance, due=time.monotonic() + 10)
    begun = time.monotonic()
    end_s = sync_under_fire(killer, clock, settings, sandbox.handle)
    print(f"{time.monotonic() - begun:.0f} s, {end_s:.0f} s after the last kill")
    print(f"killed {dict(killer.done)}, {clock.retries} retries by the clock")
    print(f"GPU free after {[round(s, 2) for s in killer.gpu_free_s]} s")
    assert killer.done == dict.fromkeys(KINDS, KILLS_OF_EACH)
    assert killer.gpu_free_s or KILLS_OF_EACH == 1  # every second killed run has the GPU
    assert all(seconds < GPU_FREE_S for seconds in killer.gpu_free_s)
    assert free_slots(SLOT_FREE_S) < SLOT_FREE_S

    every = {video.video_id: video for video in statuses(library)}
    [folder] = [folder for folder, _ in library.channels()]
    kept = json.loads((folder / "left-out.json").read_text(encoding="utf-8"))["videos"]
    assert {one["videoId"]: one["status"] for one in kept} == {
        "killed-aged": "skipped",
        "killed-soon": "deferred",
    }
    assert {video.state for video in every.values()} == {"done"}
    assert len(every) == VIDEOS
    entries = [entry for entry in library.entries() if entry.video_id in every]
    for entry in entries:
        sidecar = library.read(entry)
        assert {step: record.status for step, record in sidecar.steps.items()} == dict.fromkeys(
            STEPS, "done"
        )
        assert not list(entry.folder.glob(".~*"))
    assert not list(settings.prepared_dir.glob("*"))
    with OdinClient(settings) as client:
        documents = Counter(document.video_id for document in client.documents(recursive=True))
    assert documents == Counter(every.keys()), "each once"
    assert nobody_runs(ORPHANED_S) < ORPHANED_S

    marked = {marks.prepared_folder(library.read(e), settings).name for e in entries}
    finished = finished_transcriptions(settings)
    assert set(finished) == marked
    twice = sum(finished.values()) - len(entries)
    assert twice <= killer.done["flow run"] + killer.done["worker"] * FLOW_RUNS_AT_ONCE, (
        "a transcript was made again that was not in hand"
    )


def nobody_runs(deadline_s: float) -> float:
    """Seconds until no run is Running, Pending or Cancelling."""
    from prefect.client.orchestration import get_client

    begun = time.monotonic()
    with get_client(sync_client=True) as client:
        while True:
            states = [run.state for run in client.read_flow_runs(flow_filter=ours())]
            if not [s for s in states if s and (s.is_running() or s.is_pending())]:
                return time.monotonic() - begun
            assert time.monotonic() - begun < deadline_s
            time.sleep(0.5)
