"""What the bootstrap makes at a real server, and what it leaves alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.bootstrap import bootstrap
from deployments.station import Station
from engine.settings import Settings

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
    assert set(again.values()) <= {"found", "set"}, again


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
