"""How quickly a library of thousands of transcripts is searched.

python -m benchmarks.search [--transcripts 10000] [--rounds 5] [--seed 7] [--out FILE]

The transcripts are made up: ten minutes each, words by Zipf's law, so that some are everywhere and
most are rare. Searches are timed in this process after start-up and take in the look at all files;
`process_s` is a whole `tonspur search --json`. Rounds are interleaved; the medians are told.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

import psutil

from engine.search import search
from engine.search.index import Index
from engine.settings import Settings, load

_VOCABULARY = 60_000
_SEGMENTS = 120
_WORDS_A_SEGMENT = 13
_SEGMENT_S = 5.0
_PER_CHANNEL = 500
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"

QUESTIONS = {
    "one rare word": "{rare}",
    "two words": "{middle} {other}",
    "a phrase": '"{phrase}"',
    "beginning of a word": "{beginning}*",
    "the commonest word": "{common}",
    "no hit": "qqqqqqqqqq",
}


def vocabulary(chance: random.Random) -> list[str]:
    """Made-up words, the shorter the commoner."""
    found: dict[str, None] = {}
    while len(found) < _VOCABULARY:
        length = 2 + int(len(found) ** 0.2) + chance.randrange(3)
        found["".join(chance.choices(_LETTERS, k=length))] = None
    return list(found)


def fill(root: Path, count: int, chance: random.Random) -> list[str]:
    """Write so many transcripts with their sidecars; the vocabulary, the commonest first."""
    known = vocabulary(chance)
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(known))))
    for number in range(count):
        folder = root / f"Channel {number // _PER_CHANNEL}"
        folder.mkdir(parents=True, exist_ok=True)
        at = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(hours=8 * number)
        write(
            folder,
            number,
            at,
            chance.choices(known, cum_weights=weights, k=_SEGMENTS * _WORDS_A_SEGMENT),
        )
    return known


def write(folder: Path, number: int, at: datetime, words: list[str]) -> None:
    """One transcript and its sidecar."""
    video_id = f"v{number:010}"
    stem = folder / f"{at:%Y-%m-%d}_Talk_{number}_{video_id}"
    segments = [
        {
            "start": n * _SEGMENT_S,
            "end": (n + 1) * _SEGMENT_S,
            "text": " ".join(words[n * _WORDS_A_SEGMENT : (n + 1) * _WORDS_A_SEGMENT]),
        }
        for n in range(_SEGMENTS)
    ]
    transcript = {"language": "en", "duration_s": 600.0, "model": "m", "preset": "p"}
    text = json.dumps(transcript | {"segments": segments}, indent=1)
    stem.with_name(f"{stem.name}.transcript.json").write_text(text, encoding="utf-8")
    video = {
        "videoId": video_id,
        "publishedAt": at.isoformat(),
        "channelId": f"UC{folder.name}",
        "title": f"Talk {number}",
        "channelTitle": folder.name,
    }
    stem.with_name(f"{stem.name}.json").write_text(json.dumps(video), encoding="utf-8")


def questions(known: list[str], some: str) -> dict[str, str]:
    """What is asked: words of all ranks, and a phrase that was said."""
    rare, middle, other = known[len(known) // 2], known[200], known[300]
    given = {
        "rare": rare,
        "middle": middle,
        "other": other,
        "phrase": some,
        "beginning": known[1000][:3],
        "common": known[0],
    }
    return {name: text.format(**given) for name, text in QUESTIONS.items()}


def timed(call: Any) -> tuple[float, Any]:
    """Seconds and the result."""
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def measured(settings: Settings, asked: dict[str, str], rounds: int) -> list[dict[str, Any]]:
    """The median of every question, asked in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in asked}
    hits: dict[str, int] = {}
    for _ in range(rounds):
        for name, text in asked.items():
            took, found = timed(lambda text=text: search(settings, text))
            seconds[name].append(took)
            hits[name] = len(found)
    return [
        {
            "question": name,
            "hits": hits[name],
            "median_s": round(statistics.median(taken), 4),
            "largest_s": round(max(taken), 4),
        }
        for name, taken in seconds.items()
    ]


def touched(files: list[Path]) -> None:
    """Give these another time."""
    for file in files:
        file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transcripts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        root, state = Path(made) / "library", Path(made) / "state"
        known = fill(root, options.transcripts, random.Random(options.seed))
        settings = load(library_dir=root, state_dir=state)
        files = sorted(root.rglob("*.transcript.json"))
        said = json.loads(files[len(files) // 2].read_text(encoding="utf-8"))["segments"][50]
        asked = questions(known, " ".join(said["text"].split()[:3]))

        build_s, taken = timed(Index(settings).refresh)
        print(f"{taken} transcripts indexed in {build_s:.1f} s", flush=True)
        rows = measured(settings, asked, options.rounds)
        for row in rows:
            print(row, flush=True)
        changed = {}
        for count in (1, 100):
            touched(files[:count])
            changed[str(count)] = round(timed(lambda: search(settings, asked["two words"]))[0], 4)
        program = [sys.executable, "-m", "tonspur", "search", asked["two words"], "--json"]
        own = {"LIBRARY_DIR": str(root), "STATE_DIR": str(state)}
        process_s = statistics.median(
            timed(
                lambda: subprocess.run(program, env={**os.environ, **own}, check=True, stdout=-3)
            )[0]
            for _ in range(options.rounds)
        )
        index_mb = sum(file.stat().st_size for file in state.glob("search*")) / 1e6
        text_mb = sum(file.stat().st_size for file in files) / 1e6
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "tonspur": version("tonspur"),
        "seed": options.seed,
        "transcripts": taken,
        "build_s": round(build_s, 2),
        "index_mb": round(index_mb, 1),
        "transcripts_mb": round(text_mb, 1),
        "peak_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
        "rows": rows,
        "after_changes_s": changed,
        "process_s": round(process_s, 3),
    }
    print({name: value for name, value in result.items() if name != "rows"})
    if options.out:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
