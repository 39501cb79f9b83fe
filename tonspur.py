"""The command line: reads what was asked for, calls what does it, prints what came of it.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from deployments.odin_commands import odin
from deployments.terminal import (
    Json,
    Language,
    Limit,
    Media,
    Metadata,
    Model,
    NoUpload,
    Preset,
    Project,
    end,
    notices,
)
from engine.errors import ConfigurationError, TonspurError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="YouTube channels, videos and local media as transcripts in an ODIN AI knowledge base.",
)

UsageError: type[Any] = typer.BadParameter.__bases__[0]  # Typer does not export it
_INTERRUPTED = 130  # what Typer makes of Ctrl-C

app.add_typer(odin, name="odin")


@app.command()
def demo(as_json: Json = False) -> None:
    """The whole pipeline on stand-ins for YouTube and ODIN AI, with everything else real."""
    from deployments import tables
    from sandbox.demo import run_demo

    result = run_demo(notices)
    if as_json:
        tables.show(result.outcomes, tables.OUTCOMES, as_json)
    else:
        Console().print(result.table)
        notices.print(f"Transcripts: {result.library}")
    tables.show_summary(result.summary.model_dump(), as_json)
    end(result.outcomes)
    raise typer.Exit(0 if result.well else 1)


@app.command()
def up() -> None:
    """Server, engine and worker on this machine, each restarted when it dies."""
    from deployments.foreground import staying
    from deployments.station import Station
    from engine.settings import load

    settings = load()
    with (
        staying(settings, "up"),
        Station(settings, notices.print, settings.worker_queues) as station,
    ):
        if not station.started_any:
            notices.print(f"Tonspur is up already: {station.dashboard}")
            return
        notices.print(f"Tonspur is up: {station.dashboard}  (Ctrl-C ends it)")
        station.watch()


@app.command()
def engine() -> None:
    """The engine alone, restarted when it dies; for a machine whose services are run otherwise."""
    from deployments import commands
    from deployments.foreground import staying
    from engine.settings import load

    with staying(load(), "engine"):
        commands.run_engine(notices)


@app.command()
def server() -> None:
    """The Prefect server alone, restarted when it dies; for services."""
    from deployments.foreground import staying
    from deployments.parts import run_server
    from engine.settings import load

    settings = load()
    with staying(settings, "server"):
        run_server(settings, notices.print)


@app.command()
def worker() -> None:
    """The worker alone, restarted when it dies; waits for the server; for services."""
    from deployments.foreground import staying
    from deployments.parts import run_worker
    from engine.settings import load

    settings = load()
    with staying(settings, "worker"):
        run_worker(settings, notices.print)


@app.command()
def stop() -> None:
    """Server, engine and worker of this machine, whoever started them."""
    from deployments.stopping import stop_all
    from engine.settings import load

    stopped = stop_all(load())
    notices.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing runs.")


@app.command()
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
    shorts: Annotated[str, typer.Option(help="Shorts: with, without or only.")] = "with",
    streams: Annotated[str, typer.Option(help="Recorded streams: with, without, only.")] = "with",
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


@app.command()
def playlists(
    channel: Annotated[str, typer.Argument(help="@handle, URL or UC… id.")], as_json: Json = False
) -> None:
    """The playlists of a channel, to choose one for `sync --playlist`."""
    from deployments import commands, tables

    tables.show(commands.playlists(channel), tables.PLAYLISTS, as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # ids may begin with a dash
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


@app.command()
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


@app.command()
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
    for row in commands.upload(paths, job, include or [], exclude or []):
        rows.append(row)
        if as_json:
            tables.json_line(row)
    if not as_json:
        tables.show(rows, tables.DOCUMENTS, as_json)
    end(rows)


@app.command()
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

    found = found_in(load(), text, limit, channel)
    if found:
        tables.show(found, tables.HITS, as_json)
    else:
        notices.print("Nobody says that in this library.")


@app.command()
def ask(
    text: Annotated[str, typer.Argument(help="Words or a question.")],
    limit: Limit = 10,
    as_json: Json = False,
) -> None:
    """Where it was said, by ODIN AI's search: video, time and link."""
    from deployments import knowledge_base, tables

    found = knowledge_base.ask(text, limit)
    if found:
        tables.show(found, tables.HITS, as_json)
    else:
        notices.print("ODIN AI found nothing.")


@app.command()
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


@app.command()
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


@app.command()
def keys(as_json: Json = False) -> None:
    """What each YouTube API key has spent today; asks YouTube nothing."""
    from deployments import commands, tables

    rows = commands.key_rows()
    if rows or as_json:
        tables.show(rows, tables.KEYS, as_json)
    else:
        notices.print("No YouTube API key is set: set YT_API_KEYS, or write one to its file.")


def main() -> NoReturn:
    """Run a command; errors become one line on standard error and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a console may be cp1252
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(_status())


def _status() -> int:
    try:
        status = app(standalone_mode=False)
    except UsageError as error:
        command = error.ctx.command_path if error.ctx else "tonspur"
        return _say(f"{error.format_message()} See `{command} --help`.", 2)
    except (typer.Abort, KeyboardInterrupt):
        status = _INTERRUPTED
    except ConfigurationError as error:
        return _say(str(error), 2)
    except TonspurError as error:
        return _say(str(error), 1)
    if status == _INTERRUPTED:
        return _say("Stopped. The same command goes on where this one ended.", 1)
    return int(status or 0)


def _say(text: str, status: int) -> int:
    notices.print(" ".join(text.split()), soft_wrap=True, markup=False)
    return status


if __name__ == "__main__":
    main()
