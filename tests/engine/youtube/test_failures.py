import errno
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yt_dlp.cookies import CookieLoadError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    ThrottledDownload,
    UserNotLive,
)

from engine import errors
from engine.errors import Deferred, TonspurError
from engine.youtube.failure_table import TABLE, TYPES, UNKNOWN
from engine.youtube.failures import redacted, understood

ID = "dQw4w9WgXcQ"


def said(text: str, cause: Exception | None = None) -> DownloadError:
    """As yt-dlp raises it: the extractor's error inside of a DownloadError."""
    try:
        raise cause or ExtractorError(text, expected=True, video_id=ID, ie="youtube")
    except Exception as error:
        return DownloadError(f"\x1b[0;31mERROR:\x1b[0m {error}", sys.exc_info())


TEXTS = [
    ("Sign in to confirm you’re not a bot. Use --cookies", errors.BotWall),
    ("Sign in to confirm you're not a bot", errors.BotWall),
    ("The page needs to be reloaded: captcha challenge", errors.BotWall),
    ("HTTP Error 402: Payment Required", errors.BotWall),
    ("This content isn’t available, try again later.", errors.RateLimited),
    ("The current session has been rate-limited by YouTube for up to an hour", errors.RateLimited),
    ("Unable to download API page: HTTP Error 429: Too Many Requests", errors.RateLimited),
    ("Sign in to confirm your age. This video may be inappropriate", errors.AgeRestricted),
    ("This video may be inappropriate for some users.", errors.AgeRestricted),
    ("Join this channel to get access to members-only content", errors.MembersOnly),
    ("This video is available to this channel's members on level: X", errors.MembersOnly),
    ("Private video. Sign in if you've been granted access to this video", errors.PrivateVideo),
    ("This video is private", errors.PrivateVideo),
    (
        "Video unavailable. The uploader has not made this video available in your country",
        errors.RegionBlocked,
    ),
    ("X, who has blocked it in your country on copyright grounds", errors.RegionBlocked),
    ("This video requires payment to watch", errors.PaidVideo),
    ("This video is only available to Music Premium members", errors.PaidVideo),
    ("Video unavailable. This video has been removed by the uploader", errors.GoneVideo),
    (
        "Video unavailable. The YouTube account associated with this video has been terminated",
        errors.GoneVideo,
    ),
    ("This video is no longer available due to a copyright claim by X", errors.GoneVideo),
    ("Unable to download webpage: HTTP Error 404: Not Found", errors.UnknownVideo),
    ("This live event will begin in 3 hours.", errors.UpcomingVideo),
    ("Premieres in 20 minutes", errors.UpcomingVideo),
    ("Offline.", errors.UpcomingVideo),
    ("This live stream recording is not available.", errors.LiveVideo),
    ("This video is DRM protected", errors.DrmProtected),
    ("Requested format is not available. Use --list-formats", errors.ExtractorTrouble),
    ("No video formats found!", errors.ExtractorTrouble),
    ("Failed to extract any player response", errors.ExtractorTrouble),
    ("unable to download video data: HTTP Error 403: Forbidden", errors.MediaRefused),
    ("Unable to download webpage: HTTP Error 503: Unavailable", errors.ServiceTrouble),
    ("HTTP Error 416: Requested Range Not Satisfiable", errors.IncompleteDownload),
    ("The read operation timed out", errors.NetworkTrouble),
    ("[Errno 104] Connection reset by peer", errors.NetworkTrouble),
    ("<urlopen error [Errno 11001] getaddrinfo failed>", errors.NetworkTrouble),
    ("Incomplete data received", errors.NetworkTrouble),
    ("We're processing this video. Check back later.", errors.StillProcessing),
    ("unable to write data: [Errno 28] No space left on device", errors.DiskFull),
    ("unable to open for writing: [Errno 13] Permission denied", errors.NoPermission),
    ("ffmpeg not found. Please install", errors.MissingProgram),
    ("Video unavailable", errors.UnclearVideo),
    ("This video isn’t available any more", errors.UnclearVideo),
    ("Something nobody has seen before", errors.UnknownTrouble),
]


@pytest.mark.parametrize(("text", "leaf"), TEXTS)
def test_a_text_means_its_leaf(text: str, leaf: type[TonspurError], now: datetime) -> None:
    understood_as = understood(said(text), ID, now)
    assert type(understood_as) is leaf
    assert ID in str(understood_as)
    assert "ERROR" not in str(understood_as)
    if isinstance(understood_as, Deferred):
        assert now < understood_as.not_before <= now + timedelta(days=1)


def test_every_row_of_the_table_is_met(now: datetime) -> None:
    folded = [text.replace("’", "'").lower() for text, _ in TEXTS]
    assert all(any(row.matches(text) for text in folded) for row in TABLE)


def test_the_eighteen_classes_are_met_in_their_order() -> None:
    numbers = [row.number for row in TABLE]
    assert numbers == sorted(numbers)
    assert {*numbers, UNKNOWN} == set(range(1, 19))


