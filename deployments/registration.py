"""One deployment at the server: made, changed, or found as it should be."""

from dataclasses import dataclass, field
from typing import Any, Literal

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow

from deployments.forms import form_of

DEFAULT_QUEUE = "default"
SYNCS_QUEUE = "syncs"
SCHEDULED_QUEUE = "scheduled"
QUEUES = {
    DEFAULT_QUEUE: "Videos, files and documents: any machine.",
    SYNCS_QUEUE: "Syncs that somebody asks for: the one machine that syncs.",
    SCHEDULED_QUEUE: "What runs by the clock: the one machine that is always up.",
}
"""The queues of the work pool, and who serves them."""

Change = Literal["found", "made", "changed"]


@dataclass(frozen=True)
class Clock:
    """When a deployment runs by itself, and what it is given then beside its own parameters."""

    cron: str
    timezone: str = "UTC"
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A deployment as it should be; `alone` cancels a run that would begin beside another one."""

    flow: Flow[..., Any]
    name: str
    entrypoint: str
    pool: str
    queue: str = DEFAULT_QUEUE
    description: str | None = None
    tags: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    alone: bool = False

    @property
    def full_name(self) -> str:
        """What people and `run_deployment` call it."""
        return f"{self.flow.name}/{self.name}"


def register(client: SyncPrefectClient, wanted: Wanted) -> Change:
    """Have the deployment as it is wanted.

    A schedule that somebody paused on the dashboard stays paused until its time is changed.
    """
    known = _known(client, wanted)
    schema = form_of(wanted.flow)
    if known and not _differences(known, wanted, schema):
        return "found"
    alone = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    client.create_deployment(
        flow_id=client.create_flow(wanted.flow),
        name=wanted.name,
        description=wanted.description,
        entrypoint=wanted.entrypoint,
        work_pool_name=wanted.pool,
        work_queue_name=wanted.queue,
        tags=list(wanted.tags),
        parameters=wanted.parameters,
        parameter_openapi_schema=schema,
        enforce_parameter_schema=True,
        pull_steps=[],
        schedules=_schedules(known, wanted),
        concurrency_limit=1 if wanted.alone else None,
        concurrency_options=alone if wanted.alone else None,
    )
    return "changed" if known else "made"


def _known(client: SyncPrefectClient, wanted: Wanted) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(wanted.full_name)
    except ObjectNotFound:
        return None


def is_as_wanted(client: SyncPrefectClient, wanted: Wanted) -> tuple[bool, str]:
    """Whether the deployment is at the server as it should be, and what is not so."""
    known = _known(client, wanted)
    if known is None:
        return False, "missing"
    schema = form_of(wanted.flow)
    differences = _differences(known, wanted, schema)
    return not differences, f"other {', '.join(differences)}" if differences else "there"


def _differences(known: DeploymentResponse, wanted: Wanted, schema: dict[str, Any]) -> list[str]:
    limit = known.global_concurrency_limit
    pairs = {
        "schedule": (_clock_of(known), wanted.clock),
        "entrypoint": (known.entrypoint, wanted.entrypoint),
        "description": (known.description, wanted.description),
        "tags": (set(known.tags), set(wanted.tags)),
        "parameters": (known.parameters, wanted.parameters),
        "form": (known.parameter_openapi_schema, schema),
        "work pool": (known.work_pool_name, wanted.pool),
        "work queue": (known.work_queue_name, wanted.queue),
        "limit": (limit.limit if limit else None, 1 if wanted.alone else None),
    }
    return [name for name, (there, right) in pairs.items() if there != right]


def _clock_of(known: DeploymentResponse) -> Clock | None:
    if len(known.schedules) != 1:
        return None
    [one] = known.schedules
    if not isinstance(one.schedule, CronSchedule):
        return None
    return Clock(one.schedule.cron, one.schedule.timezone or "UTC", one.parameters)


def _schedules(known: DeploymentResponse | None, wanted: Wanted) -> list[DeploymentScheduleCreate]:
    if wanted.clock is None:
        return []
    same = known is not None and _clock_of(known) == wanted.clock
    active = known.schedules[0].active if known is not None and same else True
    schedule = CronSchedule(cron=wanted.clock.cron, timezone=wanted.clock.timezone)
    given = wanted.clock.parameters
    return [DeploymentScheduleCreate(schedule=schedule, active=active, parameters=given)]
