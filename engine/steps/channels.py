"""Channels that the library knows: an address is resolved once, then read from `channel.json`."""

from pathlib import Path

from engine.library.places import ChannelCard
from engine.library.shelf import Library
from engine.youtube import addresses
from engine.youtube.addresses import ChannelAddress
from engine.youtube.answers import Channel

_UPLOADS = "UU"  # the list of uploads is named like the channel, with UU in place of UC
_OLD_NAMES = ("user", "custom")
"""They stay with their channel; a handle may be given to another one."""


def known_channel(address: str, library: Library) -> Channel | None:
    """The channel that the library has under this address: one is resolved once."""
    wanted = _spelled(addresses.channel(address))
    for _, card in library.channels():
        if card.channel_id and wanted in _spellings(card):
            uploads = _UPLOADS + card.channel_id[len(_UPLOADS) :]
            return Channel(card.channel_id, card.handle, card.title or card.channel_id, uploads)
    return None


def home(library: Library, channel: Channel, address: str) -> Path:
    """The channel's folder; its card lets a later sync resolve the address for nothing."""
    found = ChannelCard(channel_id=channel.channel_id, handle=channel.handle, title=channel.title)
    given = addresses.channel(address)
    if given.kind in _OLD_NAMES:
        found = found.model_copy(update={"known_as": (_spelled(given),)})
    folder = library.home(found)
    library.keep_card(folder, found)
    return folder


def _spelled(address: ChannelAddress) -> str:
    name = address.value if address.kind == "id" else address.value.casefold()
    return f"{address.kind}:{name}"


def _spellings(card: ChannelCard) -> set[str]:
    handle = {f"handle:{card.handle.lstrip('@').casefold()}"} if card.handle else set()
    return {f"id:{card.channel_id}", *card.known_as} | handle
