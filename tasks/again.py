"""Videos that failed are tried again: their own run once more, or a new one where there is none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments import run_deployment
from prefect.states import AwaitingRetry

from engine.errors import BadAddress
from engine.steps.recording import fingerprint
from engine.steps.status import VideoStatus
from engine.youtube import addresses
from tasks import queue
from tasks.job import Job

FILE_DEPLOYMENT = "process-file/process-file"
_OVER = (StateType.FAILED, StateType.CRASHED)
_ON_ITS_WAY = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_PAGE = 200
_STARTS = 15


@dataclass(frozen=True)
class Known:
    """What Prefect knows of the runs of videos that did not end well, by video id."""

    over: dict[str, FlowRun]
    on_their_way: frozenset[str]

    @property
    def unexplained(self) -> list[str]:
        """Videos whose last run did not end well for a reason that may pass.

        Their sidecars may not say so: it crashed, or it was Prefect that failed. Runs that were
        started all too often are left to people.
        """
        return [
            video_id
            for video_id, run in self.over.items()
            if not (run.state_name or "").startswith("Permanent") and run.run_count < _STARTS
        ]


@dataclass(frozen=True)
class Tried:
    """A video that is tried again, and by which run."""

    video_id: str
    run_id: UUID


def known() -> Known:
    """The last run of every video that failed or crashed, and who has one that is not over."""
    with get_client(sync_client=True) as client:
        on_their_way = frozenset(video_id for video_id, _ in _runs(client, _ON_ITS_WAY))
        over: dict[str, FlowRun] = {}
        for video_id, run in _runs(client, _OVER):
            over.setdefault(video_id, run)
    return Known(over, on_their_way)


def again(videos: Iterable[VideoStatus], runs: Known, job: Job) -> list[Tried]:
    """Try these again; whose run waits or works already is left to that."""
    return [tried for video in videos if (tried := _again(video, runs, job))]


def _again(video: VideoStatus, runs: Known, job: Job) -> Tried | None:
    if video.video_id in runs.on_their_way:
        return None
    if run := runs.over.get(video.video_id):
        press_retry(run.id)
        return Tried(video.video_id, run.id)
    if video.media:
        return Tried(video.video_id, _file_run(video, job))
    return Tried(video.video_id, queue.queue_video(video.video_id, job, again=True).run_id)


def press_retry(run_id: UUID) -> None:
    """What the dashboard's Retry does: the same run, from its first step that is not done."""
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, AwaitingRetry(), force=False)


def _file_run(video: VideoStatus, job: Job) -> UUID:
    wishes = {name: value for name, value in job.parameters().items() if name != "media"}
    run = cast(
        FlowRun,
        run_deployment(
            FILE_DEPLOYMENT,
            parameters={"paths": [str(video.media)], **wishes},
            timeout=0,
            as_subflow=False,
            idempotency_key=f"{video.video_id}:{fingerprint(wishes)}:{video.at}",
        ),
    )
    return run.id


def _runs(
    client: SyncPrefectClient, states: tuple[StateType, ...]
) -> Iterator[tuple[str, FlowRun]]:
    """The runs of single videos in these states, the newest first."""
    of_videos = DeploymentFilter(name=DeploymentFilterName(any_=[queue.VIDEO_DEPLOYMENT_NAME]))
    chosen = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))))
    offset = 0
    while True:
        page = client.read_flow_runs(
            flow_run_filter=chosen,
            deployment_filter=of_videos,
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=_PAGE,
            offset=offset,
        )
        for run in page:
            try:
                yield addresses.video_id(str(run.parameters.get("video", ""))), run
            except BadAddress:
                continue  # the run failed for that
        if len(page) < _PAGE:
            return
        offset += _PAGE
