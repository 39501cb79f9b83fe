"""What the commands print: a table for people, or one JSON object a line for programs."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.transcript import clock


@dataclass(frozen=True)
class Columns:
    """Headings, and what a row shows under them."""

    headings: tuple[str, ...]
    cells: Callable[[Any], Iterable[str]]


def json_line(row: BaseModel) -> None:
    """One object on standard output."""
    print(row.model_dump_json(), flush=True)


def show(rows: Iterable[BaseModel], columns: Columns, as_json: bool) -> None:
    """All rows in the form that was asked for."""
    if as_json:
        for row in rows:
            json_line(row)
        return
    table = Table()
    for heading in columns.headings:
        table.add_column(heading, overflow="fold")  # a path that was cut leads nowhere
    for row in rows:
        # Text: a title from the net may look like Rich's markup
        table.add_row(*(Text(cell) for cell in columns.cells(row)))
    Console().print(table)


def show_summary(summary: dict[str, int], as_json: bool) -> None:
    """The counts of a sync."""
    if as_json:
        print(json.dumps({"summary": summary}), flush=True)
    else:
        Console().print(", ".join(f"{count} {name}" for name, count in summary.items()))


def _outcome(item: Any) -> Iterable[str]:
    length = f"{item.duration_s:.0f} s" if item.duration_s else ""
    where = item.reason or (str(item.transcript) if item.transcript else "")
    return item.title or item.video_id, item.status, length, item.language or "", where


def _document(row: Any) -> Iterable[str]:
    return str(row.path), row.status, row.reason or row.document_key or ""


def _key(row: Any) -> Iterable[str]:
    units = f"{row.units} of {row.units_budget}"
    searches = f"{row.searches} of {row.searches_budget}"
    return row.key, units, searches, row.state, f"{row.reset_at:%Y-%m-%d %H:%M}"


def _playlist(row: Any) -> Iterable[str]:
    return row.playlist_id, str(row.videos), row.title


def _hit(row: Any) -> Iterable[str]:
    at = clock(row.start_s, row.start_s >= 3600) if row.start_s is not None else ""
    return row.title, at, row.text, row.link or str(row.transcript or "")


def _known_document(row: Any) -> Iterable[str]:
    return row.name, row.status or "", row.title or "", row.model or "", row.uploaded or ""


def _finding(row: Any) -> Iterable[str]:
    return row.kind, row.name, row.status or "", row.document_key or ""


def _mending(row: Any) -> Iterable[str]:
    return row.action, row.name, row.why, row.status, row.reason or ""


def _check(row: Any) -> Iterable[str]:
    return row.check, row.status, row.found or "", row.fix or ""


def _status(row: Any) -> Iterable[str]:
    later = f"{row.next_try:%Y-%m-%d %H:%M}" if row.next_try else ""
    state = f"{row.state} ({row.sort})" if row.state == "failed" else row.state
    return row.title or row.video_id, row.channel or "", state, row.reason or "", later


def _adopted(row: Any) -> Iterable[str]:
    return row.path.name, row.video_id or "", row.status, row.reason or ""


OUTCOMES = Columns(("Title", "Status", "Length", "Language", "Transcript or reason"), _outcome)
DOCUMENTS = Columns(("Document", "Status", "Key or reason"), _document)
ADOPTED = Columns(("Old file", "Video", "Status", "What there is, or why not"), _adopted)
KEYS = Columns(("Key", "Units", "Searches", "State", "New budget at (UTC)"), _key)
PLAYLISTS = Columns(("Playlist", "Videos", "Title"), _playlist)
STATUSES = Columns(("Title", "Channel", "State", "Reason", "Next try (UTC)"), _status)
HITS = Columns(("Title", "At", "Said", "Link"), _hit)
KNOWN_DOCUMENTS = Columns(("Document", "Status", "Title", "Model", "Uploaded"), _known_document)
FINDINGS = Columns(("Finding", "Document", "Status", "Key"), _finding)
MENDINGS = Columns(("Action", "Document", "Why", "Status", "Reason"), _mending)
CHECKS = Columns(("Check", "Status", "Found", "What to do"), _check)
