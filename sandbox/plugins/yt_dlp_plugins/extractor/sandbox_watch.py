"""A plugin of yt-dlp: raises for the sandbox's videos what yt-dlp raises for YouTube's."""

import json
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError, GeoRestrictedError, UserNotLive

_PATIENCE_S = 30


class SandboxWatchIE(InfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """Watch pages on this machine; one of which nothing is planned is the generic extractor's."""

    IE_NAME = "youtube:sandbox"
    _VALID_URL = r"http://127\.0\.0\.1:\d+/watch/(?P<id>[A-Za-z0-9_-]{11})$"

    def _real_extract(self, url: str) -> dict[str, Any]:
        video_id = self._match_id(url)
        said = _planned(url)
        if said is None:
            generic: dict[str, Any] = self.url_result(url, "Generic")
            return generic
        text, kind = said["text"], said["kind"]
        # yt-dlp fills `ie` and `video_id` in by itself, as it does for YouTube's extractor.
        if kind == "region":
            raise GeoRestrictedError(text, countries=said["countries"])
        if kind == "off air":
            raise UserNotLive(text or None, video_id=video_id)
        if kind == "video":
            return {**_video(url, video_id), **said["info"]}
        raise ExtractorError(text, expected=kind == "expected", video_id=video_id)


def _planned(url: str) -> dict[str, Any] | None:
    # Not by yt-dlp's own client: it would pause before the request, and count it as one.
    parts = urlsplit(url)
    question = f"{parts.scheme}://{parts.netloc}/sandbox/saying?path={quote(parts.path)}"
    with urlopen(question, timeout=_PATIENCE_S) as answer:  # noqa: S310  # loopback, see _VALID_URL
        planned: dict[str, Any] | None = json.load(answer)
    return planned


def _video(url: str, video_id: str) -> dict[str, Any]:
    media = f"{url.rpartition('/watch/')[0]}/media/{video_id}.m4a"
    sound = {"format_id": "140", "url": media, "ext": "m4a", "acodec": "aac", "vcodec": "none"}
    return {
        "id": video_id,
        "title": "A video",
        "timestamp": 1_735_689_600,
        "formats": [sound],
    }
