"""`prefect.yaml` and `channels.yaml` say what the code has."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from deployments.bootstrap import flow_at, planned_deployments
from deployments.channels import ScheduledChannel, scheduled_channels, slug_of
from deployments.registration import QUEUES
from deployments.worker import WORK_POOL
from engine.errors import BadSettings
from engine.settings import Settings

PLANNED = planned_deployments()
EVERY_FIELD = """
channels:
  - channel: "https://www.youtube.com/@Some.Handle/videos"
    cron: "15 6 * * *"
    timezone: Europe/Berlin
    selection: {latest: 5, shorts: without, title: "part \\\\d+", published_after: 2024-01-31}
    backlog_cap: 20
    preset: schnell
    model: large-v3
    language: de
    media: mp3
    metadata: {category: lecture}
    project: AbC
    upload: false
  - channel: UCabcdefghijklmnopqrstuv
    cron: "0 4 * * 1-5"
    slug: other
    active: false
"""


@pytest.mark.parametrize("entry", PLANNED, ids=[entry["name"] for entry in PLANNED])
def test_every_deployment_has_a_flow_that_takes_its_parameters(entry: dict[str, Any]) -> None:
    flow = flow_at(str(entry["entrypoint"]))
    assert flow.name == entry["name"]
    known = set(inspect.signature(flow.fn).parameters)
    assert set(entry.get("parameters", {})) <= known
    assert entry["work_pool"]["name"] == WORK_POOL
    assert entry["work_pool"]["work_queue_name"] in QUEUES
    for schedule in entry.get("schedules", []):
        assert set(schedule.get("parameters", {})) <= known


@pytest.mark.parametrize("entry", PLANNED, ids=[entry["name"] for entry in PLANNED])
def test_every_parameter_is_explained_on_the_form(entry: dict[str, object]) -> None:
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow_at(str(entry["entrypoint"])).fn)
    assert all(field.get("description") for field in schema.properties.values())


def test_presets_show_as_a_choice() -> None:
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow_at("flows.process_video.process_video").fn)
    assert "max-schnell" in str(schema.properties["preset"])


def test_causes_show_as_a_choice() -> None:
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow_at("flows.retry_failed.retry_failed").fn)
    assert "members only" in str(schema.definitions)


def test_what_is_no_flow_is_told() -> None:
    with pytest.raises(BadSettings, match="no flow"):
        flow_at("flows.process_video.the_way")


def test_without_the_plan_the_advice_is_to_install_from_the_checkout(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="pip install -e"):
        planned_deployments(tmp_path / "prefect.yaml")


def read(tmp_path: Path, text: str) -> tuple[ScheduledChannel, ...]:
    file = tmp_path / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    return scheduled_channels(file)


def test_the_committed_channels_start_nothing(settings: Settings) -> None:
    assert settings.channels_file.is_file()
    assert not [one for one in scheduled_channels(settings.channels_file) if one.active]


def test_an_entry_becomes_a_deployment_whose_parameters_the_flow_takes(tmp_path: Path) -> None:
    first, second = (entry.wanted() for entry in read(tmp_path, EVERY_FIELD))
    assert (first.full_name, second.full_name) == ("channel-sync/some-handle", "channel-sync/other")
    for wanted in (first, second):
        assert set(wanted.parameters) <= set(inspect.signature(wanted.flow.fn).parameters)
        wanted.flow.validate_parameters(wanted.parameters)
        assert wanted.queue in QUEUES
        assert wanted.alone
    assert first.clock is not None
    assert (first.clock.cron, first.clock.timezone) == ("15 6 * * *", "Europe/Berlin")
    assert second.clock is None, "an inactive one has no schedule"
    assert first.parameters["metadata"] == {"category": "lecture"}
    assert first.parameters["upload"] is False
    assert second.parameters == {"channel": "UCabcdefghijklmnopqrstuv", "upload": True}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{channel: '@a', cron: 'every day'}", "five fields"),
        ("{channel: '@a', cron: '99 * * * *'}", "cron"),
        ("{channel: '@a', cron: '0 1 * * *', timezone: Berlin}", "time zone"),
        ("{channel: '@a', cron: '0 1 * * *', colour: red}", "colour"),
        ("{channel: 'https://example.com/x', cron: '0 1 * * *'}", "channel"),
        ("{channel: '@a', cron: '0 1 * * *', preset: fast}", "preset"),
        ("{channel: '@a', cron: '0 1 * * *', selection: {latest: 1, everything: true}}", "exclude"),
        ("{cron: '0 1 * * *'}", "channel"),
    ],
)
def test_an_entry_that_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, entry: str, said: str
) -> None:
    with pytest.raises(BadSettings, match=said) as told:
        read(tmp_path, f"channels:\n  - {entry}\n")
    assert "\n" not in str(told.value)


def test_two_entries_of_one_name_are_told(tmp_path: Path) -> None:
    entry = "  - {channel: '@a', cron: '0 1 * * *'}\n"
    with pytest.raises(BadSettings, match="slug"):
        read(tmp_path, f"channels:\n{entry}{entry}")


def test_what_is_no_yaml_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"channels\.yaml is no YAML"):
        read(tmp_path, "channels: [")


def test_a_slug_is_made_from_the_address() -> None:
    assert slug_of("https://www.youtube.com/@Some.Handle") == "some-handle"
    assert slug_of("@Ünïcode") == "n-code"
    assert slug_of("@日本") == "channel"
