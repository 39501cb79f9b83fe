"""The Data API v3: channels, lists of videos, and what videos.list knows about each."""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import SecretStr

from engine.errors import (
    ServiceTrouble,
    TonspurError,
    UnknownChannel,
    UnknownPlaylist,
)
from engine.settings import Settings
from engine.video import Video
from engine.youtube import answers
from engine.youtube.addresses import ChannelAddress
from engine.youtube.answers import Channel, Entry, Playlist
from engine.youtube.api_errors import ApiRefusal, Meaning, classify
from engine.youtube.keys import KeyRing, ring
from engine.youtube.paging import Answer, pages
from engine.youtube.transport import TIMEOUT, ApiHttp

PAGE = 50
"""What one unit buys at most: entries of a page, or ids of videos.list."""
_FILTERS = {
    "id": ("id",),
    "handle": ("forHandle",),
    "user": ("forUsername",),
    # Never search.list: it guesses, and has 100 calls a day.
    "custom": ("forHandle", "forUsername"),
}

Row = TypeVar("Row")


class Catalog:
    """The Data API with the keys of the settings; for one thread, opened with its first request.

    Every method may raise what the key ring raises: MissingCredentials, RefusedCredentials,
    QuotaUsedUp, NetworkTrouble, ServiceTrouble.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        keys: KeyRing | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._endpoint = settings.yt_api_endpoint.rstrip("/") + "/"
        self._keys = keys or ring(settings)
        self._timeout = timeout
        self._service: Any = None
        self._collections: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connection back; the next request opens a new one."""
        if self._service is not None:
            self._service.close()
            self._service = None
            self._collections.clear()
        self._keys.close()

    @property
    def units(self) -> int:
        """Quota units that this catalog has charged so far."""
        return self._keys.charged["units"]

    @property
    def searches(self) -> int:
        """Searches that this catalog has charged so far."""
        return self._keys.charged["searches"]

    def channel(self, address: ChannelAddress) -> Channel:
        """The channel of an address; one unit, two for an old `/c/` name.

        Raises:
            UnknownChannel: YouTube knows none.
        """
        unknown = UnknownChannel(f"YouTube knows no channel “{address.value}”.")
        for name in _FILTERS[address.kind]:
            value = f"@{address.value}" if name == "forHandle" else address.value
            asked = {"part": "snippet,contentDetails", name: value}
            answer = self._ask("channels", unknown, asked)
            found = next(answers.channels(answer), None)
            if found:
                return found
        raise unknown

    def uploads(self, channel: Channel, kind: str | None = None) -> Iterator[list[Entry]]:
        """Pages of the channel's uploads, newest first; each is asked for when it is wanted.

        YouTube lists about 20,000 at most. A channel without uploads has no page. `kind` names the
        list of one kind by its beginning, such as UUSH.

        Raises:
            ServiceTrouble: YouTube refuses the list, or forgets it in the middle: what came so far
                is not all of it.
        """
        refused = ServiceTrouble(f"YouTube refuses the uploads of {channel.channel_id}, for now.")
        name = kind + channel.channel_id[2:] if kind else channel.uploads_playlist
        begun = False
        try:
            for page in self._pages_of(name):
                begun = True
                yield page
        except ApiRefusal as refusal:
            if refusal.meaning is Meaning.GONE and not begun:
                return
            trouble = _leaf(refusal, refused)
        else:
            return
        raise trouble

    def playlist(self, playlist_id: str) -> Iterator[list[Entry]]:
        """Pages of a playlist in its own order.

        Raises:
            UnknownPlaylist: YouTube knows none, or it is private.
        """
        missing = UnknownPlaylist(f"YouTube knows no playlist {playlist_id}, or it is private.")
        return self._pages("playlistItems", missing, _listing(playlist_id), _entries_by_id)

    def playlists(self, channel_id: str) -> Iterator[list[Playlist]]:
        """Pages of the channel's public playlists.

        Raises:
            UnknownChannel: YouTube knows no such channel.
        """
        unknown = UnknownChannel(f"YouTube knows no channel {channel_id}.")
        asked = {"part": "snippet,contentDetails", "channelId": channel_id}
        yield from self._pages("playlists", unknown, asked, _playlists_by_id)

    def videos(self, ids: Iterable[str]) -> dict[str, Video]:
        """What videos.list tells, 50 ids a unit; videos that it does not show are absent."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Video] = {}
        parts = "snippet,contentDetails,statistics,status,liveStreamingDetails"
        refused = ServiceTrouble("YouTube refuses to tell about these videos.")
        for start in range(0, len(wanted), PAGE):
            batch = wanted[start : start + PAGE]
            answer = self._ask("videos", refused, {"part": parts, "id": ",".join(batch)})
            told = {video.video_id: video for video in answers.videos(answer)}
            found |= {video_id: told[video_id] for video_id in batch if video_id in told}
        return found

    def _pages_of(self, playlist_id: str) -> Iterator[list[Entry]]:
        return self._read("playlistItems", _listing(playlist_id), _entries_by_id)

    def _read(
        self, collection: str, asked: dict[str, Any], read: Callable[[Answer], dict[str, Row]]
    ) -> Iterator[list[Row]]:
        def ask(token: str | None) -> Answer:
            return self._answer(collection, asked | {"maxResults": PAGE, "pageToken": token})

        return pages(ask, read)

    def _pages(
        self,
        collection: str,
        missing: TonspurError,
        asked: dict[str, Any],
        read: Callable[[Answer], dict[str, Row]],
    ) -> Iterator[list[Row]]:
        try:
            yield from self._read(collection, asked, read)
        except ApiRefusal as refusal:
            trouble = _leaf(refusal, missing)
        else:
            return
        raise trouble

    def _ask(self, collection: str, missing: TonspurError, asked: dict[str, Any]) -> Answer:
        try:
            return self._answer(collection, asked)
        except ApiRefusal as refusal:
            trouble = _leaf(refusal, missing)
        raise trouble

    def _answer(self, collection: str, asked: dict[str, Any]) -> Answer:
        if collection not in self._collections:  # a millisecond each time
            self._collections[collection] = getattr(self._opened(), collection)()
        listing = self._collections[collection].list

        def send(key: SecretStr) -> Answer:
            request = listing(**asked)
            request.headers["X-Goog-Api-Key"] = key.get_secret_value()
            return _executed(request)

        return self._keys.ask(send)

    def _opened(self) -> Any:
        if self._service is None:
            # Imported here: 0.3 s that a sync with nothing new does not need.
            from googleapiclient.discovery import build

            # No `developerKey`: it would put the key into every URL.
            self._service = build(
                "youtube",
                "v3",
                http=ApiHttp(self._timeout),
                static_discovery=True,
                cache_discovery=False,
                client_options={"api_endpoint": self._endpoint},
            )
        return self._service


def _executed(request: Any) -> Answer:
    from googleapiclient.errors import HttpError

    try:
        answer = request.execute(num_retries=0)
    except HttpError as error:
        refusal = classify(error.resp.status, error.content)
    except (ValueError, RecursionError):
        refusal = _damaged()
    else:
        if isinstance(answer, dict):
            return answer
        refusal = _damaged()
    # Raised outside of the handlers: HttpError must not hang on it as its context.
    raise refusal


def _damaged() -> ApiRefusal:
    return ApiRefusal(Meaning.SERVICE, 200, "damaged answer", "")


def _leaf(refusal: ApiRefusal, missing: TonspurError) -> TonspurError:
    if refusal.meaning in (Meaning.GONE, Meaning.FORBIDDEN):
        return missing
    return ServiceTrouble(f"YouTube's Data API does not take the request ({refusal}).")


def _listing(playlist_id: str) -> dict[str, Any]:
    return {"part": "snippet,contentDetails", "playlistId": playlist_id}


def _entries_by_id(answer: Answer) -> dict[str, Entry]:
    return {entry.video_id: entry for entry in answers.entries(answer)}


def _playlists_by_id(answer: Answer) -> dict[str, Playlist]:
    return {playlist.playlist_id: playlist for playlist in answers.playlists(answer)}
