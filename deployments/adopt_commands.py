"""`tonspur adopt`."""

from pathlib import Path
from typing import Annotated

import typer

from deployments.terminal import Json, end, notices


def adopt(
    folder: Annotated[Path, typer.Argument(help="Where media and transcripts of old lie.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it, and not only show it.")] = False,
    as_json: Json = False,
) -> None:
    """An old library, with its transcripts, into this one; only shown without --yes."""
    from deployments import tables
    from engine.adoption.taking import adopt as taken
    from engine.settings import load

    rows = []
    for row in taken(folder, load(), yes=yes):
        rows.append(row)
        if as_json:
            tables.json_line(row)
    if not as_json:
        tables.show([row for row in rows if row.status != "skipped"], tables.ADOPTED, as_json)
    count = sum(row.status in ("planned", "done") for row in rows)
    gigabytes = sum(row.bytes for row in rows) / 1e9
    left = sum(row.status == "skipped" for row in rows)
    said = f"{count} recordings with {gigabytes:.2f} GB of media, {left} left out"
    if yes:
        notices.print(f"Taken over: {said}.", markup=False)
    else:
        notices.print(f"Would be taken over: {said}. --yes does it.", markup=False)
    end(rows)
