"""Whether each document arrives exactly once, whatever the network and the machine do.

python -m benchmarks.deliveries [--documents 300] [--seeds 1 2 3] [--kills 20] [--rate 0.25]
                                [--uploaders 1 2] [--out FILE]

Every request to the stand-in for ODIN AI may be lost, delayed, cut, hung up on, refused with 429 or
answered with 500, and new documents are listed late. `tonspur upload` of a folder is killed at
random moments and started again; half-way a part of the files gets other words. At the end the
documents are counted without faults. With two uploaders each folder is uploaded twice at once. Exit
status 1 when a document is twice, missing, stale or not synced.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from engine.odin import OdinClient, sha256_of
from engine.settings import load
from sandbox.chances import Chances
from sandbox.life import Sandbox
from sandbox.spec import OdinSpec, SandboxChannel, SandboxSpec

_CHANGED = 10
"""Every tenth file gets other words half-way."""
_FOLDERS = 10
"""As many processes work side by side."""
_PAUSE_S = (0.5, 4.0)
"""Between two kills."""
_LONGEST_S = 1_800.0
_WORDS = ("the", "harbour", "was", "quiet", "that", "morning", "three", "boats", "came", "back")


@dataclass(frozen=True)
class Row:
    """One run; `uploads` are those that were stored, `struck` the faults by kind."""

    seed: int
    uploaders: int
    documents: int
    twice: int
    missing: int
    stale: int
    not_synced: int
    foreign: int
    uploads: int
    requests: int
    kills: int
    starts: int
    wall_s: float
    struck: dict[str, int] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        """Whether each file is there once, as it is, indexed."""
        return not (self.twice or self.missing or self.stale or self.not_synced or self.foreign)


def spec_of(seed: int, rate: float) -> SandboxSpec:
    """A knowledge base with bad luck."""
    odin = OdinSpec(
        indexing_s=0.4, listing_lag_s=0.6, chances=Chances(seed=seed, rate=rate) if rate else None
    )
    channel = SandboxChannel(id="UC" + "d" * 22, handle="@nobody", title="Nobody")
    return SandboxSpec(channels=(channel,), odin=odin)


def write(file: Path, number: int, edition: int, chance: random.Random) -> None:
    """A document of its own words."""
    said = " ".join(chance.choices(_WORDS, k=120))
    file.write_text(f"Document {number}, edition {edition}.\n{said}\n", encoding="utf-8")


def uploaded_under_fire(
    folders: list[Path], environment: dict[str, str], kills: int, chance: random.Random
) -> tuple[int, int]:
    """Upload every folder, one process each, until each has ended well; kills and starts.

    A folder that is named twice has two uploaders at once.
    """
    running = {place: _start(folder, environment) for place, folder in enumerate(folders)}
    killed, starts = 0, len(running)
    begun = time.monotonic()
    due = begun + chance.uniform(*_PAUSE_S)
    while running:
        if killed < kills and time.monotonic() > due:
            running[chance.choice(sorted(running))].kill()
            killed += 1
            due = time.monotonic() + chance.uniform(*_PAUSE_S)
        for place, process in list(running.items()):
            if process.poll() == 0:
                del running[place]
            elif process.returncode is not None:
                running[place] = _start(folders[place], environment)
                starts += 1
        if time.monotonic() - begun > _LONGEST_S:
            for process in running.values():
                process.kill()
            raise SystemExit("The uploads do not come to an end.")
        time.sleep(0.02)
    return killed, starts


def _start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tonspur", "upload", str(folder), "--json"]
    return subprocess.Popen(
        program,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def measured(home: Path, options: argparse.Namespace, seed: int, uploaders: int) -> Row:
    """One run with its own folder, state and knowledge base."""
    chance = random.Random(seed)
    state = home / "state"
    folders = [home / f"papers-{number}" for number in range(_FOLDERS)]
    for folder in folders:
        folder.mkdir(parents=True)
    files = [
        folders[number % _FOLDERS] / f"paper-{number:03}.txt" for number in range(options.documents)
    ]
    for number, file in enumerate(files):
        write(file, number, 1, chance)
    jobs = folders * uploaders
    with Sandbox(home / "sandbox", spec=spec_of(seed, options.rate)) as sandbox:
        own = {"STATE_DIR": str(state), "LIBRARY_DIR": str(home / "library")}
        environment = {**sandbox.environment(), **own}
        begun = time.monotonic()
        half = options.kills // 2
        killed, starts = uploaded_under_fire(jobs, environment, half, chance)
        for number in range(0, options.documents, _CHANGED):
            write(files[number], number, 2, chance)
        rest = options.kills - half
        more, again = uploaded_under_fire(jobs, environment, rest, chance)
        wall_s = time.monotonic() - begun
        counts = sandbox.counts()
        sandbox.change(spec_of(seed, 0))
        time.sleep(1.5)  # what was stored last is listed now
        found = counted(sandbox, files)
    return Row(
        seed=seed,
        uploaders=uploaders,
        uploads=counts.uploads,
        requests=sum(counts.requests.values()),
        kills=killed + more,
        starts=starts + again,
        wall_s=round(wall_s, 1),
        struck=counts.struck,
        **found,
    )


def counted(sandbox: Sandbox, files: list[Path]) -> dict[str, int]:
    """What is in the knowledge base, held against the files."""
    odin = sandbox.spec.odin
    settings = load(
        odin_base_url=sandbox.url,
        odin_api_key=odin.key,
        odin_api_secret=odin.secret,
        odin_project_id=odin.project_ids[0],
    )
    with OdinClient(settings) as client:
        documents = list(client.documents(recursive=True))
        texts = Counter(one.metadata.get("title") for one in documents)
        wanted = {file.stem: sha256_of(file) for file in files}
        by_title = {one.metadata.get("title"): one for one in documents}
    return {
        "documents": len(documents),
        "twice": sum(count - 1 for title, count in texts.items() if title in wanted),
        "missing": sum(title not in texts for title in wanted),
        "stale": sum(
            by_title[title].sha256 != sha for title, sha in wanted.items() if title in by_title
        ),
        "not_synced": sum(one.status != "synced" for one in documents),
        "foreign": sum(title not in wanted for title in texts),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run all seeds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.25)
    parser.add_argument("--uploaders", type=int, nargs="*", default=[1])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    rows = []
    for uploaders in options.uploaders:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as made:
                rows.append(measured(Path(made) / "run", options, seed, uploaders))
            print(json.dumps(asdict(rows[-1])), flush=True)
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "tonspur": version("tonspur"),
        "rate": options.rate,
        "rows": [asdict(row) for row in rows],
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.is_exact for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
