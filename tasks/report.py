"""What runs found and did, for the dashboard and for the command that waits for them."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from engine.library.outcome import Outcome
from engine.odin.batch import UploadRow
from engine.settings import Settings
from engine.steps.discovery import Found
from engine.steps.status import VideoStatus
from engine.steps.summary import Summary, summarise
from engine.youtube.keys import KeyStanding, standings
from tasks.showing import plain

OUTCOMES_KEY = "sync-outcomes"
SUMMARY_KEY = "sync-summary"
DOCUMENTS_KEY = "uploaded-documents"
FAILURES_KEY = "sync-failures"
DAY_KEY = "day"
RETRIES_KEY = "failed-videos"
_SHOWN = 100


def publish(found: Found, outcomes: Sequence[Outcome], settings: Settings) -> Summary:
    """Put the report of a sync on the dashboard: counts, failures with advice, quota left."""
    channel = found.channel.title
    summary = summarise(found, outcomes)
    rows = [item.model_dump(mode="json") for item in outcomes]
    create_table_artifact(rows, key=OUTCOMES_KEY, description=f"Videos of {channel}")
    create_table_artifact([summary.model_dump()], key=SUMMARY_KEY, description=f"Sync of {channel}")
    page = sync_page(channel, summary, outcomes, standings(settings))
    create_markdown_artifact(page, key="sync-report", description=f"Sync of {channel}")
    failures = [
        {"video": item.video_id, "title": item.title, "reason and advice": item.reason}
        for item in outcomes
        if item.status == "failed"
    ]
    if failures:
        create_table_artifact(failures, key=FAILURES_KEY, description=f"Failures of {channel}")
    return summary


def sync_page(
    channel: str, summary: Summary, outcomes: Sequence[Outcome], keys: Sequence[KeyStanding]
) -> str:
    """The report in Markdown; what asks for somebody's attention comes first."""
    lines = [f"# {plain(channel)}", "", summary.sentence(), ""]
    for status in ("failed", "deferred", "done", "skipped"):
        these = [item for item in outcomes if item.status == status]
        lines += [f"## {len(these)} {status}", ""] if these else []
        for item in these[:_SHOWN]:
            said = item.reason or str(item.transcript or "")
            lines.append(f"- {plain(item.title or item.video_id or '')}: {plain(said)}")
        if len(these) > _SHOWN:
            lines.append(f"- … and {len(these) - _SHOWN} more in the table")
        lines += [""] if these else []
    spent = f"{summary.quota_units} units and {summary.quota_searches} searches were spent."
    lines += ["## Quota", "", spent, ""]
    for key in keys:
        left = max(0, key.units_budget - key.spent.units)
        left = 0 if key.spent.units_exhausted else left
        again = f"{key.reset_at:%H:%M} UTC"
        lines.append(f"- key {key.name}: {left} of {key.units_budget} units left until {again}")
    return "\n".join(lines)


def publish_documents(rows: Sequence[UploadRow]) -> None:
    """Put what became of each file on the dashboard."""
    table = [row.model_dump(mode="json") for row in rows]
    create_table_artifact(table, key=DOCUMENTS_KEY, description="Documents")


def publish_retries(failed: Sequence[VideoStatus], tried: Collection[str]) -> None:
    """Put on the dashboard which videos failed, why, and what is done about it."""
    rows = [
        {
            "video": video.video_id,
            "title": video.title,
            "channel": video.channel,
            "cause": video.cause,
            "reason": video.reason,
            "tries": video.tries,
            "now": "tried again" if video.video_id in tried else "its run is on its way",
        }
        for video in failed
    ]
    create_table_artifact(rows, key=RETRIES_KEY, description="Failed videos")


def publish_day(videos: Sequence[VideoStatus], since: datetime, remarks: Sequence[str]) -> None:
    """Put on the dashboard what became of each channel's videos since then."""
    create_markdown_artifact(
        day_page(videos, since, remarks), key=DAY_KEY, description="What the day brought"
    )


def day_page(videos: Sequence[VideoStatus], since: datetime, remarks: Sequence[str]) -> str:
    """The day in Markdown: a line for each channel, then its failures."""
    lines = [f"# Since {since:%Y-%m-%d %H:%M} UTC", "", *(f"- {plain(one)}" for one in remarks), ""]
    lines += ["| channel | done | failed | deferred | waiting |", "|---|---|---|---|---|"]
    channels = sorted({video.channel or "Local files" for video in videos})
    for channel in channels:
        mine = [video for video in videos if (video.channel or "Local files") == channel]
        new = Counter(v.state for v in mine if v.at is not None and v.at >= since)
        waiting = sum(video.state == "waiting" for video in mine)
        counts = f"{new['done']} | {new['failed']} | {new['deferred']} | {waiting}"
        lines.append(f"| {plain(channel)} | {counts} |")
    failed = [v for v in videos if v.state == "failed" and v.at is not None and v.at >= since]
    for video in failed[:_SHOWN]:
        later = f"; again {video.next_try:%Y-%m-%d %H:%M} UTC" if video.next_try else ""
        said = plain(video.reason or "")
        lines += ["", f"- **{plain(video.title or video.video_id)}**: {said}{later}"]
    return "\n".join(lines)


def nothing_found(channel: str, quota_units: int) -> None:
    """The report of a sync that came to an end before it knew what is there."""
    summary = Summary(found=0, new=0, quota_units=quota_units)
    create_table_artifact([], key=OUTCOMES_KEY, description=f"Videos of {channel}")
    create_table_artifact([summary.model_dump()], key=SUMMARY_KEY, description=f"Sync of {channel}")
