"""The main job end to end: everything is real but YouTube and ODIN AI."""

import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.station import Station
from engine.library.shelf import Library
from engine.library.sidecar import STEPS
from engine.odin.client import OdinClient
from engine.settings import Settings
from engine.youtube.quota import next_reset
from sandbox.demo_channel import obstacles
from sandbox.life import Sandbox
from tests.json_lines import lines


def tonspur(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tonspur", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )


def test_a_channel_becomes_indexed_documents_once(
    station: Station, sandbox: Sandbox, library: Library, settings: Settings
) -> None:
    planned = lines(tonspur("sync", sandbox.handle, "--dry-run", "--json"))
    ids = {video.id for video in sandbox.videos}
    assert {line["video_id"] for line in planned[:-1]} == ids
    assert {line["status"] for line in planned[:-1]} == {"planned"}
    assert not any(library.entries())

    first = tonspur("sync", sandbox.handle, "--json")
    assert first.returncode == 0, first.stdout + first.stderr
    *items, closing = lines(first)
    assert {item["video_id"] for item in items} == ids
    assert {item["status"] for item in items} == {"done"}
    assert closing["summary"]["done"] == len(ids)
    assert closing["summary"]["quota_searches"] == 0
    spent = planned[-1]["summary"]["quota_units"] + closing["summary"]["quota_units"]
    assert sum(sandbox.counts().units.values()) == spent == 6  # the runs add none
    would_be = {line["video_id"]: line["transcript"] for line in planned[:-1]}
    assert {item["video_id"]: item["transcript"] for item in items} == would_be

    for entry in library.entries():
        assert set(library.read(entry).steps) == set(STEPS)
    with OdinClient(settings) as client:
        documents = list(client.documents())
    assert sorted(document.status for document in documents) == ["synced"] * len(ids)

    before = sandbox.counts()
    again = tonspur("sync", sandbox.handle, "--json")
    assert again.returncode == 0, again.stderr
    summary = lines(again)[-1]["summary"]
    assert (summary["new"], summary["done"], summary["quota_units"]) == (0, 0, 0)
    after = sandbox.counts()
    assert (after.uploads, after.media_bytes) == (before.uploads, before.media_bytes)


def test_a_video_that_is_done_is_done_at_once(station: Station, sandbox: Sandbox) -> None:
    before = sandbox.counts()
    done = tonspur("video", f"https://youtu.be/{sandbox.videos[0].id}", "--json")
    assert done.returncode == 0, done.stderr
    [line] = lines(done)
    assert line["status"] == "skipped"
    assert sandbox.counts().uploads == before.uploads


def test_an_unknown_video_fails_once_with_its_reason(station: Station, settings: Settings) -> None:
    done = tonspur("video", "zzzzzzzzzzz", "--json", "--no-upload")
    assert done.returncode == 1
    [line] = lines(done)
    assert line["status"] == "failed"
    assert "zzzzzzzzzzz" in line["reason"]
    note = settings.library_dir / ".failed" / "zzzzzzzzzzz.json"
    assert json.loads(note.read_text(encoding="utf-8"))["steps"]["metadata"]["status"] == "failed"


def test_an_unknown_channel_gets_one_line_and_status_1(station: Station) -> None:
    for extra in ("--dry-run", "--no-upload"):
        done = tonspur("sync", "@nobody-at-all", extra)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.strip().splitlines()) <= 3
        assert "nobody-at-all" in done.stderr


def test_no_secret_is_in_prefects_database_a_log_or_the_library(
    station: Station, settings: Settings
) -> None:
    secrets = [key.get_secret_value() for key in settings.api_keys]
    for secret in (settings.odin_api_key, settings.odin_api_secret):
        assert secret is not None
        secrets.append(secret.get_secret_value())
    databases = [*(settings.state_dir / "prefect").rglob("*.db*")]
    logs, written = [*settings.state_dir.rglob("*.log")], [*settings.library_dir.rglob("*.*")]
    assert databases
    assert logs
    for file in (path for path in (*databases, *logs, *written) if path.is_file()):
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], file


