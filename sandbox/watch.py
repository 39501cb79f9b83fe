"""Watch pages that yt-dlp's generic extractor understands, and the media behind them."""

import html
import json

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from engine.video import iso_duration
from sandbox.faults import Struck
from sandbox.spec import SandboxChannel, SandboxVideo
from sandbox.world import Here
from sandbox.youtube_items import stamp, thumbnails

router = APIRouter(include_in_schema=False)

_TYPES = {"m4a": "audio/mp4", "mp3": "audio/mpeg", "webm": "audio/webm", "mp4": "video/mp4"}
_SAID = {
    "private": (403, "Private video. Sign in if you've been granted access to this video"),
    "members": (403, "Join this channel to get access to members-only content"),
    "age": (403, "Sign in to confirm your age. This video may be inappropriate for some users."),
    "region": (403, "The uploader has not made this video available in your country"),
    "upcoming": (200, "Premieres in 24 hours"),
    "live": (200, "This live event is on air"),
    "processing": (200, "We're processing this video. Check back later."),
}


@router.get("/watch")
def watch(world: Here, request: Request, v: str = "") -> Response:
    """The page of a video, addressed as YouTube does."""
    return _page(world, request, v)


@router.get("/watch/{video_id}")
def watch_path(world: Here, request: Request, video_id: str) -> Response:
    """The same; here the generic extractor finds the id at the end of the path."""
    return _page(world, request, video_id)


def _page(world: Here, request: Request, video_id: str) -> Response:
    known = world.catalogue.video(video_id)
    if known is None:
        return HTMLResponse(_bare("This video isn't available any more"), status_code=404)
    channel, video = known
    if video.obstacle:
        status, said = _SAID[video.obstacle]
        return HTMLResponse(_bare(said), status_code=status)
    media = f"{str(request.base_url).rstrip('/')}/media/{video.id}.{video.container}"
    recording = world.recordings.of(video)
    described = _linked_data(channel, video, media, world.recordings.seconds(video))
    described["contentSize"] = str(recording.path.stat().st_size)
    return HTMLResponse(_watch_page(video, media, described))


def _linked_data(
    channel: SandboxChannel, video: SandboxVideo, media: str, seconds: float
) -> dict[str, object]:
    # yt-dlp unescapes names and descriptions once more after the JSON.
    return {
        "@context": "https://schema.org",
        "@type": "VideoObject" if video.container == "mp4" else "AudioObject",
        "name": html.escape(video.title, quote=False),
        "description": html.escape(video.description, quote=False),
        "thumbnailUrl": [thumbnails(video.id)["high"]["url"]],
        "uploadDate": stamp(video.published),
        "duration": iso_duration(seconds),
        "contentUrl": media,
        "encodingFormat": _TYPES[video.container],
        "inLanguage": video.language,
        "author": {"@type": "Person", "name": channel.title},
        "interactionStatistic": {
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/WatchAction",
            "userInteractionCount": video.views,
        },
        "keywords": ",".join(video.tags),
    }


def _watch_page(video: SandboxVideo, media: str, described: dict[str, object]) -> str:
    data = json.dumps(described, ensure_ascii=False).replace("<", "\\u003c")
    title, about = html.escape(video.title), html.escape(video.description)
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title} - YouTube</title>\n"
        f'<meta property="og:title" content="{title}">\n'
        f'<meta property="og:description" content="{about}">\n'
        f'<meta property="og:image" content="{thumbnails(video.id)["high"]["url"]}">\n'
        f'<script type="application/ld+json">{data}</script>\n'
        f"</head><body><h1>{title}</h1></body></html>"
    )


def _bare(said: str) -> str:
    shown = html.escape(said, quote=False)
    return f"<!DOCTYPE html><html><head><title>{shown}</title></head><body>{shown}</body></html>"


@router.api_route("/media/{video_id}.{container}", methods=["GET", "HEAD"])
def media(world: Here, struck: Struck, video_id: str, container: str) -> Response:
    """The sound of a video; answers ranges, with ETag and Last-Modified."""
    known = world.catalogue.video(video_id)
    if known is None or not known[1].has_media or known[1].container != container:
        return HTMLResponse(_bare("404"), status_code=404)
    path = world.recordings.of(known[1]).path
    if struck.lie and struck.lie.whole:
        path = world.cut_short(path, struck.lie.whole)
    return FileResponse(path, media_type=_TYPES[container])
