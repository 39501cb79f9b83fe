"""What the bootstrap makes at a real server, and what it leaves alone."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from deployments.bootstrap import bootstrap
from deployments.station import Station
from engine.settings import Settings

pytestmark = pytest.mark.e2e

DAILY = """
channels:
  - {channel: "@first", cron: "15 6 * * *", timezone: Europe/Berlin, language: de}
  - {channel: "@second", cron: "0 1 * * 1", slug: weekly}
"""


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """An empty channels.yaml; what a test made of it is gone at the end."""
    mine = tmp_path / "channels.yaml"
    mine.write_text("channels: []", encoding="utf-8")
    yield mine
    mine.write_text("channels: []", encoding="utf-8")
    changes(settings, mine)


def changes(settings: Settings, file: Path) -> dict[str, str]:
    made = bootstrap(settings.model_copy(update={"channels_file": file}))
    return {one.what: one.change for one in made}


def test_a_second_time_it_finds_all_and_changes_nothing(
    station: Station, settings: Settings, file: Path
) -> None:
    changes(settings, file)
    again = changes(settings, file)
    assert {"work pool rtx4090", "work queue syncs", "deployment channel-sync/channel-sync"} <= set(
        again
    )
    assert set(again.values()) <= {"found", "off"}, again


def test_a_channel_is_one_entry_and_goes_with_it(
    station: Station, settings: Settings, file: Path
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    file.write_text(DAILY, encoding="utf-8")
    made = changes(settings, file)
    assert made["deployment channel-sync/first"] == "made"
    assert changes(settings, file)["deployment channel-sync/first"] == "found"
    with get_client(sync_client=True) as client:
        first = client.read_deployment_by_name("channel-sync/first")
        assert first.parameters == {"channel": "@first", "language": "de", "upload": True}
        assert first.work_queue_name == "scheduled"
        assert first.global_concurrency_limit is not None
        assert first.global_concurrency_limit.limit == 1
        assert first.concurrency_options is not None
        assert first.concurrency_options.collision_strategy.value == "CANCEL_NEW"
        [schedule] = first.schedules
        assert schedule.active
        assert schedule.schedule.timezone == "Europe/Berlin"

    file.write_text(DAILY.replace("15 6", "20 7"), encoding="utf-8")
    changed = changes(settings, file)
    assert changed["deployment channel-sync/first"] == "changed"
    assert changed["deployment channel-sync/weekly"] == "found"

    file.write_text("channels: []", encoding="utf-8")
    assert changes(settings, file)["deployment channel-sync/weekly"] == "removed"
    with get_client(sync_client=True) as client, pytest.raises(ObjectNotFound):
        client.read_deployment_by_name("channel-sync/weekly")


def test_a_schedule_that_was_paused_on_the_dashboard_stays_paused(
    station: Station, settings: Settings, file: Path
) -> None:
    from prefect.client.orchestration import get_client

    file.write_text(DAILY, encoding="utf-8")
    changes(settings, file)
    with get_client(sync_client=True) as client:
        first = client.read_deployment_by_name("channel-sync/first")
        client.update_deployment_schedule(first.id, first.schedules[0].id, active=False)
        file.write_text(DAILY.replace("language: de", "language: en"), encoding="utf-8")
        assert changes(settings, file)["deployment channel-sync/first"] == "changed"
        assert not client.read_deployment_by_name("channel-sync/first").schedules[0].active


def test_a_check_names_what_is_missing_and_changes_nothing(
    station: Station, settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked() -> tuple[int, str]:
        program = [sys.executable, "-m", "deployments", "--check"]
        done = subprocess.run(program, capture_output=True, encoding="utf-8", check=False)
        return done.returncode, done.stdout

    monkeypatch.setenv("CHANNELS_FILE", str(file))
    changes(settings, file)
    status, said = checked()
    assert status == 0, said
    assert "ok   leases of slots on disk" in said
    assert "ok   wait for the GPU slot: 0.5 s" in said
    file.write_text(DAILY, encoding="utf-8")
    for _ in range(2):
        status, said = checked()
        assert status == 1
        assert "fail deployment channel-sync/first: missing  Run `python -m deployments`." in said


class Hook(BaseHTTPRequestHandler):
    """Keeps what it is told."""

    told: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        self.told.append(json.loads(self.rfile.read(size)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


def test_a_run_that_fails_is_told_to_the_webhook_and_no_longer_when_it_is_unset(
    station: Station, settings: Settings, file: Path
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.deployments import run_deployment

    from tasks.queue import wait_for

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = SecretStr(f"http://127.0.0.1:{server.server_address[1]}/hook?token=of-the-hook")
    told = settings.model_copy(update={"notify_url": address})
    assert changes(told, file)["automation `Tonspur: runs that failed`"] == "made"
    time.sleep(6)  # the server looks for new automations every few seconds
    run = run_deployment(
        "process-video/process-video",
        parameters={"video": "no address at all"},
        timeout=0,
        as_subflow=False,
    )
    wait_for([run.id], deadline_s=60)
    deadline = time.monotonic() + 30
    while not Hook.told:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert Hook.told[0]["subject"] == "Permanent: bad address"
    assert "no address at all" in Hook.told[0]["message"]
    assert changes(settings, file)["automation `Tonspur: runs that failed`"] == "removed"
    with get_client(sync_client=True) as client:
        assert not client.read_automations_by_name("Tonspur: runs that failed")
    server.shutdown()
