"""Videos that failed, tried again."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from engine.errors import TonspurError
from engine.steps.later import Again, chosen
from flows.endings import Cause, ending
from tasks import again, report
from tasks.job import Job


@flow(name="retry-failed")
def retry_failed(
    causes: list[Cause] | None = None,
    channel: str | None = None,
    permanent: bool = False,
    due: bool = False,
) -> State[Any]:
    """Try failed videos again, each from the step that failed.

    Args:
        causes: Only these failures, of whatever sort; all temporary ones if empty.
        channel: Only videos of this channel: @handle, URL or UC… id, as it was synced.
        permanent: Permanent failures too, where no cause is chosen.
        due: Only those whose next try is due by now; for runs by the clock.
    """
    job = Job()
    wanted = Again([cause.name for cause in causes or ()], permanent, due, channel=channel)
    try:
        runs = again.known()
        failed = chosen(job.library(), wanted, datetime.now(UTC), runs.unexplained)
        tried = again.again(failed, runs, job)
    except TonspurError as error:
        return ending(error)
    report.publish_retries(failed, {one.video_id for one in tried})
    return Completed(message=f"{len(tried)} of {len(failed)} failed videos are tried again.")
