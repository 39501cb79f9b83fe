"""What is new on a channel, and a run for each new video."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import Busy, TonspurError
from engine.library import locks
from engine.library.outcome import Outcome, outcome
from engine.library.shelf import Entry
from engine.odin.credentials import require_credentials
from engine.settings import PresetName
from engine.youtube.selection import Selection
from flows.endings import ending
from tasks import discovery, queue, report
from tasks.job import Job


@flow(name="channel-sync", flow_run_name="{channel}")
def channel_sync(
    channel: str,
    latest: int | None = None,
    since: date | None = None,
    until: date | None = None,
    most_viewed: int | None = None,
    playlist: str | None = None,
    everything: bool = False,
    upload: bool = True,
    preset: PresetName | None = None,
    model: str | None = None,
    language: str | None = None,
    wait: bool = False,
) -> State[Any]:
    """Queue a run for every new video of a channel.

    Without a selection it takes what is new since the newest video in the library; the first time,
    the newest of the backlog cap.

    Args:
        channel: Address of the channel: @handle, URL or UC… id.
        latest: The newest so many.
        since: From this day on.
        until: Up to this day.
        most_viewed: The most viewed so many.
        playlist: The videos of this playlist.
        everything: All videos.
        upload: Bring the transcripts into the knowledge base.
        preset: How much is transcribed at a time; the machine's setting if empty.
        model: Whisper model; the machine's setting if empty.
        language: Language code, or auto; the machine's setting if empty.
        wait: Work through the selection wave by wave and end with the last video; otherwise one
            wave is queued and the rest is left to the next sync.
    """
    job = Job(preset, model, language)
    selection = Selection(
        latest=latest,
        since=since,
        until=until,
        most_viewed=most_viewed,
        playlist=playlist,
        everything=everything,
    )
    try:
        settings = job.settings()
        if upload:
            require_credentials(settings)
        with locks.held(settings.locks_dir, "channel", channel, timeout_s=3600 if wait else 0):
            return the_sync(channel, selection, job, upload, wait)
    except Busy as error:
        return Completed(name="Skipped", message=str(error))
    except TonspurError as error:
        return ending(error)


def the_sync(channel: str, selection: Selection, job: Job, upload: bool, wait: bool) -> State[Any]:
    """Find, write down, queue, and report."""
    found = discovery.discover(channel, selection, job)
    entries = discovery.keep_metadata(found, job)
    outcomes: list[Outcome] = list(found.left_out)
    cap = job.settings().yt_backlog_cap
    for number, wave in enumerate(waves(entries, cap)):
        if number and not wait:
            outcomes += [_later(entry, job) for entry in wave]
            continue
        runs = [queue.queue_video(entry.video_id, job, upload=upload) for entry in wave]
        if wait:
            queue.wait_for(run.run_id for run in runs)
        outcomes += [_of(entry, job) for entry in wave]
    summary = report.publish(channel, found, outcomes)
    if wait and summary.failed:
        return Failed(name="Videos failed", message=summary.sentence())
    return Completed(message=summary.sentence())


def waves(entries: Sequence[Entry], cap: int) -> Iterator[Sequence[Entry]]:
    """The entries in portions of at most `cap`."""
    for start in range(0, len(entries), cap):
        yield entries[start : start + cap]


def _of(entry: Entry, job: Job) -> Outcome:
    return outcome(entry, job.library().read(entry))


def _later(entry: Entry, job: Job) -> Outcome:
    return _of(entry, job).model_copy(update={"status": "deferred", "reason": "backlog"})
