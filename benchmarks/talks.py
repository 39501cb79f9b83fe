"""Word error rate and speed of `tonspur file` on recordings with references.

python -m benchmarks.talks FOLDER [--runs N] [--out FILE]

FOLDER holds recordings, and JSON files with `file`, `language` and `reference`, or lists of such
objects. The recordings are copied to a temporary folder first: nothing is written to FOLDER.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.transcript import Transcript
from sandbox.accuracy import word_error_rate


def references(folder: Path) -> list[dict[str, Any]]:
    """Every recording of the folder that has a reference."""
    found: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        found += content if isinstance(content, list) else [content]
    return [item for item in found if (folder / item["file"]).is_file()]


def transcribed(files: list[Path], state: Path) -> list[dict[str, Any]]:
    """The JSON lines of one fresh run over all files."""
    environment = {
        **os.environ,
        "STATE_DIR": str(state),
        "LIBRARY_DIR": str(state / "library"),
        "WHISPER_MODEL": os.environ.get("WHISPER_MODEL", "base"),
    }
    program = [sys.executable, "-m", "tonspur", "file", "--json", "--no-upload"]
    done = subprocess.run(
        [*program, *map(str, files)], env=environment, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measured(folder: Path, runs: int) -> list[dict[str, Any]]:
    """One row per recording: languages, error rate, and the median speed of the runs."""
    items = references(folder)
    rounds = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name:
            media = [shutil.copy(folder / item["file"], name) for item in items]
            lines = transcribed([Path(file) for file in media], Path(name) / "state")
            for line in lines:
                path = Path(line["transcript"]).with_suffix(".transcript.json")
                content = Transcript.model_validate_json(path.read_bytes())
                line["heard"] = " ".join(segment.text for segment in content.segments)
            rounds.append(lines)
    rows = []
    for number, item in enumerate(items):
        mine = [lines[number] for lines in rounds]
        seconds = statistics.median(line["engine_s"] for line in mine)
        rate = word_error_rate(item["reference"], mine[-1]["heard"], item["language"])
        rows.append(
            {
                "file": item["file"],
                "language": item["language"],
                "detected": mine[-1]["language"],
                "duration_s": mine[-1]["duration_s"],
                "engine_s": round(seconds, 2),
                "times_real_time": round(mine[-1]["duration_s"] / seconds, 1),
                "word_error_rate": round(rate, 4),
                "model": mine[-1]["model"],
                "device": mine[-1]["device"],
            }
        )
    return rows


def main() -> None:
    """Measure and write the result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {name: version(name) for name in ("tonspur", "torch", "transformers")},
        "runs": asked.runs,
        "rows": measured(asked.folder, asked.runs),
    }
    text = json.dumps(result, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
