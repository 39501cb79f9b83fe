"""The commands that do work: a channel, single videos, local media, documents."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments.terminal import (
    Json,
    Language,
    Media,
    Metadata,
    Model,
    NoUpload,
    Preset,
    Project,
    end,
    notices,
    one_of,
)

TAKES = ("with", "without", "only")


def sync(
    channel: Annotated[str, typer.Argument(help="@handle, URL or UC… id.")],
    latest: Annotated[int | None, typer.Option(min=1, help="The newest so many.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day on, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this day, YYYY-MM-DD.")] = None,
    most_viewed: Annotated[int | None, typer.Option(min=1, help="The most viewed so many.")] = None,
    playlist: Annotated[str | None, typer.Option(help="The videos of this playlist.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All videos.")] = False,
    published_after: Annotated[
        str | None, typer.Option(help="Nothing older than this day.")
    ] = None,
    shorts: Annotated[
        str, typer.Option(help="Shorts: with, without or only.", autocompletion=one_of(*TAKES))
    ] = "with",
    streams: Annotated[
        str,
        typer.Option(help="Recorded streams: with, without, only.", autocompletion=one_of(*TAKES)),
    ] = "with",
    shortest: Annotated[float | None, typer.Option(help="Seconds that it lasts at least.")] = None,
    longest: Annotated[float | None, typer.Option(help="Seconds that it lasts at most.")] = None,
    title: Annotated[str | None, typer.Option(help="Regular expression for its title.")] = None,
    cap: Annotated[
        int | None, typer.Option(min=1, help="Videos that are queued at a time.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    no_upload: NoUpload = False,
    preset: Preset = None,
    model: Model = None,
    language: Language = None,
    media: Media = None,
    metadata: Metadata = None,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """What is new on a channel, now; waits for it."""
    from deployments import commands, tables
    from engine.odin.signature import signature
    from engine.youtube.selection import choose
    from tasks.job import Job

    job = Job(preset, model, language, media, signature(metadata), project)
    chosen = choose(
        latest=latest,
        since=since,
        until=until,
        most_viewed=most_viewed,
        playlist=playlist,
        everything=everything,
        published_after=published_after,
        shorts=shorts,
        streams=streams,
        shortest=shortest,
        longest=longest,
        title=title,
    )
    if dry_run:
        outcomes, summary = commands.plan_sync(channel, chosen, job, cap)
    else:
        outcomes, summary = commands.sync(channel, chosen, job, cap, not no_upload, notices)
    tables.show(outcomes, tables.OUTCOMES, as_json)
    tables.show_summary(summary.model_dump(), as_json)
    if dry_run and not as_json:
        Console().print(commands.price(outcomes, summary))
    end(outcomes)


def playlists(
    channel: Annotated[str, typer.Argument(help="@handle, URL or UC… id.")], as_json: Json = False
) -> None:
    """The playlists of a channel, to choose one for `sync --playlist`."""
    from deployments import commands, tables

    tables.show(commands.playlists(channel), tables.PLAYLISTS, as_json)


def video(
    addresses: Annotated[list[str], typer.Argument(help="Addresses or ids of videos.")],
    no_upload: NoUpload = False,
    preset: Preset = None,
    model: Model = None,
    language: Language = None,
    media: Media = None,
    metadata: Metadata = None,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Single videos."""
    from deployments import commands, tables
    from engine.odin.signature import signature
    from tasks.job import Job

    if wrong := [address for address in addresses if address.startswith("--")]:
        raise typer.BadParameter(f"No such option: {wrong[0]}")

    job = Job(preset, model, language, media, signature(metadata), project)
    outcomes = commands.videos(addresses, job, not no_upload, notices)
    tables.show(outcomes, tables.OUTCOMES, as_json)
    end(outcomes)


def file(
    paths: Annotated[list[Path], typer.Argument(help="Media files, or folders that hold them.")],
    no_upload: NoUpload = False,
    preset: Preset = None,
    model: Model = None,
    language: Language = None,
    metadata: Metadata = None,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Local media; needs no Prefect server."""
    from deployments import commands, tables
    from engine.odin.signature import signature
    from tasks.job import Job

    job = Job(preset, model, language, metadata=signature(metadata), project=project)
    outcomes = []
    for outcome in commands.files(paths, job, not no_upload, notices):
        outcomes.append(outcome)
        if as_json:
            tables.json_line(outcome)
    if not as_json:
        tables.show(outcomes, tables.OUTCOMES, as_json)
    end(outcomes)


def upload(
    paths: Annotated[list[Path], typer.Argument(help="Documents, or folders that hold them.")],
    include: Annotated[
        list[str] | None, typer.Option(help="Pattern such as *.pdf: of a folder nothing else.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Pattern: of a folder nothing that matches it.")
    ] = None,
    metadata: Metadata = None,
    project: Project = None,
    as_json: Json = False,
) -> None:
    """Documents of the ten types that ODIN AI takes; needs no Prefect server."""
    from deployments import commands, tables
    from engine.odin.signature import signature
    from tasks.job import Job

    job = Job(metadata=signature(metadata), project=project)
    rows = []
    for row in commands.upload(paths, job, include or [], exclude or [], notices):
        rows.append(row)
        if as_json:
            tables.json_line(row)
    if not as_json:
        tables.show(rows, tables.DOCUMENTS, as_json)
    end(rows)
