"""Where videos are and where new ones go, for many at a time: every folder is read once."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from engine.library import names
from engine.library.listing import Listing
from engine.video import Video

_UNKNOWN_CHANNEL = "Unknown channel"


class ChannelCard(BaseModel):
    """`channel.json`: what keeps a renamed channel in its folder."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    channel_id: str | None = None
    handle: str | None = None
    title: str | None = None
    known_as: tuple[str, ...] = ()
    """Old names (`user:…`, `custom:…`) that were resolved to this channel."""


def card_of(video: Video) -> ChannelCard:
    """The card of the channel that the video is from."""
    return ChannelCard(
        channel_id=video.channel_id, handle=video.channel_handle, title=video.channel_title
    )


class ChannelFolders:
    """Which folder each channel has or would get."""

    def __init__(self, root: Path, cards: Iterable[tuple[Path, ChannelCard]]) -> None:
        self._root = root
        listed = [*cards]
        self._known = {card.channel_id: folder for folder, card in listed if card.channel_id}
        self._owners = {folder.name.casefold(): card.channel_id for folder, card in listed}

    def of(self, card: ChannelCard) -> Path:
        """The folder of a channel; a new one gets a name that no other channel has."""
        if card.channel_id and (known := self._known.get(card.channel_id)):
            return known
        wanted = names.channel_folder(card.title or card.channel_id or _UNKNOWN_CHANNEL)
        name, number = wanted, 1
        while self._owners.get(name.casefold(), card.channel_id) != card.channel_id:
            number += 1
            name = f"{wanted} {number}"
        self._owners[name.casefold()] = card.channel_id
        if card.channel_id:
            self._known[card.channel_id] = self._root / name
        return self._root / name


class Places:
    """The places of videos in some folders; what is given away counts as taken."""

    def __init__(self, folders: Iterable[Path], channels: ChannelFolders) -> None:
        self._channels = channels
        self._listings = {folder: Listing(folder) for folder in folders}

    def known(self, video_id: str) -> tuple[Path, str] | None:
        """Folder and stem of a video that is there."""
        for folder, listing in self._listings.items():
            if stem := listing.stems.get(video_id):
                return folder, stem
        return None

    def free(self, video: Video, folder: Path | None = None) -> tuple[Path, str]:
        """Folder and stem for a video that is not there; in its channel's folder, or in this."""
        place = folder or self._channels.of(card_of(video))
        if place not in self._listings:
            self._listings[place] = Listing(place)
        stem = self._listings[place].free_stem(video)
        self._listings[place].add(stem, video.video_id)
        return place, stem
