"""The commands that tell where something was said or stands, and try failures again."""

from typing import Annotated

import typer
from rich.console import Console

from deployments.terminal import Json, Limit, end, notices


def search(
    text: Annotated[str, typer.Argument(help='Words, "a phrase", begin*.')],
    channel: Annotated[str | None, typer.Option(help="Only in this channel.")] = None,
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """Where it was said, by the transcripts of this library: video, time and link."""
    from deployments import tables
    from engine.search import search as found_in
    from engine.settings import load

    with notices.status("Searching …"):
        found = found_in(load(), text, limit, channel)
    if found:
        tables.show(found, tables.HITS, as_json)
    else:
        notices.print("Nobody says that in this library.")


def ask(
    text: Annotated[str, typer.Argument(help="Words or a question.")],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """Where it was said, by ODIN AI's search: video, time and link."""
    from deployments import knowledge_base, tables

    with notices.status("Asking ODIN AI …"):
        found = knowledge_base.ask(text, limit)
    if found:
        tables.show(found, tables.HITS, as_json)
    else:
        notices.print("ODIN AI found nothing.")


def retry(
    videos: Annotated[
        list[str] | None, typer.Argument(help="Ids or addresses; else all temporary failures.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Permanent failures too.")] = False,
    cause: Annotated[
        list[str] | None, typer.Option(help="Only this failure, such as 'members only'.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Only videos of this channel.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Only what is due by now.")] = False,
    lift_pause: Annotated[
        bool, typer.Option("--lift-pause", help="Download at once, though YouTube asked to wait.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Failed videos again, each from the step that failed; waits for them."""
    from deployments import operation, tables

    again = operation.wanted(videos or (), cause or (), channel, permanent=everything, due=due)
    outcomes = operation.retry(again, notices, lift_pause=lift_pause)
    if outcomes or as_json:
        tables.show(outcomes, tables.OUTCOMES, as_json)
    else:
        notices.print("Nothing has to be tried again.")
    end(outcomes)


def status(
    channel: Annotated[str | None, typer.Argument(help="One channel; else the library.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show what is done, too.")] = False,
    as_json: Json = False,
) -> None:
    """Where the videos stand: failures, why, and when they are tried again."""
    from deployments import operation, tables

    videos, standing = operation.status(channel)
    shown = videos if every or as_json else [one for one in videos if one.state != "done"]
    if shown:
        tables.show(shown, tables.STATUSES, as_json)
    if as_json:
        tables.json_line(operation.StatusSummary(summary=standing))
        return
    counts = standing.model_dump(include={"videos", "done", "waiting", "deferred", "failed"})
    tables.show_summary(counts, as_json)
    if standing.downloads_rest_until:
        because = f": {standing.because}" if standing.because else ""
        until = f"{standing.downloads_rest_until:%Y-%m-%d %H:%M} UTC"
        Console().print(f"Downloads rest until {until}{because}", markup=False)


def keys(as_json: Json = False) -> None:
    """What each YouTube API key has spent today; asks YouTube nothing."""
    from deployments import commands, tables

    rows = commands.key_rows()
    if rows or as_json:
        tables.show(rows, tables.KEYS, as_json)
    else:
        notices.print("No YouTube API key is set: set YT_API_KEYS, or write one to its file.")