def test_flow_runs_stay_light() -> None:
    program = (
        "import sys, resource, flows.process_video, flows.channel_sync, flows.process_file\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


def test_the_dashboard_answers(station: Station) -> None:
    request = urllib.request.Request(station.dashboard, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=10) as page:
        assert b"<html" in page.read().lower()


@pytest.mark.e2e
def test_files_and_documents_go_through_deployments_too(
    station: Station, tmp_path: Path, settings: Settings
) -> None:
    from prefect.deployments import run_deployment

    from sandbox.voice import speak
    from tasks.queue import wait_for

    speak("The train to the city leaves at ten.", "en", tmp_path / "train.wav")
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "notes.md").write_text("# Notes\n\nA document of its own.\n", encoding="utf-8")
    (papers / "table.csv").write_text("a,b\n", encoding="utf-8")
    signed = {"include": ["*.md"], "metadata": {"category": "note"}}
    for name, path, more, happy in (
        ("process-file/process-file", tmp_path / "train.wav", {}, True),
        ("upload-files/upload-files", papers, signed, True),
        ("process-file/process-file", tmp_path / "gone.wav", {}, False),
        ("upload-files/upload-files", tmp_path / "gone.md", {}, False),
    ):
        parameters = {"paths": [str(path)], **more}
        run = run_deployment(name, parameters=parameters, timeout=0, as_subflow=False)
        [ended] = wait_for([run.id], deadline_s=120).values()
        assert ended.happy is happy, ended
    [text] = tmp_path.glob("*_train_*.txt")
    assert "train to the city" in text.read_text(encoding="utf-8")
    with OdinClient(settings) as odin:
        [notes] = [one for one in odin.documents(recursive=True) if one.name.startswith("notes")]
        assert notes.metadata["category"] == "note"
        assert not [one for one in odin.documents(name_search="table") if "table" in one.name]


def test_a_second_sync_finds_the_running_server(station: Station, sandbox: Sandbox) -> None:
    done = tonspur("sync", sandbox.handle, "--latest", "1")
    assert done.returncode == 0, done.stderr
    assert station.dashboard in done.stderr


@pytest.mark.e2e
def test_what_cannot_be_had_is_told_apart_from_what_is_too_early(
    station: Station, sandbox: Sandbox
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState
    from prefect.client.schemas.filters import FlowRunFilterStateType as Type
    from prefect.client.schemas.objects import StateType

    more = obstacles(datetime.now(UTC))
    spec = sandbox.spec
    first, *others = spec.channels
    channels = (first.with_videos(*more), *others)
    sandbox.change(spec.model_copy(update={"channels": channels}))
    ids = {video.obstacle: video.id for video in more}
    *items, _ = lines(tonspur("sync", sandbox.handle, "--all", "--dry-run", "--json"))
    verdicts = {item["video_id"]: (item["status"], item["reason"]) for item in items}
    assert verdicts[ids["upcoming"]][0] == "deferred"
    assert verdicts[ids["live"]][0] == "deferred"
    assert verdicts[ids["private"]][0] == "skipped"
    assert verdicts[ids["age"]] == ("skipped", "age-restricted")

    early = tonspur("video", ids["upcoming"], "--json")
    assert early.returncode == 0, early.stderr
    assert [line["status"] for line in lines(early)] == ["deferred"]
    later = FlowRunFilter(state=FlowRunFilterState(type=Type(any_=[StateType.SCHEDULED])))
    with get_client(sync_client=True) as client:
        waiting = client.read_flow_runs(flow_run_filter=later)
    asked = [run.parameters.get("video") for run in waiting]
    mine = [video_id for video_id in asked if video_id in ids.values()]
    assert mine == [ids["upcoming"]], "the videos of other tests may wait for their time too"

    private = tonspur("video", ids["private"], "--json")
    assert private.returncode == 1
    assert [line["status"] for line in lines(private)] == ["failed"]


@pytest.mark.e2e
def test_a_sync_whose_quota_is_used_up_gets_a_run_for_the_next_pacific_day(
    station: Station, sandbox: Sandbox, settings: Settings
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter
    from prefect.client.schemas.filters import FlowRunFilterState as State
    from prefect.client.schemas.filters import FlowRunFilterStateType as Type
    from prefect.client.schemas.objects import StateType

    sandbox.fault(route="/youtube/*", google="quotaExceeded", times=None)
    try:
        summaries = []
        for _ in range(2):
            done = tonspur("sync", sandbox.handle, "--all", "--json")
            assert done.returncode == 0, done.stderr
            assert "Deferred: Not before" in done.stderr
            summaries += [line["summary"] for line in lines(done)]
    finally:
        sandbox.drop_faults()
        for file in settings.state_dir.glob(f"{settings.ledger_file.name}*"):
            file.unlink()
    assert [summary["quota_units"] for summary in summaries] == [1, 0]

    chosen = FlowRunFilter(state=State(type=Type(any_=[StateType.SCHEDULED])))
    flow = FlowFilter(name=FlowFilterName(any_=["channel-sync"]))
    with get_client(sync_client=True) as client:
        [later] = client.read_flow_runs(flow_filter=flow, flow_run_filter=chosen)
    assert later.expected_start_time == next_reset(datetime.now(UTC))
    assert later.parameters["everything"] is True
