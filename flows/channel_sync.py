"""What is new on a channel, and a run for each new video."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import Busy, QuotaUsedUp, TonspurError
from engine.library import locks
from engine.library.outcome import Outcome, outcome
from engine.odin.credentials import require_credentials
from engine.odin.signature import Signature
from engine.settings import MediaFormat, PresetName
from engine.steps.discovery import Found, as_left_out
from engine.youtube.selection import Take, choose
from engine.youtube.verdicts import Planned
from flows.endings import ending
from tasks import discovery, queue, report
from tasks.job import Job
from tasks.showing import run_name

_A_DAY = 86_400.0


@flow(name="channel-sync", flow_run_name="sync of {channel}")
def channel_sync(
    channel: str,
    latest: int | None = None,
    since: date | None = None,
    until: date | None = None,
    most_viewed: int | None = None,
    playlist: str | None = None,
    everything: bool = False,
    published_after: date | None = None,
    shorts: Take = "with",
    streams: Take = "with",
    shortest: float | None = None,
    longest: float | None = None,
    title: str | None = None,
    backlog_cap: int | None = None,
    upload: bool = True,
    preset: PresetName | None = None,
    model: str | None = None,
    language: str | None = None,
    media: MediaFormat | None = None,
    metadata: Signature | None = None,
    project: str | None = None,
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
        published_after: Never anything older than this day.
        shorts: With Shorts, without, or only Shorts.
        streams: With recorded live streams, without, or only they.
        shortest: Only what lasts at least so many seconds.
        longest: Only what lasts at most so many seconds.
        title: Only titles that match this regular expression, in any case.
        backlog_cap: Videos that are queued at a time; the machine's setting if empty.
        upload: Bring the transcripts into the knowledge base.
        preset: How much is transcribed at a time; the machine's setting if empty.
        model: Whisper model; the machine's setting if empty.
        language: Language code, or auto; the machine's setting if empty.
        media: What is kept of a video: best sound, mp3 or mp4; the machine's setting if empty.
        metadata: What the documents say of who is behind them; the machine's settings if empty.
        project: ODIN project; the machine's setting if empty.
        wait: Work through the selection wave by wave and end with the last video; otherwise one
            wave is queued and the rest is left to the next sync.
    """
    job = Job(preset, model, language, media, metadata, project)
    try:
        if upload:
            require_credentials(job.settings())
        selection = choose(
            latest=latest,
            since=since,
            until=until,
            most_viewed=most_viewed,
            playlist=playlist,
            everything=everything,
            published_after=published_after,
            shorts=shorts,
            streams=streams,
            shortest=shortest,
            longest=longest,
            title=title,
        )
        cap = backlog_cap or job.settings().yt_backlog_cap
        found = discovery.discover(channel, selection, job, cap)
        lock = ("channel", found.channel.channel_id)
        with locks.held(job.settings().locks_dir, *lock, _A_DAY if wait else 0):
            return the_sync(found, job, cap, upload, wait)
    except Busy as error:
        return Completed(name="Skipped", message=str(error))
    except QuotaUsedUp as error:
        queue.queue_this_again(error.not_before)
        report.nothing_found(channel, error.spent)
        return ending(error)
    except TonspurError as error:
        return ending(error)


def the_sync(found: Found, job: Job, cap: int, upload: bool, wait: bool) -> State[Any]:
    """Write down, queue, wait if asked to, and report; wave by wave."""
    for item in found.left_out:
        if item.not_before:  # a later sync would not look below the newest that it knows
            video_id = item.video.video_id
            queue.queue_video(video_id, job, upload=upload, not_before=item.not_before)
    outcomes = as_left_out(found)
    rest: list[Planned] = []
    for number, wave in enumerate(waves(found.planned, cap)):
        if number and not wait:
            rest += wave
            continue
        entries = discovery.keep_metadata(wave, job)
        runs = [
            queue.queue_video(
                item.video.video_id, job, upload=upload, name=run_name(item.video), again=wait
            )
            for item in wave
        ]
        ends = {run.run_id: run.ended for run in runs}
        if wait:
            ends |= queue.wait_for(ends)
        for entry, run in zip(entries, runs, strict=True):
            said = outcome(entry, job.library().read(entry))
            outcomes.append(queue.with_its_end(said, ends[run.run_id]))
    discovery.remember(found, rest, job)
    summary = report.publish(found, outcomes + [backlog(item) for item in rest], job.settings())
    if summary.failed:
        return Failed(name="Videos failed", message=summary.sentence())
    return Completed(message=summary.sentence())


def waves(planned: Sequence[Planned], cap: int) -> Iterator[Sequence[Planned]]:
    """The videos in portions of at most `cap`."""
    for start in range(0, len(planned), cap):
        yield planned[start : start + cap]


def backlog(item: Planned) -> Outcome:
    """A video that is left to the next sync."""
    video_id, title = item.video.video_id, item.video.title
    return Outcome(video_id=video_id, title=title, status="deferred", reason="backlog")
