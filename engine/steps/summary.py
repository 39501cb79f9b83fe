"""The counts of one sync."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from engine.library.outcome import Outcome
from engine.steps.discovery import Found


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
    counts = Counter[str](outcome.status for outcome in outcomes)
    return Summary(
        found=found.seen,
        new=found.new,
        quota_units=found.quota_units,
        quota_searches=found.quota_searches,
        **counts,
    )
