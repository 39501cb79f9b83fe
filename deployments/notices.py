"""Word to somebody when runs fail: an automation, and the block that says where to."""

from datetime import timedelta

from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import CallWebhook, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from pydantic import SecretStr

from deployments import automations

NAME = "Tonspur: runs that failed"
_HOOK = "tonspur-notify-webhook"
_APPRISE = "tonspur-notify-apprise"
_WITHIN = timedelta(minutes=10)
"""One word for all that fails in this time; the dashboard has the rest."""
_SUBJECT = "Tonspur: {{ flow_run.state.name }}"
_BODY = "{{ flow_run.name }}\n{{ flow_run.state.message }}\n{{ flow_run|ui_url }}"
_JSON = '{"subject": {{ (flow_run.state.name)|tojson }}, "run": {{ flow_run.name|tojson }}, ' + (
    '"message": {{ flow_run.state.message|tojson }}, "url": {{ (flow_run|ui_url)|tojson }}}'
)


def ensure(client: SyncPrefectClient, url: SecretStr | None) -> str:
    """Have the automation for this address, or none without one; what was done.

    Args:
        client: of the server.
        url: a webhook (`https://…`, which gets JSON), or an address as Apprise has them
            (`slack://…`, `mailto://…`).
    """
    known = client.read_automations_by_name(NAME)
    if url is None:
        for one in known:
            client.delete_automation(one.id)
        return "removed" if known else "off"
    return automations.ensure(client, failures(_action(url)))


def failures(action: CallWebhook | SendNotification) -> AutomationCore:
    """Failed and crashed runs, whatever their states are called."""
    return AutomationCore(
        name=NAME,
        description="A word for the first of ten minutes; the dashboard shows the others.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.*"},
            match=ResourceSpecification(
                {
                    "prefect.resource.id": ["prefect.flow-run.*"],
                    "prefect.state-type": ["FAILED", "CRASHED"],
                }
            ),
            posture=Posture.Reactive,
            threshold=1,
            within=_WITHIN,
        ),
        actions=[action],
    )


def _action(url: SecretStr) -> CallWebhook | SendNotification:
    """The address lies in a block of the server, where it is encrypted."""
    if url.get_secret_value().startswith(("http://", "https://")):
        hook = Webhook(method="POST", url=url, headers={"Content-Type": "application/json"})
        block_id = hook.save(_HOOK, overwrite=True, _sync=True)
        return CallWebhook(block_document_id=block_id, payload=_JSON)
    # this block hands any address to Apprise, not Slack's alone
    block_id = SlackWebhook(url=url).save(_APPRISE, overwrite=True, _sync=True)
    return SendNotification(block_document_id=block_id, subject=_SUBJECT, body=_BODY)
