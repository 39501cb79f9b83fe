import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import pytest

from engine.audio.probing import probe
from engine.errors import DiskFull, IncompleteDownload, MissingProgram, NotMedia
from engine.settings import MediaFormat, Settings
from engine.youtube import downloads, finishing, forms, pause
from engine.youtube.downloads import Download

ID = "dQw4w9WgXcQ"
STEM = "2024-05-06_Tee_dQw4w9WgXcQ"
SECONDS = 6
TYPES = {".mpd": "application/dash+xml", ".webm": "video/webm", ".mp4": "video/mp4"}

Ffmpeg = Callable[..., Path]


class Cinema:
    """A watch page that leads to one file, or to a manifest of picture and sound apart."""

    def __init__(self, google: Any, reply: Any) -> None:
        self.google, self.reply = google, reply
        self.files: dict[str, bytes] = {}
        self.shown = ""
        google.answer = self.answer

    def show(self, *files: Path) -> None:
        """One file, or a manifest of several."""
        self.files |= {file.name: file.read_bytes() for file in files}
        self.shown = files[0].name
        if len(files) > 1:
            self.shown = "film.mpd"
            self.files["film.mpd"] = manifest(*files).encode()

    def answer(self, request: Any) -> Any:
        if request.path == "/watch":
            return self.page()
        body = self.files[request.path.removeprefix("/media/")]
        headers = {"Content-Type": TYPES.get(Path(request.path).suffix, "audio/mp4")}
        headers["Accept-Ranges"] = "bytes"
        span = request.headers.get("range")
        if not span:
            return self.reply(200, body, headers)
        first, last = span.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last or len(body)), len(body) - 1)
        if start >= len(body):
            return self.reply(416, b"")
        headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return self.reply(206, body[start : end + 1], headers)

    def page(self) -> Any:
        data = {
            "@context": "https://schema.org",
            "@type": "VideoObject",
            "name": "Über den Tee",
            "uploadDate": "2024-05-06T10:00:00Z",
            "duration": f"PT{SECONDS}S",
            "contentUrl": f"{self.google.root}media/{self.shown}",
        }
        script = f'<script type="application/ld+json">{json.dumps(data)}</script>'
        return self.reply(200, f"<html>{script}</html>".encode(), {"Content-Type": "text/html"})

    def sent(self, name: str) -> list[str | None]:
        """The ranges of a file that were asked for."""
        asked = [r for r in self.google.requests if r.path == f"/media/{name}"]
        return [r.headers.get("range") for r in asked]


def manifest(*files: Path) -> str:
    def described(file: Path) -> str:
        with av.open(str(file)) as media:
            codecs = {stream.type: stream.codec_context.name for stream in media.streams}
        kind = "video" if "video" in codecs else "audio"
        told = {"h264": "avc1.64001f", "vp8": "vp8", "aac": "mp4a.40.2", "vorbis": "vorbis"}
        size = ' width="320" height="180"' if kind == "video" else ""
        container = "webm" if file.suffix == ".webm" else "mp4"
        return (
            f'<AdaptationSet mimeType="{kind}/{container}">'
            f'<Representation id="{file.stem}" bandwidth="64000"{size} '
            f'codecs="{told[codecs[kind]]}"><BaseURL>{file.name}</BaseURL>'
            "</Representation></AdaptationSet>"
        )

    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT{SECONDS}S" profiles="urn:mpeg:dash:profile:full:2011">'
        f'<Period duration="PT{SECONDS}S">{"".join(map(described, files))}</Period></MPD>'
    )


PICTURE = ("-f", "lavfi", "-i", f"testsrc=duration={SECONDS}:size=320x180:rate=10")
SOUND = ("-f", "lavfi", "-i", f"sine=frequency=330:duration={SECONDS}:sample_rate=44100")


@pytest.fixture
def cinema(google: Any, a_reply: Any) -> Cinema:
    return Cinema(google, a_reply)


def fetch(settings: Settings, form: MediaFormat, **more: Any) -> Download:
    chosen: dict[str, Any] = {"expected_s": float(SECONDS), "progress": lambda *_: None} | more
    told = settings.model_copy(update={"yt_media_format": form})
    return downloads.download(ID, settings.library_dir, STEM, told, **chosen)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def codecs(path: Path) -> dict[str, str]:
    with av.open(str(path)) as media:
        return {stream.type: stream.codec_context.codec.canonical_name for stream in media.streams}


@pytest.fixture
def apart(ffmpeg: Ffmpeg, tmp_path: Path) -> tuple[Path, Path]:
    """Picture and sound as YouTube has them."""
    picture = ffmpeg(*PICTURE, "-c:v", "libx264", "-pix_fmt", "yuv420p", tmp_path / "picture.mp4")
    return picture, ffmpeg(*SOUND, "-c:a", "aac", tmp_path / "sound.m4a")


def test_mp3_is_made_of_the_sound_and_nothing_else_stays(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path]
) -> None:
    cinema.show(*apart)
    done = fetch(settings, "mp3")
    assert done.path == settings.library_dir / f"{STEM}.mp3"
    assert names(settings.library_dir) == [done.path.name]
    assert codecs(done.path) == {"audio": "mp3"}
    with av.open(str(done.path)) as media:
        assert media.streams.audio[0].bit_rate == 192_000
    assert done.duration_s == pytest.approx(SECONDS, abs=0.2)
    assert not cinema.sent("picture.mp4"), "the picture is not fetched"
    assert done.format_id == "sound"


