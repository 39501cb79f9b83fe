"""A stand-in for Google's servers: real sockets, recorded requests, scripted answers."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
import pytest

from engine.settings import Settings
from engine.youtube import ytdlp_options
from engine.youtube.keys import KeyRing
from engine.youtube.quota import Ledger

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CHANNEL_ID = "UC" + "c" * 22
UPLOADS_ID = "UU" + "c" * 22


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    bytes_per_s: float | None = None


@dataclass
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    url: str

    @property
    def key(self) -> str | None:
        return self.headers.get("x-goog-api-key")


class Google:
    """Answers what `answer` says; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Reply] = lambda request: Reply()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                headers = {key.lower(): value for key, value in self.headers.items()}
                request = Request(parts.path, query, headers, self.path)
                outer.requests.append(request)
                reply = outer.answer(request)
                if reply.drop:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command == "GET":
                    self.send(reply)

            def send(self, reply: Reply) -> None:
                if not reply.bytes_per_s:
                    self.wfile.write(reply.body)
                    return
                step = max(1, round(reply.bytes_per_s / 20))
                for start in range(0, len(reply.body), step):
                    self.wfile.write(reply.body[start : start + step])
                    time.sleep(1 / 20)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # a client that hangs up is none of the test's business

        self._server = Server(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """A small YouTube behind the API and the feed: one channel, its uploads, what is known."""

    def __init__(self, google: Google) -> None:
        self.google = google
        self.uploads: list[str] = []
        self.details: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        self.playlists: dict[str, list[str]] = {}
        self.faults: list[Reply | None] = []
        self.feed_status = 200
        google.answer = self.reply

    def fill(self, number: int) -> list[str]:
        """Uploads, newest first, one a day back from NOW."""
        self.uploads = [f"video{index:06d}" for index in range(number)]
        return self.uploads

    def published(self, video_id: str) -> datetime:
        return NOW - timedelta(days=int(video_id[5:]), hours=1)

    def item(self, video_id: str) -> dict[str, Any]:
        base: dict[str, Any] = {
            "id": video_id,
            "snippet": {
                "publishedAt": self.published(video_id).isoformat(),
                "channelId": CHANNEL_ID,
                "title": f"Title of {video_id}",
                "description": "All of it",
                "channelTitle": "The channel",
                "thumbnails": {"high": {"url": "https://i.ytimg.com/high.jpg"}},
                "liveBroadcastContent": "none",
                "tags": ["a", "b"],
            },
            "contentDetails": {"duration": "PT1M30S", "definition": "hd", "caption": "false"},
            "status": {"uploadStatus": "processed", "privacyStatus": "public", "embeddable": True},
            "statistics": {"viewCount": str(int(video_id[5:]) * 10), "likeCount": "3"},
        }
        for part, fields in self.details.get(video_id, {}).items():
            base[part] = base.get(part, {}) | fields
        return base

    def reply(self, request: Request) -> Reply:
        if request.path.endswith("videos.xml"):
            return Reply(self.feed_status, self.feed().encode())
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return fault
        collection = request.path.rsplit("/", 1)[1]
        answer = getattr(self, f"_{collection}")(request.query)
        return answer if isinstance(answer, Reply) else Reply(body=json.dumps(answer).encode())

    def feed(self) -> str:
        entries = "".join(
            f"<entry><yt:videoId>{v}</yt:videoId><title>Title of {v}</title>"
            f"<published>{self.published(v).isoformat()}</published></entry>"
            for v in self.uploads[:15]
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" '
            f'xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
        )

    def _channels(self, query: dict[str, str]) -> dict[str, Any]:
        names = {CHANNEL_ID, "@thechannel", "oldname"}
        asked = query.get("id") or query.get("forHandle") or query.get("forUsername")
        if asked not in names:
            return {"kind": "youtube#channelListResponse"}
        snippet = {"title": "The channel", "customUrl": "@thechannel"}
        details = {"relatedPlaylists": {"uploads": UPLOADS_ID}}
        return {"items": [{"id": CHANNEL_ID, "snippet": snippet, "contentDetails": details}]}

    def _playlistItems(  # noqa: N802
        self, query: dict[str, str]
    ) -> dict[str, Any] | Reply:
        lists = self.playlists | ({UPLOADS_ID: self.uploads} if self.uploads else {})
        if query["playlistId"] not in lists:
            return refusal(404, "playlistNotFound")
        listed = lists[query["playlistId"]]
        start, size = int(query.get("pageToken", "0")), int(query["maxResults"])
        items = [
            {
                "snippet": {"title": "Private video" if v in self.hidden else f"Title of {v}"},
                "contentDetails": {"videoId": v}
                | ({} if v in self.hidden else {"videoPublishedAt": self.published(v).isoformat()}),
            }
            for v in listed[start : start + size]
        ]
        more = {"nextPageToken": str(start + size)} if start + size < len(listed) else {}
        return {"items": items} | more

    def _playlists(self, query: dict[str, str]) -> dict[str, Any]:
        return {
            "items": [
                {"id": name, "snippet": {"title": name}, "contentDetails": {"itemCount": len(ids)}}
                for name, ids in self.playlists.items()
            ]
        }

    def _videos(self, query: dict[str, str]) -> dict[str, Any]:
        ids = query["id"].split(",")
        assert len(ids) <= 50
        return {"items": [self.item(v) for v in ids if v not in self.hidden]}


def refusal(status: int, reason: str, message: str = "Google says no.", **more: Any) -> Reply:
    error = {"code": status, "message": message, "errors": [{"reason": reason}]} | more
    return Reply(status, json.dumps({"error": error}).encode())


def tone(path: Path, seconds: float, codec: str = "aac", format: str | None = None) -> Path:
    """A file with a tone of this length."""
    rate = 16000
    with av.open(str(path), "w", format=format) as media:
        stream = media.add_stream(codec, rate=rate)
        stream.layout = "mono"
        wave = (0.2 * np.sin(np.arange(int(rate * seconds)) * 0.17)).astype(np.float32)
        for start in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[start : start + 1024][None], "fltp", "mono")
            frame.sample_rate = rate
            media.mux(stream.encode(frame))
        media.mux(stream.encode(None))
    return path


