"""What the Prefect server must know before work can run; may run any number of times.

Needs PREFECT_API_URL in the environment.
"""

import importlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow
from prefect.utilities.callables import parameter_schema

from deployments import automations
from deployments.worker import WORK_POOL
from engine.errors import BadSettings
from tasks.slot import GPU_LIMIT, GPU_TAG

GPU_SLOTS = 1
_PLAN = Path(__file__).resolve().parents[1] / "prefect.yaml"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """One thing that the bootstrap looked after."""

    what: str
    change: str


def bootstrap() -> list[Made]:
    """Work pool, GPU slot and deployments, found or made.

    Raises:
        BadSettings: prefect.yaml is not where the installation has it.
    """
    with get_client(sync_client=True) as client:
        done = [_work_pool(client), _gpu_slot(client), _crash_detection(client)]
        done += [_deployment(client, entry) for entry in planned_deployments()]
    return done


def planned_deployments(plan: Path = _PLAN) -> list[dict[str, Any]]:
    """The deployments of prefect.yaml.

    Raises:
        BadSettings: there is no such file; Tonspur runs from its checkout (`pip install -e`).
    """
    if not plan.is_file():
        raise BadSettings(
            f"{plan} is missing: install Tonspur from its checkout, `pip install -e .`."
        )
    found: list[dict[str, Any]] = yaml.safe_load(plan.read_text(encoding="utf-8"))["deployments"]
    return found


def flow_at(entrypoint: str) -> Flow[..., Any]:
    """The flow that a dotted entry point names."""
    module, _, name = entrypoint.rpartition(".")
    flow = getattr(importlib.import_module(module), name)
    if not isinstance(flow, Flow):
        raise BadSettings(f"{entrypoint} in prefect.yaml is no flow.")
    return flow


def _work_pool(client: SyncPrefectClient) -> Made:
    try:
        client.read_work_pool(WORK_POOL)
    except ObjectNotFound:
        pool = WorkPoolCreate(name=WORK_POOL, type="process", description="The GPU workstation.")
        try:
            client.create_work_pool(pool)
        except ObjectAlreadyExists:
            return Made(f"work pool {WORK_POOL}", "found")
        return Made(f"work pool {WORK_POOL}", "made")
    return Made(f"work pool {WORK_POOL}", "found")


def _gpu_slot(client: SyncPrefectClient) -> Made:
    client.upsert_global_concurrency_limit_by_name(GPU_LIMIT, GPU_SLOTS)
    return Made(f"tag limit {GPU_TAG} = {GPU_SLOTS}", "set")


def _crash_detection(client: SyncPrefectClient) -> Made:
    wanted = automations.silent_runs()
    return Made(f"automation `{wanted.name}`", automations.ensure(client, wanted))


def _deployment(client: SyncPrefectClient, entry: dict[str, Any]) -> Made:
    flow = flow_at(entry["entrypoint"])
    client.create_deployment(
        flow_id=client.create_flow(flow),
        name=entry["name"],
        description=entry.get("description"),
        entrypoint=entry["entrypoint"],
        work_pool_name=entry["work_pool"]["name"],
        tags=entry.get("tags", []),
        parameters=entry.get("parameters", {}),
        parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
        enforce_parameter_schema=True,
        pull_steps=[],
    )
    return Made(f"deployment {flow.name}/{entry['name']}", "set")
