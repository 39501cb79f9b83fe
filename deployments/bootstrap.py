"""What the Prefect server must know before work can run; may run any number of times.

Needs PREFECT_API_URL in the environment.
"""

import importlib
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.flows import Flow

from deployments import automations, notices
from deployments.channels import TAG, scheduled_channels
from deployments.registration import DEFAULT_QUEUE, QUEUES, Clock, Wanted, register
from deployments.worker import WORK_POOL
from engine.errors import BadSettings
from engine.settings import Settings
from tasks.slot import limit_of

GPU_SLOTS = 1
_PLAN = Path(__file__).resolve().parents[1] / "prefect.yaml"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """One thing that the bootstrap looked after."""

    what: str
    change: str


def bootstrap(settings: Settings) -> list[Made]:
    """Work pool, queues, GPU slot, automations and deployments: found, made or changed.

    Raises:
        BadSettings: prefect.yaml is not where the installation has it, or an entry of
            channels.yaml cannot be used.
    """
    wanted = wanted_deployments(settings)
    with get_client(sync_client=True) as client:
        done = [
            _work_pool(client),
            *_queues(client),
            _gpu_slot(client, settings),
            _crash_detection(client),
        ]
        for one in wanted:
            done.append(Made(f"deployment {one.full_name}", register(client, one)))
        done.append(_notices(client, settings))
        done += _removed(client, {one.name for one in wanted if TAG in one.tags})
    return done


def wanted_deployments(settings: Settings) -> list[Wanted]:
    """Those of prefect.yaml, then one for each channel by the clock.

    Raises:
        BadSettings: as `bootstrap`.
    """
    planned = [_planned(entry) for entry in planned_deployments()]
    return planned + [channel.wanted() for channel in scheduled_channels(settings.channels_file)]


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


def _gpu_slot(client: SyncPrefectClient, settings: Settings) -> Made:
    what = f"tag limit {settings.gpu_slot} = {GPU_SLOTS}"
    try:
        known = client.read_global_concurrency_limit_by_name(limit_of(settings.gpu_slot))
    except ObjectNotFound:
        change = "made"
    else:
        change = "found" if known.limit == GPU_SLOTS and known.active else "changed"
    if change != "found":
        client.upsert_global_concurrency_limit_by_name(limit_of(settings.gpu_slot), GPU_SLOTS)
    return Made(what, change)


def _crash_detection(client: SyncPrefectClient) -> Made:
    wanted = automations.silent_runs()
    return Made(f"automation `{wanted.name}`", automations.ensure(client, wanted))


def _notices(client: SyncPrefectClient, settings: Settings) -> Made:
    return Made(f"automation `{notices.NAME}`", notices.ensure(client, settings.notify_url))


def _queues(client: SyncPrefectClient) -> list[Made]:
    known = {queue.name for queue in client.read_work_queues(work_pool_name=WORK_POOL)}
    for name in QUEUES.keys() - known:
        with suppress(ObjectAlreadyExists):  # another machine's bootstrap was quicker
            client.create_work_queue(name, description=QUEUES[name], work_pool_name=WORK_POOL)
    return [Made(f"work queue {name}", "found" if name in known else "made") for name in QUEUES]


def _planned(entry: dict[str, Any]) -> Wanted:
    schedules = entry.get("schedules", [])
    clocks = [
        Clock(one["cron"], one.get("timezone", "UTC"), one.get("parameters", {}))
        for one in schedules
    ]
    return Wanted(
        flow=flow_at(entry["entrypoint"]),
        name=entry["name"],
        entrypoint=entry["entrypoint"],
        pool=entry["work_pool"]["name"],
        queue=entry["work_pool"].get("work_queue_name", DEFAULT_QUEUE),
        description=entry.get("description"),
        tags=tuple(entry.get("tags", [])),
        parameters=entry.get("parameters", {}),
        clock=clocks[0] if clocks else None,
        alone=bool(entry.get("concurrency_limit")),
    )


def _removed(client: SyncPrefectClient, slugs: set[str]) -> list[Made]:
    """Deployments of channels that left the file; their runs stay on the dashboard.

    One whose run is under way only loses its schedule: without its limit the server could not end
    that run (seen with 3.8.8). The next time it goes.
    """
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    gone = [
        one for one in client.read_deployments(deployment_filter=tagged) if one.name not in slugs
    ]
    made = []
    for one in gone:
        busy = _is_under_way(client, one.id)
        if busy:
            for schedule in one.schedules:
                client.delete_deployment_schedule(one.id, schedule.id)
        else:
            client.delete_deployment(one.id)
        change = "unscheduled: its run is under way" if busy else "removed"
        made.append(Made(f"deployment channel-sync/{one.name}", change))
    return made


def _is_under_way(client: SyncPrefectClient, deployment_id: UUID) -> bool:
    begun = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    runs = client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=begun)),
        ),
        limit=1,
    )
    return bool(runs)
