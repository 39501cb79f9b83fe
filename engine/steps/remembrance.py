"""What a sync remembers of what it left out: one with nothing new then costs nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from engine.library import left_out
from engine.library.left_out import LeftOut
from engine.settings import Settings
from engine.steps.recording import fingerprint
from engine.video import Video
from engine.youtube.answers import WATCH_PAGE
from engine.youtube.selection import Selection
from engine.youtube.verdicts import Planned, viewer

LOOK_AGAIN = timedelta(days=7)
"""An obstacle may go away: a private video be published, an early access end."""


def of(
    folder: Path | None, selection: Selection, settings: Settings, now: datetime
) -> Mapping[str, Planned]:
    """The verdicts of earlier syncs on videos that need not be asked about again."""
    if folder is None or not _concerns(selection):
        return {}
    kept = left_out.read(folder, _asked_as(selection, settings, now), now)
    return {video_id: _planned(item) for video_id, item in kept.items()}


def keep(
    folder: Path,
    selection: Selection,
    items: Iterable[Planned],
    rest: Sequence[Planned],
    settings: Settings,
    now: datetime,
) -> None:
    """Remember what was left out, as far as everything older has a run or a sidecar.

    Args:
        folder: the channel's.
        selection: what was asked; only a whole channel is remembered.
        items: what was left out.
        rest: what was planned and has no sidecar yet.
        settings: who watches.
        now: the present, in UTC.
    """
    horizon = min((item.video.published_at for item in rest), default=None)
    older = [i for i in items if horizon is None or i.video.published_at < horizon]
    if older and _concerns(selection):
        asked_as = _asked_as(selection, settings, now)
        left_out.keep(folder, asked_as, (_left_out(item, now) for item in older), now)


def _concerns(selection: Selection) -> bool:
    """Whether the selection looks at the channel as a whole: all of it, or all that is new."""
    return selection.is_default or selection.everything


def _asked_as(selection: Selection, settings: Settings, now: datetime) -> str:
    who = viewer(settings, now)
    after = selection.published_after
    return fingerprint(selection.filters, after, who.country, who.signed_in)


def _left_out(item: Planned, now: datetime) -> LeftOut:
    return LeftOut(
        video_id=item.video.video_id,
        title=item.video.title,
        published_at=item.video.published_at,
        duration=item.video.duration,
        status="deferred" if item.verdict == "deferred" else "skipped",
        reason=item.reason,
        look_again=item.not_before or now + LOOK_AGAIN,
    )


def _planned(item: LeftOut) -> Planned:
    video = Video(
        video_id=item.video_id,
        published_at=item.published_at,
        title=item.title,
        duration=item.duration,
        webpage_url=WATCH_PAGE.format(id=item.video_id),
    )
    not_before = item.look_again if item.status == "deferred" else None
    return Planned(video, item.status, item.reason, not_before)
