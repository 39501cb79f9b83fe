"""Whether the server has what the bootstrap makes, and is set as the GPU slot needs it."""

from typing import Any

import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from deployments import automations, notices
from deployments.bootstrap import GPU_SLOTS, wanted_deployments
from deployments.checks import Check
from deployments.registration import QUEUES, is_as_wanted
from deployments.worker import WORK_POOL
from engine.settings import Settings
from tasks.slot import limit_of

_LEASES = "prefect.server.concurrency.lease_storage.filesystem"
_LONGEST_WAIT_S = 5.0


def check(settings: Settings) -> list[Check]:
    """Look at everything, change nothing. Needs PREFECT_API_URL in the environment."""
    with get_client(sync_client=True) as client:
        rows = [_pool(client), *_queues(client), _slot(client, settings)]
        rows.append(_automation(client, automations.silent_runs().name))
        if settings.notify_url:
            rows.append(_automation(client, notices.NAME))
        for one in wanted_deployments(settings):
            there, said = is_as_wanted(client, one)
            rows.append(_row(f"deployment {one.full_name}", there, said))
        return [*rows, _version(client), *_server(client, settings)]


def _row(name: str, there: bool, said: str) -> Check:
    fix = None if there else "Run `python -m deployments`."
    return Check(check=name, status="ok" if there else "fail", found=said, fix=fix)


def _pool(client: SyncPrefectClient) -> Check:
    try:
        pool = client.read_work_pool(WORK_POOL)
    except ObjectNotFound:
        return _row(f"work pool {WORK_POOL}", there=False, said="missing")
    paused = " and paused" if pool.is_paused else ""
    return _row(f"work pool {WORK_POOL}", not pool.is_paused, f"there{paused}")


def _queues(client: SyncPrefectClient) -> list[Check]:
    try:
        known = {one.name for one in client.read_work_queues(work_pool_name=WORK_POOL)}
    except ObjectNotFound:
        known = set()
    return [
        _row(f"work queue {name}", name in known, "there" if name in known else "missing")
        for name in QUEUES
    ]


def _slot(client: SyncPrefectClient, settings: Settings) -> Check:
    name = f"tag limit {settings.gpu_slot}"
    try:
        known = client.read_global_concurrency_limit_by_name(limit_of(settings.gpu_slot))
    except ObjectNotFound:
        return _row(name, there=False, said="missing")
    return _row(name, known.limit == GPU_SLOTS, f"{known.limit}, {known.active_slots} taken")


def _automation(client: SyncPrefectClient, name: str) -> Check:
    known = client.read_automations_by_name(name)
    fine = len(known) == 1 and known[0].enabled
    said = "there" if fine else "switched off" if known else "missing"
    return _row(f"automation `{name}`", fine, said)


def _version(client: SyncPrefectClient) -> Check:
    theirs = client.api_version()
    found, name = f"{theirs}, here {prefect.__version__}", "version of the server"
    if theirs == prefect.__version__:
        return Check(check=name, status="ok", found=found)
    # Prefect's clients refuse another major version, and serve older and newer ones as they can
    foreign = theirs.split(".")[0] != prefect.__version__.split(".")[0]
    fix = f'pip install "prefect=={prefect.__version__}" where the server runs, and start it anew.'
    return Check(check=name, status="fail" if foreign else "warn", found=found, fix=fix)


def _server(client: SyncPrefectClient, settings: Settings) -> list[Check]:
    told = client.request("GET", "/admin/settings").json().get("server", {})

    def setting(*path: str) -> Any:
        value: Any = told
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    leases = setting("concurrency", "lease_storage")
    tag_wait = setting("tasks", "tag_concurrency_slot_wait_seconds")
    guarded = bool(setting("api", "auth_string"))
    quick = isinstance(tag_wait, (int, float)) and tag_wait <= _LONGEST_WAIT_S
    return [
        Check(
            check="leases of slots on disk",
            status="ok" if leases == _LEASES else "fail",
            found=str(leases),
            fix=None
            if leases == _LEASES
            else f"Start the server with PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE={_LEASES}.",
        ),
        Check(
            check="wait for the GPU slot",
            status="ok" if quick else "warn",
            found=f"{tag_wait} s",
            fix=None
            if quick
            else "Set PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS=0.5 at the server.",
        ),
        Check(
            check="password of the API",
            status="ok" if guarded or not settings.prefect_api_url else "warn",
            found="set" if guarded else "none",
            fix=None
            if guarded
            else "Set PREFECT_SERVER_API_AUTH_STRING where others can reach the server.",
        ),
    ]
