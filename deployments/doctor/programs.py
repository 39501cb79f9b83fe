"""The programs that do a part of the work: ffmpeg, yt-dlp, a JavaScript runtime."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from engine.settings import Settings

_OLD_DAYS = 60
_SECONDS = 8
_UPDATE = 'pip install -U "yt-dlp[default,deno]"'


def ffmpeg(settings: "Settings | None") -> Iterator[Check]:
    """The ffmpeg that is used, and whether it runs."""
    fix = "Install ffmpeg and put it on PATH, or pip install imageio-ffmpeg."
    from engine.audio.conversion import ffmpeg_program
    from engine.errors import MissingProgram

    try:
        program = ffmpeg_program()
    except MissingProgram:
        yield fail("ffmpeg", None, fix)
        return
    told = _said(program, "-version")
    if told is None:
        yield fail("ffmpeg", program, f"It does not run. {fix}")
        return
    yield ok("ffmpeg", program)
    if version := re.match(r"ffmpeg version (\S+)", told):
        yield ok("ffmpeg version", version[1])


def downloader(settings: "Settings | None") -> Iterator[Check]:
    """Both that downloads need, one after the other: yt-dlp cannot be imported by two threads."""
    yield from ytdlp()
    yield from javascript()


def ytdlp(today: date | None = None) -> Iterator[Check]:
    """YouTube changes every few weeks, and yt-dlp with it: its version is a date."""
    from yt_dlp.version import __version__ as version

    day = re.match(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", version)
    if day is None:
        yield warn("yt-dlp", version, f"{_UPDATE}: this is no release.")
        return
    age = (today or datetime.now(UTC).date()) - date(int(day[1]), int(day[2]), int(day[3]))
    found = f"{version}, {age.days} days old"
    if age.days > _OLD_DAYS:
        yield warn("yt-dlp", found, _UPDATE)
    else:
        yield ok("yt-dlp", found)


def javascript() -> Iterator[Check]:
    """What solves YouTube's riddles: yt-dlp takes deno without being asked."""
    import yt_dlp  # noqa: F401 - it fills the table
    from yt_dlp.globals import supported_js_runtimes

    found = supported_js_runtimes.value["deno"](path=None).info
    if found is None:
        yield fail("JavaScript runtime", None, f"{_UPDATE} brings deno.")
    elif not found.supported:
        old = f"yt-dlp finds deno {found.version} too old"
        yield fail("JavaScript runtime", found.path, f"{old}: {_UPDATE} brings a newer one.")
    else:
        yield ok("JavaScript runtime", found.path)


def _said(program: Path, *arguments: str) -> str | None:
    """What it prints; None where it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours, without a shell
            [str(program), *arguments], capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", errors="replace")
