"""What runs found and did, for the dashboard and for the command that waits for them."""

from collections.abc import Collection, Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from engine.library.outcome import Outcome
from engine.odin.batch import UploadRow
from engine.steps.discovery import Found
from engine.steps.status import VideoStatus
from engine.steps.summary import Summary, summarise

OUTCOMES_KEY = "sync-outcomes"
SUMMARY_KEY = "sync-summary"
DOCUMENTS_KEY = "uploaded-documents"
RETRIES_KEY = "failed-videos"
_SHOWN = 200


def publish(found: Found, outcomes: Sequence[Outcome]) -> Summary:
    """Put the report of a sync on the dashboard."""
    channel = found.channel.title
    summary = summarise(found, outcomes)
    rows = [item.model_dump(mode="json") for item in outcomes]
    create_table_artifact(rows, key=OUTCOMES_KEY, description=f"Videos of {channel}")
    create_table_artifact([summary.model_dump()], key=SUMMARY_KEY, description=f"Sync of {channel}")
    lines = [f"# {channel}", "", summary.sentence(), ""]
    shown = outcomes[:_SHOWN]
    lines += [f"- **{o.status}** {o.title}: {o.reason or o.transcript or ''}" for o in shown]
    if len(outcomes) > _SHOWN:
        lines.append(f"- … and {len(outcomes) - _SHOWN} more in the table")
    create_markdown_artifact("\n".join(lines), key="sync-report", description=f"Sync of {channel}")
    return summary


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


def nothing_found(channel: str, quota_units: int) -> None:
    """The report of a sync that came to an end before it knew what is there."""
    summary = Summary(found=0, new=0, quota_units=quota_units)
    create_table_artifact([], key=OUTCOMES_KEY, description=f"Videos of {channel}")
    create_table_artifact([summary.model_dump()], key=SUMMARY_KEY, description=f"Sync of {channel}")
