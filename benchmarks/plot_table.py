"""A measurement as a Markdown table."""

from benchmarks.peers.result import Result, Row

_HEAD = "| engine | wall s | × real time | peak MB | WER % |\n|---|---:|---:|---:|---:|"


def markdown(result: Result, ours: str) -> str:
    """A table for each recording, the fastest first, ours in bold; then what was not measured."""
    parts = [
        f"{result.machine.processor}, {result.threads} threads, {result.model} weights, "
        f"{method(result)}"
    ]
    for recording in result.recordings:
        rows = [row for row in result.rows if row.file == recording.file]
        title = f"**{recording.file}** ({recording.language}, {recording.duration_s:.0f} s)"
        parts.append("\n".join([title, "", _HEAD, *(_line(row, row.peer == ours) for row in rows)]))
    lost = [
        f"- {item.subject}{f' on {item.file}' if item.file else ''}: {item.reason}"
        for item in result.unmeasured
    ]
    if lost:
        parts.append("\n".join(["Not measured:", "", *lost]))
    return "\n\n".join(parts)


def method(result: Result) -> str:
    """How the figures came about, and when."""
    if result.rounds == 1:
        return f"one run each, {result.date}"
    return f"medians of {result.rounds} interleaved runs, {result.date}"


def _line(row: Row, bold: bool) -> str:
    cells = [
        row.label,
        f"{row.wall_s:.1f}",
        f"{row.times_real_time:.1f}",
        f"{row.peak_mb:.0f}",
        f"{100 * row.word_error_rate:.1f}",
    ]
    return "| " + " | ".join(f"**{cell}**" if bold else cell for cell in cells) + " |"
