"""What it takes to plan a large channel: seconds, memory and quota, beside libraries of all sizes.

python -m benchmarks.planning [--videos 20000] [--library 0 20000 40000] [--out FILE]

Every row is a `tonspur sync --all --dry-run --json` of its own against the sandbox; time and memory
are those of its process, from start to end. `where`: the library's videos are those of other
channels ("beside"), or of the planned channel itself, which then has nothing new ("known").
`listing_s` is the part that reads the library.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from engine.library.shelf import ChannelCard, Entry, Library
from engine.library.sidecar import Sidecar
from engine.library.standing import standing
from engine.settings import load
from engine.video import Video
from sandbox.life import Sandbox
from sandbox.spec import ApiKey, SandboxChannel, SandboxSpec

_CHANNEL_ID = "UCplanplanplanplanplanpl"
_DESCRIPTION = "A description of the length that people give one. " * 30
_PER_CHANNEL = 2_000
_WRITTEN = (".txt", ".srt", ".vtt", ".transcript.json", ".m4a")


@dataclass(frozen=True)
class Row:
    """One plan; seconds, MB (10^6 bytes), and quota units as the sandbox charged them."""

    library: int
    where: str
    planned: int
    units: int
    searches: int
    wall_s: float
    peak_mb: float
    listing_s: float


def spec_of(videos: int) -> SandboxSpec:
    """A channel of so many videos and a key that may list them more than once."""
    channel = SandboxChannel(
        id=_CHANNEL_ID, handle="@planned", title="The planned one", generated=videos
    )
    return SandboxSpec(
        channels=(channel,),
        api_keys=(ApiKey(key="sandbox-planning-key", units=1_000_000),),
        playlist_cap=max(20_000, videos),
    )


def fill(root: Path, spec: SandboxSpec, videos: int, where: str) -> None:
    """Make a library of finished videos, each with six files."""
    for number, video in enumerate(_known(spec, videos) if where == "known" else _others(videos)):
        folder = root / (video.channel_title or "")
        if number % _PER_CHANNEL == 0 or not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            card = ChannelCard(channel_id=video.channel_id, title=video.channel_title)
            text = card.model_dump_json(by_alias=True)
            (folder / "channel.json").write_text(text, encoding="utf-8")
        stem = f"{video.published_at:%Y-%m-%d}_{video.title.replace(' ', '_')}_{video.video_id}"
        entry = Entry(folder, stem, video.video_id)
        content: dict[str, Any] = video.model_dump(mode="json", by_alias=True) | {"attempts": 1}
        content["steps"] = {}
        text = json.dumps(content, ensure_ascii=False, indent=2)
        entry.sidecar.write_text(text, encoding="utf-8")
        for extension in _WRITTEN:
            entry.file(extension).touch()
        assert number or Sidecar.read(entry.sidecar)  # the form is the library's


def _known(spec: SandboxSpec, videos: int) -> Iterator[Video]:
    channel = spec.channels[0].model_copy(update={"generated": videos})
    for made in channel.all_videos():
        yield _video(made.id, made.title, made.published, channel.id, channel.title)


def _others(videos: int) -> Iterator[Video]:
    for number in range(videos):
        owner = number // _PER_CHANNEL
        at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        name = f"Another channel {owner}"
        yield _video(f"o{number:010}", f"Talk {number}", at, f"UC{owner:022}", name)


def _video(id_: str, title: str, at: datetime, channel_id: str, channel: str) -> Video:
    return Video(
        video_id=id_,
        published_at=at,
        channel_id=channel_id,
        title=title,
        channel_title=channel,
        description=_DESCRIPTION,
    )


def measured(sandbox: Sandbox, home: Path, library: int, where: str) -> Row:
    """Plan the whole channel once, in a process of its own."""
    root, state = home / f"library-{where}-{library}", home / f"state-{where}-{library}"
    if not root.is_dir():
        root.mkdir()
        fill(root, sandbox.spec, library, where)
    own = {"LIBRARY_DIR": str(root), "STATE_DIR": str(state), "YT_DAILY_UNITS": "1000000"}
    before, begun = sandbox.counts(), time.perf_counter()
    with (home / "plan.jsonl").open("w", encoding="utf-8") as out:
        arguments = ["sync", "@planned", "--all", "--dry-run", "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tonspur", *arguments],
            stdout=out,
            env={**os.environ, **sandbox.environment(), **own},
        )
        peak = _watched(process)
    wall_s = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"The sync of {where} {library} ended with {process.returncode}.")
    last = (home / "plan.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    after = sandbox.counts()
    return Row(
        library=library,
        where=where,
        planned=json.loads(last)["summary"]["planned"],
        units=sum(after.units.values()) - sum(before.units.values()),
        searches=sum(after.searches.values()) - sum(before.searches.values()),
        wall_s=round(wall_s, 2),
        peak_mb=round(peak / 1e6, 1),
        listing_s=round(_listing_s(root, state), 3),
    )


def _watched(process: subprocess.Popen[bytes]) -> int:
    peak, known = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, known.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    process.wait()
    return peak


def _listing_s(root: Path, state: Path) -> float:
    library = Library(load(library_dir=root, state_dir=state))
    begun = time.perf_counter()
    for folder, _ in library.channels():
        standing(library, folder)
    return time.perf_counter() - begun


def main(arguments: list[str] | None = None) -> int:
    """Measure all rows and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20_000)
    parser.add_argument("--library", type=int, nargs="*", default=[0, 20_000, 40_000])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        with Sandbox(home / "sandbox", spec=spec_of(options.videos)) as sandbox:
            for size in options.library:
                for where in ("beside", "known") if size else ("beside",):
                    rows.append(measured(sandbox, home, size, where))
                    print(rows[-1], flush=True)
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "tonspur": version("tonspur"),
        "videos": options.videos,
        "rows": [asdict(row) for row in rows],
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