def test_sound_that_is_mp3_already_is_not_coded_again(
    settings: Settings, cinema: Cinema, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    cinema.show(ffmpeg(*SOUND, "-c:a", "libmp3lame", "-b:a", "64k", tmp_path / "sound.mp3"))
    with av.open(str(fetch(settings, "mp3").path)) as media:
        assert media.streams.audio[0].bit_rate == 64_000


def test_sound_that_begins_late_keeps_its_time_in_mp3(
    settings: Settings, cinema: Cinema, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    late = ("-f", "lavfi", "-itsoffset", "2", "-i", f"sine=duration={SECONDS - 2}")
    film = ffmpeg(*PICTURE, *late, "-c:v", "libx264", "-c:a", "aac", tmp_path / "film.mp4")
    cinema.show(film)
    assert fetch(settings, "mp3").duration_s == pytest.approx(SECONDS, abs=0.2)


def test_mp4_holds_picture_and_sound_as_they_came(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path]
) -> None:
    cinema.show(*apart)
    told: list[tuple[int, int | None]] = []
    done = fetch(settings, "mp4", progress=lambda *status: told.append(status))
    assert names(settings.library_dir) == [f"{STEM}.mp4"]
    assert codecs(done.path) == {"video": "h264", "audio": "aac"}
    assert done.format_id == "picture+sound"
    assert probe(done.path).has_video
    assert told[-1][0] == sum(file.stat().st_size for file in apart)
    assert [arrived for arrived, _ in told] == sorted(arrived for arrived, _ in told)


def test_what_mp4_cannot_hold_is_coded_anew(
    settings: Settings, cinema: Cinema, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    odd = ("-f", "lavfi", "-i", f"testsrc=duration={SECONDS}:size=161x91:rate=5")
    coded = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis")
    cinema.show(ffmpeg(*odd, *SOUND, *coded, tmp_path / "film.webm"))
    done = fetch(settings, "mp4")
    assert done.path.suffix == ".mp4"
    assert codecs(done.path) == {"video": "h264", "audio": "aac"}


def test_a_page_with_sound_alone_gives_an_mp4_of_sound(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path]
) -> None:
    cinema.show(apart[1])
    done = fetch(settings, "mp4")
    assert done.path.suffix == ".mp4"
    assert codecs(done.path) == {"audio": "aac"}


def test_a_killed_mp4_goes_on_with_the_part_where_it_stopped(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path]
) -> None:
    class KilledError(Exception):
        pass

    cinema.show(*apart)
    picture = apart[0].stat().st_size

    def die(arrived: int, total: int | None) -> None:
        if arrived > picture + 10_000:
            raise KilledError

    with pytest.raises(KilledError):
        fetch(settings, "mp4", progress=die)
    assert not (settings.library_dir / f"{STEM}.mp4").exists()
    cinema.google.requests.clear()
    assert codecs(fetch(settings, "mp4").path) == {"video": "h264", "audio": "aac"}
    assert not any(cinema.sent("picture.mp4")), "it was whole"
    first, *_ = cinema.sent("sound.m4a")
    assert first is not None
    assert not first.startswith("bytes=0-")


def test_a_finished_form_is_not_made_twice(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path]
) -> None:
    cinema.show(*apart)
    first = fetch(settings, "mp4")
    cinema.google.requests.clear()
    assert fetch(settings, "mp4") == first
    assert not any(cinema.sent("picture.mp4"))


@pytest.mark.parametrize("form", ["mp3", "mp4"])
def test_a_sound_that_is_cut_short_becomes_no_file(
    settings: Settings, cinema: Cinema, apart: tuple[Path, Path], form: MediaFormat
) -> None:
    cinema.show(*apart)
    with pytest.raises(IncompleteDownload, match=r"6\.\d s instead of 20\.0 s"):
        fetch(settings, form, expected_s=20.0)
    assert names(settings.library_dir) == []


def test_media_that_are_there_are_converted_without_the_network(
    settings: Settings, google: Any, apart: tuple[Path, Path]
) -> None:
    wanted = finishing.Wanted(ID, apart[1].parent, "x", SECONDS, "mp3")
    done = finishing.converted(apart[1], wanted)
    assert codecs(done.path) == {"audio": "mp3"}
    assert apart[1].is_file()
    assert google.requests == []


FAILS = {
    "av_interleaved_write_frame(): No space left on device": DiskFull,
    "Unknown encoder 'libmp3lame'": MissingProgram,
    "moov atom not found": NotMedia,
}


@pytest.mark.parametrize(("said", "leaf"), FAILS.items())
@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script")
def test_a_failing_ffmpeg_says_what_to_do_and_leaves_nothing(
    said: str,
    leaf: type[Exception],
    settings: Settings,
    cinema: Cinema,
    apart: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(forms, "ffmpeg_program", lambda: program)
    cinema.show(*apart)
    with pytest.raises(leaf):
        fetch(settings, "mp3")
    paused = pause.current(settings, datetime.now(UTC))
    assert (paused is not None and "disk" in paused.why) == (leaf is DiskFull)
    left = [name for name in names(settings.library_dir) if not name.startswith(".~")]
    assert left == []
    if leaf is not NotMedia:
        assert names(settings.library_dir), "what was fetched serves the next try"
