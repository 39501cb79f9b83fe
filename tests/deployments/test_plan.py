"""`prefect.yaml` says what the code has."""

import inspect
from pathlib import Path

import pytest

from deployments.bootstrap import flow_at, planned_deployments
from deployments.worker import WORK_POOL
from engine.errors import BadSettings

PLANNED = planned_deployments()


@pytest.mark.parametrize("entry", PLANNED, ids=[entry["name"] for entry in PLANNED])
def test_every_deployment_has_a_flow_that_takes_its_parameters(entry: dict[str, object]) -> None:
    flow = flow_at(str(entry["entrypoint"]))
    assert flow.name == entry["name"]
    assert set(entry.get("parameters", {})) <= set(inspect.signature(flow.fn).parameters)
    assert entry["work_pool"] == {"name": WORK_POOL}


@pytest.mark.parametrize("entry", PLANNED, ids=[entry["name"] for entry in PLANNED])
def test_every_parameter_is_explained_on_the_form(entry: dict[str, object]) -> None:
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow_at(str(entry["entrypoint"])).fn)
    assert all(field.get("description") for field in schema.properties.values())


def test_presets_show_as_a_choice() -> None:
    from prefect.utilities.callables import parameter_schema

    schema = parameter_schema(flow_at("flows.process_video.process_video").fn)
    assert "max-schnell" in str(schema.properties["preset"])


def test_what_is_no_flow_is_told() -> None:
    with pytest.raises(BadSettings, match="no flow"):
        flow_at("flows.process_video.the_way")


def test_without_the_plan_the_advice_is_to_install_from_the_checkout(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="pip install -e"):
        planned_deployments(tmp_path / "prefect.yaml")
