"""Every way in which work can fail; the base says what becomes of it, the leaf says the cause.

TonspurError
├── Permanent                 trying again changes nothing
│   ├── ConfigurationError    the installation is wrong, not the item; exit status 2
│   │   ├── BadSettings · MissingCredentials · UnknownModel · BadCheckpoint · MissingProgram
│   │   ├── NoPermission (stops the batch)
│   ├── BadAddress · UnknownChannel · UnknownVideo · UnknownPlaylist
│   ├── UnavailableVideo      an obstacle that YouTube set up
│   │   ├── PrivateVideo · MembersOnly · AgeRestricted · RegionBlocked
│   │   ├── PaidVideo · GoneVideo
│   ├── BadMedia
│   │   ├── NotMedia · EmptyFile · NoSoundTrack
│   ├── RefusedDocument       ODIN AI does not take this file
│   │   ├── DocumentTooLarge · UnsupportedDocument
│   └── RefusedCredentials    ODIN AI or YouTube refused the keys; stops the batch
├── Temporary                 worth another try, with backoff; `soon`: within a minute already
│   ├── NetworkTrouble · ServiceTrouble · IncompleteDownload · UnknownTrouble
│   ├── ExtractorTrouble · MediaRefused · UnclearVideo · DrmProtected: later, not soon
│   ├── IndexingFailed · EngineDied · DiskFull (stops the batch)
│   ├── Busy                  another run holds what this one needs
│   ├── SyncFailed            a sync ended before it could report
└── Deferred                  nothing is wrong, it is too early; carries `not_before`
    ├── UpcomingVideo · LiveVideo · StillProcessing
    ├── QuotaUsedUp
    ├── BotWall · RateLimited stop the batch: who meets them has failed, the others wait
    └── DownloadsPaused       such another one
"""

from datetime import datetime
from typing import ClassVar


class TonspurError(Exception):
    """Base of all: the message says what happened, `advice` what to do about it.

    `later_h` are the hours from one try to the next; when they are used up, or empty, there is none
    but on request.
    """

    advice: ClassVar[str] = ""
    stops_batch: ClassVar[bool] = False
    later_h: ClassVar[tuple[float, ...]] = ()

    def __str__(self) -> str:
        said = super().__str__()
        return f"{said} {self.advice}" if self.advice else said


class Permanent(TonspurError):
    """Trying again changes nothing."""


class Temporary(TonspurError):
    """Worth another try after a pause; `soon` says whether one within a minute may help."""

    soon: ClassVar[bool] = True
    later_h: ClassVar[tuple[float, ...]] = (1, 2, 4, 8, 24, 24, 24)


class Deferred(TonspurError):
    """Too early: worth a try of its own from `not_before` (UTC) on."""

    def __init__(self, message: str, not_before: datetime) -> None:
        super().__init__(message, not_before)
        self.not_before = not_before

    def __str__(self) -> str:
        return f"{self.args[0]} {self.advice}" if self.advice else str(self.args[0])


class ConfigurationError(Permanent):
    """The installation or the call is wrong, not the item."""


class BadSettings(ConfigurationError):
    """A setting has a value that cannot be used."""


class MissingCredentials(ConfigurationError):
    """ODIN AI's key or secret, or a YouTube API key, is not set."""


class UnknownModel(ConfigurationError):
    """No checkpoint answers to this name."""


class BadCheckpoint(ConfigurationError):
    """A checkpoint folder is damaged, or not Whisper."""


class MissingProgram(ConfigurationError):
    """A program or package that this needs is not installed."""


class NoPermission(ConfigurationError):
    """Tonspur may not write where the library or the state lives."""

    advice = "Give the user that Tonspur runs as the right to write there."
    stops_batch = True


class BadAddress(Permanent):
    """The text is no address of a video, channel or playlist."""


class UnknownChannel(Permanent):
    """YouTube knows no such channel."""

    advice = "Check the address: @handle, a channel's URL, or its UC… id."


class UnknownVideo(Permanent):
    """YouTube knows no such video."""

    advice = "Check the address: the last eleven characters are the video's id."


class UnknownPlaylist(Permanent):
    """YouTube knows no such playlist, or it is private."""


class UnavailableVideo(Permanent):
    """The video exists, but may not be fetched; the name of the leaf says why."""


class PrivateVideo(UnavailableVideo):
    """Its owner shows it to invited people only."""

    advice = "Only its owner can change that."


class MembersOnly(UnavailableVideo):
    """For paying members of the channel."""

    advice = "Some open to everybody after weeks; a member's YT_COOKIES_FILE shows them at once."
    later_h = (14 * 24, 28 * 24)


