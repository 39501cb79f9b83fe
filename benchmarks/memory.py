"""Peak memory of the model process, and whether it grows with the length of a recording.

python -m benchmarks.memory [--minutes 10 600] [--preparation-only] [--model M] [--preset P]
                            [--out FILE]

The recordings are made here: a spoken text with pauses, repeated. Each is worked on by a fresh
process. Memory is that of the model process and of all that it starts, read 20 times a second;
`transcription_mb` is None where only the preparation was asked for.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from benchmarks.peak import Peak
from engine.audio.decoding import ffmpeg_program
from engine.audio.preparation import PreparedAudio
from engine.settings import load
from engine.whisper.client import Engine
from engine.whisper.messages import Wishes
from engine.whisper.presets import PRESETS, Preset
from sandbox import voice

ALLOWED_GROWTH_MB = 300
"""Between the shortest and the longest recording."""
_PAUSES_S = (0.4, 0.7, 1.2, 3.5)
_TEXT = (
    "The harbour was quiet that morning.",
    "Three fishing boats had come back before sunrise, and nobody had seen the fourth.",
    "In the village people said that a storm would come before the end of the week.",
    "An old man carried his chair to the end of the pier and waited there until it was dark.",
)


@dataclass(frozen=True)
class Row:
    """One recording: lengths in seconds, peaks of resident memory in MB (10^6 bytes)."""

    minutes: float
    speech_s: float
    windows: int
    preparation_s: float
    preparation_mb: float
    transcription_s: float | None
    transcription_mb: float | None
    segments: int | None


def spoken(folder: Path) -> Path:
    """About a minute of sentences with pauses of four lengths between them."""
    samples = b""
    for pause_s in _PAUSES_S:
        for sentence in _TEXT:
            samples += voice.say(sentence, "en") + bytes(2 * round(pause_s * voice.RATE))
    path = folder / "spoken.mp3"
    voice.encode(samples, path)
    return path


def repeated(source: Path, minutes: float, target: Path) -> Path:
    """`source` over and over, so many minutes."""
    argv = [str(ffmpeg_program()), "-nostdin", "-loglevel", "error", "-y", "-stream_loop", "-1"]
    argv += ["-i", str(source), "-t", str(minutes * 60), "-c", "copy", str(target)]
    subprocess.run(argv, check=True)
    return target


def measured(
    recording: Path, minutes: float, preset: Preset, model: str, preparation_only: bool
) -> Row:
    """One recording through a fresh model process."""
    preparation, transcription = Peak(), Peak()
    with Engine(load(whisper_model=model)) as engine, tempfile.TemporaryDirectory() as folder:
        before = perf_counter()
        with preparation.watched():
            prepared = engine.prepare(recording, Path(folder), preset)
        preparation_s = perf_counter() - before
        segments = transcription_s = None
        if not preparation_only:
            before = perf_counter()
            with transcription.watched():
                segments = _transcribed(engine, prepared, preset)
            transcription_s = round(perf_counter() - before, 1)
    return Row(
        minutes=minutes,
        speech_s=round(prepared.speech_s, 1),
        windows=len(prepared.windows),
        preparation_s=round(preparation_s, 1),
        preparation_mb=round(preparation.megabytes, 1),
        transcription_s=transcription_s,
        transcription_mb=None if preparation_only else round(transcription.megabytes, 1),
        segments=segments,
    )


def _transcribed(engine: Engine, prepared: PreparedAudio, preset: Preset) -> int:
    return len(engine.transcribe(prepared, preset, Wishes(language="en")).segments)


def growth_mb(rows: list[Row]) -> float:
    """How much more memory the longest recording needed than the shortest, in MB."""
    shortest, longest = (pick(rows, key=lambda row: row.minutes) for pick in (min, max))
    return _peak_mb(longest) - _peak_mb(shortest)


def _peak_mb(row: Row) -> float:
    return max(row.preparation_mb, row.transcription_mb or 0.0)


def main() -> None:
    """Measure, write the result file; exit status 1 where memory grows by more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 600])
    parser.add_argument("--preparation-only", action="store_true")
    parser.add_argument("--model", default="base")
    parser.add_argument("--preset", choices=PRESETS, default="optimiert")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = spoken(folder)
        for minutes in sorted(asked.minutes):
            recording = repeated(source, minutes, folder / "recording.mp3")
            preset = PRESETS[asked.preset]
            rows.append(measured(recording, minutes, preset, asked.model, asked.preparation_only))
            print(json.dumps(asdict(rows[-1])), flush=True)
    growth = growth_mb(rows)
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {name: version(name) for name in ("tonspur", "torch", "transformers")},
        "model": None if asked.preparation_only else asked.model,
        "preset": asked.preset,
        "rows": [asdict(row) for row in rows],
        "growth_mb": round(growth, 1),
        "allowed_growth_mb": ALLOWED_GROWTH_MB,
    }
    text = json.dumps(result, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")
    raise SystemExit(growth > ALLOWED_GROWTH_MB)


if __name__ == "__main__":
    main()
