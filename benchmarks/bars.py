"""Pictures of results for the documentation; `python -m benchmarks.bars` draws them anew.

Each is made from a committed result file alone, and a test compares it with the one in docs/images.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.plot import STYLE

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
_WIDTH, _MARGIN, _LEFT, _LONGEST = 760, 20, 300, 330
_HEAD, _ROW, _BAR, _FOOT = 56, 28, 16, 34


@dataclass(frozen=True)
class Bar:
    """One bar: what it is of, how long it is, and what is written at its end."""

    label: str
    value: float
    said: str
    ours: bool = True


@dataclass(frozen=True)
class Picture:
    """A title, bars of one scale, and a line about the machine."""

    title: str
    bars: Sequence[Bar]
    foot: str


def pipeline(result: Any) -> Picture:
    """Twenty videos with a warm engine, and with a model that every run loads."""
    names = {"shorts": "20 Shorts", "long": "20 videos of ten minutes"}
    bars = [
        Bar(
            f"{names[row['kind']]}, {'warm engine' if row['loading'] == 'warm' else 'own model'}",
            row["wall_s"],
            f"{row['wall_s']:.0f} s",
            row["loading"] == "warm",
        )
        for row in result["rows"]
    ]
    return Picture("Seconds from the first run to the last document", bars, _machine(result))


def planning(result: Any) -> Picture:
    """Planning twenty thousand videos beside libraries of several sizes."""
    bars = [
        Bar(
            f"library of {row['library']:,}, {row['planned']:,} of them new",
            row["wall_s"],
            f"{row['wall_s']:.1f} s, {row['units']} units",
        )
        for row in result["rows"]
    ]
    return Picture("Seconds to plan a channel of 20,000 videos", bars, _machine(result))


def search(result: Any) -> Picture:
    """Questions to an index of ten thousand transcripts."""
    bars = [
        Bar(row["question"], row["median_s"], f"{row['median_s'] * 1000:.0f} ms")
        for row in result["rows"]
    ]
    title = f"Milliseconds to find it in {result['transcripts']:,} transcripts"
    return Picture(title, bars, _machine(result))


def memory(result: Any) -> Picture:
    """The peak of a short and of a very long recording."""
    bars = [
        Bar(
            f"{row['minutes']:.0f} minutes, {step}",
            row[f"{step}_mb"],
            f"{row[f'{step}_mb']:.0f} MB",
        )
        for row in result["rows"]
        for step in ("preparation", "transcription")
    ]
    return Picture("Peak memory does not grow with the recording", bars, _machine(result))


PICTURES: dict[str, tuple[str, Callable[[Any], Picture]]] = {
    "pipeline.svg": ("pipeline-cpu-2026-11-25.json", pipeline),
    "planning.svg": ("planning-cpu-2026-11-25.json", planning),
    "search.svg": ("search-cpu-2026-11-25.json", search),
    "memory.svg": ("memory-cpu-2026-11-24.json", memory),
}
"""Each picture, the result that it shows, and how."""


def drawn() -> dict[Path, str]:
    """Every picture with its content."""
    return {
        IMAGES / name: svg(make(json.loads((RESULTS / file).read_text(encoding="utf-8"))))
        for name, (file, make) in PICTURES.items()
    }


def svg(picture: Picture) -> str:
    """The picture, with text as text, in the reader's light or dark theme."""
    height = _HEAD + _ROW * len(picture.bars) + _FOOT
    scale = _LONGEST / max(bar.value for bar in picture.bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">',
        f"<title>{escape(picture.title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
        _text(_MARGIN, 34, picture.title, "title"),
    ]
    for place, bar in enumerate(picture.bars):
        top = _HEAD + _ROW * place
        length = max(2.0, bar.value * scale)
        kind = "bar ours" if bar.ours else "bar"
        parts += [
            _text(_LEFT - 12, top + 13, bar.label, "end"),
            f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}"/>',
            _text(_LEFT + length + 8, top + 13, bar.said),
        ]
    parts += [_text(_MARGIN, height - 14, picture.foot, "quiet"), "</svg>"]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y}"{named}>{escape(text)}</text>'


def _machine(result: Any) -> str:
    day = str(result.get("date") or result.get("measured", ""))[:10]
    return f"{result['machine']}; {day}"


if __name__ == "__main__":
    for file, content in drawn().items():
        file.write_text(content, encoding="utf-8", newline="\n")