class AgeRestricted(UnavailableVideo):
    """YouTube asks for a signed-in adult."""

    advice = "Set YT_COOKIES_FILE to the cookies of an account that may see it."


class RegionBlocked(UnavailableVideo):
    """Not shown in this country."""

    advice = "It can be had from a country where it is shown."


class PaidVideo(UnavailableVideo):
    """To be bought or rented."""

    advice = "Tonspur does not fetch what has to be paid for."


class GoneVideo(UnavailableVideo):
    """Removed, or its account closed."""

    advice = "Whoever has a copy can have it transcribed as a local file."


class BadMedia(Permanent):
    """The file cannot be transcribed."""


class NotMedia(BadMedia):
    """ffmpeg finds neither audio nor video in it."""


class EmptyFile(BadMedia):
    """The file holds no byte."""


class NoSoundTrack(BadMedia):
    """A video without sound."""


class RefusedDocument(Permanent):
    """ODIN AI does not take this file."""


class DocumentTooLarge(RefusedDocument):
    """Larger than ODIN_MAX_FILE_MB."""


class UnsupportedDocument(RefusedDocument):
    """Not one of the ten types that ODIN AI takes."""


class RefusedCredentials(Permanent):
    """The service refused key or secret, or they may not write."""

    stops_batch = True


class NetworkTrouble(Temporary):
    """No connection, or it broke."""

    advice = "If it goes on, look at this machine's connection and proxy."


class ServiceTrouble(Temporary):
    """The service answered that it cannot, for now."""


class ExtractorTrouble(Temporary):
    """yt-dlp could not read YouTube's answer."""

    advice = "If many videos meet this, update yt-dlp and deno."
    soon = False
    later_h = (6, 24, 48, 72)


class MediaRefused(Temporary):
    """YouTube refuses the media's address, a fresh one too."""

    advice = "Try again in an hour; if many videos meet this, wait longer, or update yt-dlp."
    soon = False


class UnclearVideo(Temporary):
    """YouTube calls it unavailable and does not say why."""

    advice = "Try again tomorrow; if it says the same, the video is gone."
    soon = False
    later_h = (24,)


class DrmProtected(Temporary):
    """Encrypted, at least for the client that yt-dlp played."""

    advice = "YouTube encrypts some videos for some of its players only: try again another day."
    soon = False
    later_h = (24,)


class UnknownTrouble(Temporary):
    """A failure that nobody has met before."""

    advice = "If it goes on, update yt-dlp; the run's log says more."


class IncompleteDownload(Temporary):
    """The media's length is not the one that its metadata promise."""

    advice = "It is fetched anew at the next try."


class IndexingFailed(Temporary):
    """ODIN AI took the document but did not index it."""


class EngineDied(Temporary):
    """The model process ended in the middle of a job."""


class Busy(Temporary):
    """Another run holds what this one needs."""


class SyncFailed(Temporary):
    """A sync ended before it could report."""


class DiskFull(Temporary):
    """No space left where the library or the state lives."""

    advice = "Make room, then run it again."
    stops_batch = True


class UpcomingVideo(Deferred):
    """A premiere or a planned live stream."""

    advice = "It is fetched when it is over."


class LiveVideo(Deferred):
    """On air now, or its recording is not ready."""

    advice = "It is fetched when its recording is there."


class StillProcessing(Deferred):
    """YouTube is still processing it."""

    advice = "It is fetched when YouTube is done."


class QuotaUsedUp(Deferred):
    """Every API key has spent its units of this Pacific day."""

    spent: int = 0
    """Units that were spent until it was met."""


class BotWall(Deferred):
    """YouTube takes this address for a bot."""

    advice = "Wait, then consider YT_COOKIES_FILE or YT_PO_TOKEN_PROVIDER_URL."
    stops_batch = True


class RateLimited(Deferred):
    """YouTube asked for a pause."""

    advice = "It passes by itself; fewer downloads an hour keep it away."
    stops_batch = True


class DownloadsPaused(Deferred):
    """Another run met a bot wall, a rate limit or a full disk; downloads rest until then."""


def leaves() -> list[type[TonspurError]]:
    """Every cause that has a name here, in the order of the alphabet."""
    here = [
        found
        for found in globals().values()
        if isinstance(found, type) and issubclass(found, TonspurError)
    ]
    bases = {base for found in here for base in found.__mro__[1:]}
    bases.discard(RefusedDocument)  # ODIN AI's other reasons
    return sorted((found for found in here if found not in bases), key=lambda leaf: leaf.__name__)
