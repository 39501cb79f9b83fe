"""Which of the videos that failed are tried again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from engine.errors import UnknownChannel
from engine.library.shelf import Library
from engine.steps.channels import known_channel
from engine.steps.status import VideoStatus, statuses


@dataclass(frozen=True)
class Again:
    """What a retry is asked for; without anything it takes all temporary failures at once.

    `causes` takes these leaves of the error tree alone, whatever their sort; `permanent` takes
    permanent failures too; `due` leaves alone whose next try is yet to come; `videos` names them
    one by one; `channel` is an address that was synced before.
    """

    causes: Collection[str] = ()
    permanent: bool = False
    due: bool = False
    videos: Collection[str] = ()
    channel: str | None = None

    def takes(self, status: VideoStatus, now: datetime) -> bool:
        """Whether this video is tried again."""
        if status.state != "failed":
            return False
        if self.videos:
            return status.video_id in self.videos
        if self.causes and status.cause not in self.causes:
            return False
        if self.due:
            return status.next_try is not None and status.next_try <= now
        return bool(self.causes) or self.permanent or status.sort != "permanent"


def chosen(
    library: Library, again: Again, now: datetime, unexplained: Collection[str] = ()
) -> list[VideoStatus]:
    """The videos that are tried again.

    Args:
        library: says what failed.
        again: what is asked for.
        now: the present, in UTC.
        unexplained: ids of videos whose last run did not end well; they count as failed for a time
            where the library knows of no failure.

    Raises:
        UnknownChannel: the library has no such channel.
    """
    folder = None
    if again.channel:
        known = known_channel(again.channel, library)
        if known is None:
            raise UnknownChannel(f"The library has no channel {again.channel}.")
        folder = library.folder_of_channel(known.channel_id)

    def fell(status: VideoStatus) -> bool:
        return status.video_id in unexplained and status.state == "waiting"

    any_cause = not again.causes and not again.videos
    return [
        status
        for status in statuses(library, folder)
        if again.takes(status, now) or (any_cause and fell(status))
    ]
