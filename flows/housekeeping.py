"""What a machine that works unattended needs once a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import TonspurError
from engine.settings import load
from engine.steps.retention import expire_media, spaces, sweep
from engine.steps.status import statuses
from flows.endings import ending
from tasks import pruning, report
from tasks.job import Job


@flow(name="housekeeping")
def housekeeping(
    media_kept_days: int | None = None, runs_kept_days: int | None = None
) -> State[Any]:
    """Remove what has had its time, free what nobody holds, and tell what the day brought.

    Args:
        media_kept_days: Days after which downloaded media go, once transcribed; the machine's
            setting if empty.
        runs_kept_days: Days for which runs that are over stay here; the machine's setting if empty.
    """
    now = datetime.now(UTC)
    try:
        wishes = {"media_kept_days": media_kept_days, "runs_kept_days": runs_kept_days}
        settings = load(**{name: wish for name, wish in wishes.items() if wish is not None})
        library = Job().library()
        media = expire_media(library, settings, now)
        swept = sweep(settings, now)
    except TonspurError as error:
        return ending(error)
    runs = pruning.old_runs(now, settings.runs_kept_days)
    freed = pruning.leaked_slot(settings.gpu_slot)
    places = spaces(settings)
    remarks = [
        f"{len(media)} media files and {len(swept)} leftovers removed, {runs} old runs deleted.",
        *(f"{one.free_bytes / 1e9:.0f} GB are free for {one.place}." for one in places),
        *(["The GPU slot was taken and nobody held it: it is free again."] if freed else []),
    ]
    report.publish_day(list(statuses(library)), now - timedelta(days=1), remarks)
    little = [one for one in places if one.is_little]
    if little:
        advice = "Make room, or set MEDIA_KEPT_DAYS."
        return Failed(name="Little disk space", message=f"{' '.join(remarks)} {advice}")
    return Completed(message=" ".join(remarks))
