"""What the Prefect server does by itself: runs that went silent are marked Crashed."""

from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from deployments.worker import HEARTBEAT_SECONDS

_SILENT = "Tonspur: a run that went silent has crashed"
_WITHIN = timedelta(seconds=3 * HEARTBEAT_SECONDS)


def silent_runs() -> AutomationCore:
    """A run whose heartbeat is followed by nothing has lost its process, and perhaps its worker.

    For machines that went down as a whole: `leftovers` is sooner where Tonspur itself lives on.
    """
    return AutomationCore(
        name=_SILENT,
        description="Without a word for 90 seconds: its process or machine is gone.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            # any event: our final states have names of their own
            expect={"prefect.flow-run.*"},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=_WITHIN,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="Its process ended without a word; retry it.",
            )
        ],
    )


def ensure(client: SyncPrefectClient, wanted: AutomationCore) -> str:
    """Have it once, as it is written here; `made` or `found`."""
    known = client.read_automations_by_name(wanted.name)
    if known:
        client.update_automation(known[0].id, wanted)
    else:
        client.create_automation(wanted)
    return "found" if known else "made"
