"""How loud a recording is, and the one gain that brings it to the level of all others."""

import math
import re
from dataclasses import dataclass

TARGET_LUFS = -16.0
"""Integrated loudness that speech is brought to."""
PEAK_CEILING_DBFS = -1.0
"""No sample is raised above this."""
HIGHEST_GAIN_DB = 30.0
"""Beyond it only noise would be raised."""
_SILENCE_LUFS = -70.0  # the absolute gate of EBU R 128: nothing above it was heard

_NUMBER = r"(-?(?:[\d.]+|inf|nan))"
_LOUDNESS = re.compile(rf"Integrated loudness:\s+I:\s+{_NUMBER}\s+LUFS", re.IGNORECASE)
_PEAK = re.compile(rf"Sample peak:\s+Peak:\s+{_NUMBER}\s+dBFS", re.IGNORECASE)


@dataclass(frozen=True)
class Level:
    """Integrated loudness (LUFS) and highest sample (dBFS); None each where there is silence."""

    loudness_lufs: float | None
    peak_dbfs: float | None

    @property
    def gain_db(self) -> float:
        """What brings speech to -16 LUFS without clipping; 0 for silence."""
        if self.loudness_lufs is None or self.peak_dbfs is None:
            return 0.0
        wanted = TARGET_LUFS - self.loudness_lufs
        return min(wanted, PEAK_CEILING_DBFS - self.peak_dbfs, HIGHEST_GAIN_DB)


def measured(report: str) -> Level:
    """The level in what ffmpeg's `ebur128` filter wrote; a report without one is silence.

    A recording that changes its form midway (mono, then stereo) is measured in parts: the loudest
    counts.
    """
    return Level(
        _loudest(_LOUDNESS.findall(report), above=_SILENCE_LUFS),
        _loudest(_PEAK.findall(report), above=-math.inf),
    )


def _loudest(texts: list[str], above: float) -> float | None:
    return max((v for v in map(_number, texts) if math.isfinite(v) and v > above), default=None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