@pytest.fixture
def google() -> Iterator[Google]:
    server = Google()
    yield server
    server.close()


@pytest.fixture
def world(google: Google) -> World:
    return World(google)


@pytest.fixture
def settings(tmp_path: Path, google: Google) -> Settings:
    return Settings(
        _env_file=None,
        library_dir=tmp_path / "library",
        state_dir=tmp_path / "state",
        yt_api_keys="key-one,key-two",
        yt_api_keys_file=tmp_path / "none.txt",
        yt_api_endpoint=google.root,
        yt_feed_url=f"{google.root}feeds/videos.xml",
        yt_watch_url=f"{google.root}watch?v={{id}}",
    )


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return Ledger(settings.ledger_file, lambda: NOW)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def ring(settings: Settings, ledger: Ledger, pauses: list[float]) -> KeyRing:
    budgets = {"units": settings.yt_daily_units, "searches": settings.yt_daily_searches}
    return KeyRing(settings.api_keys, ledger, budgets, sleep=pauses.append, jitter=lambda: 1.0)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp_options, "REQUEST_PAUSE_S", 0)
    monkeypatch.setattr(ytdlp_options, "LONGEST_PAUSE_S", 0)
    for name in ("YT_API_KEYS", "YT_REGION", "YT_COOKIES_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def a_refusal() -> Callable[..., Reply]:
    return refusal


@pytest.fixture
def a_reply() -> type[Reply]:
    return Reply


@pytest.fixture
def a_tone() -> Callable[..., Path]:
    return tone


@pytest.fixture
def now() -> datetime:
    return NOW
