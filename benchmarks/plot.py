"""A measurement as a picture: bars of × real time, error rate and memory beside.

SVG with text as text. It brings its own background and follows the reader's light or dark theme.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.peers.result import Recording, Result, Row
from benchmarks.plot_table import method

_WIDTH = 860
_MARGIN = 20
_BARS = 262
"""Where the bars begin; labels end left of it."""
_LONGEST = 360
_ERRORS = 750
_MEMORY = _WIDTH - _MARGIN
_ROW = 26
_BAR = 16
_HEAD = 62
_PANEL_HEAD = 34
_PANEL_GAP = 18
_FOOT = 62

STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.panel { font-weight: 600 }
.quiet { fill: #59636e }
.ours { font-weight: 700 }
.end { text-anchor: end }
.ground { fill: #ffffff }
.bar { fill: #8c959f }
.bar.ours { fill: #0969da }
.line { stroke: #d1d9e0 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.quiet { fill: #9198a1 }
.ground { fill: #0d1117 }
.bar { fill: #656c76 }
.bar.ours { fill: #4493f8 }
.line { stroke: #3d444d }
}
"""


@dataclass(frozen=True)
class _Panel:
    """One recording's part of the picture."""

    recording: Recording
    rows: list[Row]

    @property
    def height(self) -> int:
        return _PANEL_HEAD + _ROW * len(self.rows) + _PANEL_GAP


def picture(result: Result, ours: str) -> str:
    """The whole picture; the bars of all recordings have one scale."""
    panels = [
        _Panel(recording, [row for row in result.rows if row.file == recording.file])
        for recording in result.recordings
    ]
    scale = _LONGEST / max((row.times_real_time for row in result.rows), default=1.0)
    height = _HEAD + sum(panel.height for panel in panels) + _FOOT
    title = f"Whisper {result.model} on {result.threads} processor threads"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}: speed and word error rate of each engine</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
        _text(_MARGIN, 34, title, "title"),
        _text(_BARS, 56, "times real time; longer is faster", "quiet"),
        _text(_ERRORS, 56, "word errors", "quiet end"),
        _text(_MEMORY, 56, "memory", "quiet end"),
    ]
    top = _HEAD
    for panel in panels:
        parts += _drawn(panel, top, scale, ours)
        top += panel.height
    parts += [
        _text(_MARGIN, height - 40, result.machine.processor, "quiet"),
        _text(_MARGIN, height - 20, f"Same weights, same files; {method(result)}.", "quiet"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _drawn(panel: _Panel, top: int, scale: float, ours: str) -> list[str]:
    about = panel.recording
    minutes, rest = divmod(round(about.duration_s), 60)
    name = f"{about.file}, {about.language}, {minutes}:{rest:02} min"
    parts = [
        f'<line class="line" x1="{_MARGIN}" y1="{top + 6}" x2="{_MEMORY}" y2="{top + 6}"/>',
        _text(_MARGIN, top + 26, name, "panel"),
    ]
    for number, row in enumerate(panel.rows):
        y = top + _PANEL_HEAD + number * _ROW
        mine = " ours" if row.peer == ours else ""
        width = max(1.0, row.times_real_time * scale)
        base = y + 17
        parts += [
            _text(_BARS - 10, base, row.label, f"end{mine}"),
            f'<rect class="bar{mine}" x="{_BARS}" y="{y + 4}" width="{width:.1f}" '
            f'height="{_BAR}" rx="2"/>',
            _text(round(_BARS + width) + 7, base, f"{row.times_real_time:.1f}×", mine),
            _text(_ERRORS, base, f"{100 * row.word_error_rate:.1f} %", f"end{mine}"),
            _text(_MEMORY, base, f"{row.peak_mb:.0f} MB", f"end{mine}"),
        ]
    return parts


def _text(x: int, y: int, words: str, kind: str) -> str:
    named = f' class="{kind.strip()}"' if kind.strip() else ""
    return f'<text x="{x}" y="{y}"{named}>{escape(words)}</text>'
