"""Any media file to 16 kHz mono WAV, measured on the way, in one run of ffmpeg."""

import re
import subprocess
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from engine.audio import endings
from engine.audio.conversion import LONGEST_S, command, ffmpeg_program
from engine.audio.level import Level, measured
from engine.audio.probing import Probe, probe
from engine.audio.samples import SAMPLE_RATE, locate, read_samples
from engine.errors import DiskFull, EngineDied, NotMedia
from engine.library import atomic

__all__ = ["SAMPLE_RATE", "Aborted", "Decoded", "Probe", "decode", "ffmpeg_program", "probe"]
__all__ += ["read_samples"]

_TOLERANCE_S = 2.0
_POLL_S = 0.1
_KEPT_LINES = 200
_HARMLESS_LINES = 6  # a tag at the end of an MP3 is taken for a broken frame, twice or so
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console
_OPPOSITE = re.compile(r"out_phase_duration: ([\d.]+)")
_OPPOSITE_SHARE = 0.02  # wide music is so for moments
_TROUBLE = re.compile(r"^(?:\[.* @ 0x[0-9a-f]+\] )*\[(?:error|fatal|panic)\] (?P<said>.+)$")


class Aborted(Exception):  # noqa: N818
    """The caller's `abort` asked to stop; nothing was written."""


@dataclass(frozen=True)
class Decoded:
    """A decoded sound track.

    `gain_db` brings it to the level of all others; it is not in the file but applied when samples
    are read. `loudness_lufs` and `peak_dbfs` are those of the file, None for silence. `cut` is a
    sentence when the sound is not what the container promised.
    """

    wav: Path
    duration_s: float
    gain_db: float
    loudness_lufs: float | None
    peak_dbfs: float | None
    cut: str | None


def decode(
    source: Path,
    target: Path,
    *,
    threads: int = 1,
    abort: Callable[[], bool] = lambda: False,
) -> Decoded:
    """Write the sound track of `source` to `target` as 16 kHz mono WAV of 16-bit samples.

    Damaged media give what can be decoded. `target` is either whole or not there.

    Raises:
        BadMedia: nothing in it can be transcribed.
        MissingProgram: no ffmpeg.
        DiskFull: no space left beside `target`.
        EngineDied: ffmpeg was ended from outside.
        Aborted: `abort` said so; ffmpeg is gone by then.
    """
    about = probe(source)
    with atomic.replacing(target, ".wav") as temporary:

        def mixed(steadfast: bool) -> tuple[_Run, float, Level]:
            run = _run(command(source, temporary, about, threads, steadfast), abort)
            run.check(source, target)
            sound = locate(temporary) if temporary.is_file() and temporary.stat().st_size else None
            if sound is None or not sound.samples:
                raise NotMedia(f"{source} holds no sound that can be decoded{run.reason}.")
            return run, sound.duration_s, measured(run.report)

        run, duration_s, level = mixed(steadfast=False)
        if about.channels > 1 and run.cancelled(level, duration_s):
            run, duration_s, level = mixed(steadfast=True)
    return Decoded(
        wav=target,
        duration_s=duration_s,
        gain_db=level.gain_db,
        loudness_lufs=level.loudness_lufs,
        peak_dbfs=level.peak_dbfs,
        cut=_cut(about, duration_s, run, endings.is_missing(source)),
    )


class _Run:
    """What ffmpeg said and how it ended; keeps the first and last lines only."""

    def __init__(self) -> None:
        self.code = 0
        self.first_trouble: str | None = None
        self.troubles = 0
        self.length_is_a_guess = False
        self._opposite_s = 0.0
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)

    def listen(self, stream: IO[bytes]) -> None:
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip()
            self._last.append(line)
            if "Estimating duration from bitrate" in line:
                self.length_is_a_guess = True
            if found := _OPPOSITE.search(line):
                self._opposite_s += float(found[1])
            if found := _TROUBLE.match(line):
                self.troubles += 1
                self.first_trouble = self.first_trouble or found["said"].rstrip(".")

    @property
    def report(self) -> str:
        return "\n".join(self._last)

    @property
    def reason(self) -> str:
        return f" ({self.first_trouble})" if self.first_trouble else ""

    def cancelled(self, level: Level, duration_s: float) -> bool:
        """Whether the mix lost what was in opposite phase, or in a channel that is not mixed."""
        share = self._opposite_s / duration_s
        return level.loudness_lufs is None or self._opposite_s > 1 and share > _OPPOSITE_SHARE

    def check(self, source: Path, target: Path) -> None:
        if self.code == 0:
            return
        if "No space left on device" in self.report:
            raise DiskFull(f"No space left for {target.parent}: free some and retry.")
        if self.code < 0:
            raise EngineDied(f"ffmpeg was ended by signal {-self.code} while it read {source}.")


def _run(argv: list[str], abort: Callable[[], bool]) -> _Run:
    run = _Run()
    process = subprocess.Popen(  # noqa: S603
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        creationflags=_NO_WINDOW,
    )
    assert process.stderr is not None  # noqa: S101
    listener = Thread(target=run.listen, args=(process.stderr,), daemon=True)
    listener.start()
    try:
        while not _ended(process):
            if abort():
                raise Aborted("Decoding was stopped.")
    finally:
        if process.poll() is None:
            process.kill()
        run.code = process.wait()
        listener.join()
        process.stderr.close()
    return run


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _cut(about: Probe, decoded_s: float, run: _Run, end_is_missing: bool) -> str | None:
    promised_s = about.sound_s or about.duration_s
    known = promised_s is not None and not run.length_is_a_guess
    if decoded_s >= LONGEST_S:
        return f"Only the first {LONGEST_S // 3600} hours of the sound are used."
    if known and promised_s and decoded_s < promised_s - _TOLERANCE_S:
        return f"The sound ends after {decoded_s:.1f} s of {promised_s:.1f} s{run.reason}."
    if end_is_missing:
        return f"The file is cut off; {decoded_s:.1f} s of its sound are there."
    if known and promised_s and decoded_s > promised_s + _TOLERANCE_S:
        return f"The file promises {promised_s:.1f} s but holds {decoded_s:.1f} s of sound."
    if run.code or run.troubles > (_HARMLESS_LINES if known else 0):
        return f"Some of the sound is damaged{run.reason}."
    return None