def test_no_leaf_stands_for_two_classes() -> None:
    classes: dict[type[TonspurError], set[int]] = {}
    for row in (*TABLE, *TYPES.values()):
        classes.setdefault(row.leaf, set()).add(row.number)
    assert errors.UnknownTrouble not in classes
    assert not [leaf for leaf, numbers in classes.items() if len(numbers) > 1]


def test_who_meets_a_failure_reads_what_to_do() -> None:
    told_by_its_message = {errors.ServiceTrouble, errors.BadSettings, errors.MissingProgram}
    for leaf in {row.leaf for row in TABLE} | {errors.UnknownTrouble}:
        assert leaf.advice or leaf in told_by_its_message, leaf


def test_an_apostrophe_of_any_kind_makes_no_difference(now: datetime) -> None:
    for mark in "'’‘ʼ":
        found = understood(said(f"Sign in to confirm you{mark}re not a bot"), ID, now)
        assert type(found) is errors.BotWall


def test_a_type_counts_more_than_its_text(now: datetime) -> None:
    geo = GeoRestrictedError("Private video", countries=["DE"])
    assert type(understood(said("", geo), ID, now)) is errors.RegionBlocked
    assert type(understood(geo, ID, now)) is errors.RegionBlocked
    short = ContentTooShortError(10, 20)
    assert type(understood(said("", short), ID, now)) is errors.IncompleteDownload
    assert type(understood(ThrottledDownload(), ID, now)) is errors.NetworkTrouble
    assert type(understood(CookieLoadError("x"), ID, now)) is errors.BadSettings
    off_air = understood(said("", UserNotLive(video_id=ID)), ID, now)
    assert isinstance(off_air, errors.UpcomingVideo)
    assert off_air.not_before == now + timedelta(hours=2)


def test_a_cause_inside_of_an_error_is_looked_at(now: datetime) -> None:
    outer = ExtractorError("Something", cause=TimeoutError("The read operation timed out"))
    assert type(understood(outer, ID, now)) is errors.NetworkTrouble
    full = OSError(errno.ENOSPC, "x")
    wrapped = RuntimeError("y")
    wrapped.__cause__ = full
    assert type(understood(wrapped, ID, now)) is errors.DiskFull
    assert type(understood(PermissionError(13, "no", "f.m4a"), ID, now)) is errors.NoPermission


def test_a_leaf_comes_back_as_it_is(now: datetime) -> None:
    leaf = errors.GoneVideo("gone")
    assert understood(leaf, ID, now) is leaf
    wrapped = RuntimeError("x")
    wrapped.__cause__ = leaf
    assert understood(wrapped, ID, now) is leaf


def test_an_announced_start_is_waited_for(now: datetime) -> None:
    for text, wait in [
        ("This live event will begin in 3 hours.", timedelta(hours=3)),
        ("Premieres in 20 minutes", timedelta(minutes=20)),
        ("This live event will begin in a day", timedelta(days=1)),
        ("This live event will begin in a few moments.", timedelta(hours=2)),
    ]:
        found = understood(said(text), ID, now)
        assert isinstance(found, errors.UpcomingVideo)
        assert found.not_before == now + wait


def test_an_id_or_address_that_reads_like_a_cause_is_none(now: datetime) -> None:
    odd = "http://host.invalid/offline/not a bot"
    assert type(understood(said(f"Odd: {odd.split()[0]}"), ID, now)) is errors.UnknownTrouble
    video_id = "sabr-is_liv"
    assert type(understood(said(f"{video_id}: odd"), video_id, now)) is errors.UnknownTrouble


def test_addresses_lose_their_secrets(now: datetime) -> None:
    url = "https://user:pw@r1.googlevideo.com/videoplayback?sig=SECRET&ip=1.2.3.4"
    assert redacted(f"see '{url}' now") == "see 'https://r1.googlevideo.com/…' now"
    found = understood(said(f"Odd answer from {url}"), ID, now)
    assert "SECRET" not in str(found)


def test_a_message_is_one_sentence_without_advice_to_programmers(now: datetime) -> None:
    found = understood(ExtractorError("Odd thing", video_id=ID, ie="youtube"), ID, now)
    assert str(found).startswith(f"{ID}: Odd thing.")
    assert "github" not in str(found)
    assert "report" not in str(found)
    bare = understood(Exception("Odd. Please report this issue on https://x.y/z"), ID, now)
    assert str(bare).startswith(f"{ID}: Odd. ")
    assert "report" not in str(bare)
    odd = understood(Exception("\x1b[0;31mOdd\x1b[0K\x07\nthing\x1b[m"), ID, now)
    assert str(odd).startswith(f"{ID}: Odd thing.")
    assert len(str(understood(said("x " * 2000), ID, now))) < 400


@given(st.text(), st.text(min_size=1))
def test_any_error_is_understood(text: str, name: str) -> None:
    now = datetime(2026, 1, 1)
    for error in (Exception(text), said(text or "x"), KeyError(name)):
        assert isinstance(understood(error, ID, now), TonspurError)
