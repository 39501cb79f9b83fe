"""What a sync found and did, for the dashboard and for the command that waits for it."""

from collections import Counter
from collections.abc import Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from pydantic import BaseModel, ConfigDict

from engine.library.outcome import Outcome
from engine.steps.discovery import Found

OUTCOMES_KEY = "sync-outcomes"
SUMMARY_KEY = "sync-summary"


class Summary(BaseModel):
    """The counts of one sync; `quota_units` is what the ledger charged."""

    model_config = ConfigDict(frozen=True)

    found: int
    new: int
    done: int = 0
    skipped: int = 0
    deferred: int = 0
    failed: int = 0
    planned: int = 0
    quota_units: int = 0
    quota_searches: int = 0

    def sentence(self) -> str:
        """The counts in words."""
        return (
            f"{self.found} found, {self.new} new: {self.done} done, {self.skipped} skipped, "
            f"{self.deferred} deferred, {self.failed} failed."
        )


def summarise(found: Found, outcomes: Sequence[Outcome]) -> Summary:
    """Count the outcomes of a sync."""
    counts = Counter(outcome.status for outcome in outcomes)
    return Summary(
        found=found.seen,
        new=found.new,
        quota_units=found.quota_units,
        quota_searches=found.quota_searches,
        **counts,
    )


def publish(found: Found, outcomes: Sequence[Outcome]) -> Summary:
    """Put the report of a sync on the dashboard."""
    channel = found.channel.title
    summary = summarise(found, outcomes)
    rows = [item.model_dump(mode="json") for item in outcomes]
    create_table_artifact(rows, key=OUTCOMES_KEY, description=f"Videos of {channel}")
    create_table_artifact([summary.model_dump()], key=SUMMARY_KEY, description=f"Sync of {channel}")
    lines = [f"# {channel}", "", summary.sentence(), ""]
    lines += [f"- **{o.status}** {o.title}: {o.reason or o.transcript or ''}" for o in outcomes]
    create_markdown_artifact("\n".join(lines), key="sync-report", description=f"Sync of {channel}")
    return summary
