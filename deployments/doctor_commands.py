"""`tonspur doctor`."""

import os

import typer

from deployments.terminal import Json, notices


def doctor(as_json: Json = False) -> None:
    """What works here and what does not, each with the command that mends it.

    Asks YouTube once with each key, which costs one unit of it; starts and changes nothing.
    """
    from deployments import tables
    from deployments.doctor.examination import examine

    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    rows = []
    for row in examine():
        rows.append(row)
        if as_json:
            tables.json_line(row)
    if not as_json:
        tables.show(rows, tables.CHECKS, as_json)
    if bad := [row.check for row in rows if row.status == "fail"]:
        notices.print(f"{len(bad)} to mend: {', '.join(bad)}.", soft_wrap=True, markup=False)
        raise typer.Exit(1)
