from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import yt_dlp

from sandbox import Sandbox
from sandbox.demo_channel import DEMO_CHANNEL


class Silent:
    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def fetch(sandbox: Sandbox, folder: Path, video_id: str, **options: Any) -> dict[str, Any]:
    address = sandbox.environment()["YT_WATCH_URL"].replace("{id}", video_id)
    wanted = {"outtmpl": str(folder / "%(id)s.%(ext)s"), "logger": Silent(), "retries": 0}
    with yt_dlp.YoutubeDL({**wanted, "noprogress": True, **options}) as downloader:
        found = downloader.extract_info(address, download=True)
    return dict(found)


def media(sandbox: Sandbox, video_id: str = "eNz-6p5YUbY") -> str:
    return f"{sandbox.url}/media/{video_id}.{sandbox.video(video_id).container}"


@pytest.mark.parametrize("video", DEMO_CHANNEL.videos, ids=lambda video: video.id)
def test_yt_dlp_reads_and_fetches_every_talk(sandbox: Sandbox, tmp_path: Path, video: Any) -> None:
    info = fetch(sandbox, tmp_path, video.id)
    assert info["id"] == video.id
    assert info["title"] == video.title
    assert (info.get("description") or "") == video.description
    assert info["timestamp"] == video.published.timestamp()
    assert info["uploader"] == DEMO_CHANNEL.title
    file = tmp_path / f"{video.id}.{video.container}"
    with av.open(str(file)) as opened:
        assert (opened.duration or 0) / 1e6 == pytest.approx(info["duration"], abs=1)
        assert opened.streams.audio


def test_yt_dlp_goes_on_where_a_download_broke_off(sandbox: Sandbox, tmp_path: Path) -> None:
    whole = httpx.get(media(sandbox)).content
    half = len(whole) // 2
    (tmp_path / "eNz-6p5YUbY.m4a.part").write_bytes(whole[:half])
    before = sandbox.counts().media_bytes_of.get("eNz-6p5YUbY", 0)
    fetch(sandbox, tmp_path, "eNz-6p5YUbY")
    assert (tmp_path / "eNz-6p5YUbY.m4a").read_bytes() == whole
    sent = sandbox.counts().media_bytes_of["eNz-6p5YUbY"] - before
    assert sent == len(whole) - half


@pytest.mark.parametrize("video_id", ["AAAAAAAAAAA", "-SE7D6ezK4M", "-Z-2qeJBjh8"])
def test_yt_dlp_fails_where_there_is_nothing_to_fetch(
    sandbox: Sandbox, tmp_path: Path, video_id: str
) -> None:
    with pytest.raises(yt_dlp.utils.DownloadError):
        fetch(sandbox, tmp_path, video_id)
    assert not list(tmp_path.glob("*.m*"))


def test_both_forms_of_the_address_show_the_same_page(sandbox: Sandbox) -> None:
    one = httpx.get(f"{sandbox.url}/watch", params={"v": "eNz-6p5YUbY"})
    other = httpx.get(f"{sandbox.url}/watch/eNz-6p5YUbY")
    assert one.text == other.text
    assert httpx.get(f"{sandbox.url}/watch", params={"v": "AAAAAAAAAAA"}).status_code == 404


def test_a_range_of_the_media_is_sent_alone(sandbox: Sandbox) -> None:
    whole = httpx.get(media(sandbox))
    assert whole.headers["content-type"] == "audio/mp4"
    assert int(whole.headers["content-length"]) == len(whole.content)
    part = httpx.get(media(sandbox), headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert httpx.head(media(sandbox)).headers["etag"] == whole.headers["etag"]


def test_a_range_of_other_content_is_sent_whole(sandbox: Sandbox) -> None:
    tag = httpx.head(media(sandbox)).headers["etag"]
    same = httpx.get(media(sandbox), headers={"Range": "bytes=10-", "If-Range": tag})
    other = httpx.get(media(sandbox), headers={"Range": "bytes=10-", "If-Range": '"old"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_range_behind_the_end_is_refused(sandbox: Sandbox) -> None:
    answer = httpx.get(media(sandbox), headers={"Range": "bytes=999999999-"})
    assert answer.status_code == 416


@pytest.mark.parametrize("name", ["eNz-6p5YUbY.mp3", "AAAAAAAAAAA.m4a", "-Z-2qeJBjh8.m4a"])
def test_media_that_is_not_there_is_not_found(sandbox: Sandbox, name: str) -> None:
    assert httpx.get(f"{sandbox.url}/media/{name}").status_code == 404
