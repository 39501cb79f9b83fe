"""The command line: reads what was asked for, calls what does it, prints what came of it.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from console import serving
from deployments import (
    adopt_commands,
    doctor_commands,
    interrupting,
    look_commands,
    station_commands,
    work_commands,
)
from deployments.examples import epilog
from deployments.odin_commands import odin
from deployments.terminal import Json, end, notices
from engine.errors import ConfigurationError, TonspurError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

UsageError: type[Any] = typer.BadParameter.__bases__[0]  # Typer does not export it
_INTERRUPTED = 130  # what Typer makes of Ctrl-C
_DEBUG = "TONSPUR_DEBUG"
_STAYING = ("up", "engine", "server", "worker", "console")
"""Commands that end with Ctrl-C and not by themselves."""


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


GROUPS: dict[str, tuple[Callable[..., None], ...]] = {
    "Transcribe": (
        work_commands.sync,
        work_commands.playlists,
        work_commands.video,
        work_commands.file,
        work_commands.upload,
        adopt_commands.adopt,
    ),
    "Read and look after": (
        serving.console,
        look_commands.search,
        look_commands.ask,
        look_commands.status,
        look_commands.retry,
        look_commands.keys,
        doctor_commands.doctor,
    ),
    "Run": (
        station_commands.up,
        station_commands.engine,
        station_commands.server,
        station_commands.worker,
        station_commands.stop,
    ),
}
"""Every command but `demo` and `odin`, as `--help` groups them."""
_IDS = {"ignore_unknown_options": True}  # of videos: -abc…

app.command(rich_help_panel="Run", epilog=epilog("demo"))(demo)
for panel, commands in GROUPS.items():
    for command in commands:
        app.command(
            rich_help_panel=panel,
            epilog=epilog(command.__name__),
            context_settings=_IDS if command is work_commands.video else None,
        )(command)
app.add_typer(odin, name="odin", rich_help_panel="Read and look after")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("tonspur"))
        raise typer.Exit


@app.callback(epilog="Something does not work? `tonspur doctor` says what, and what mends it.")
def options(
    debug: Annotated[
        bool,
        typer.Option("--debug", envvar=_DEBUG, help="Show the traceback of an error."),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """YouTube channels, videos and local media as transcripts in an ODIN AI knowledge base."""
    if debug:
        os.environ[_DEBUG] = "1"


def main() -> NoReturn:
    """Run a command; errors become one line on standard error and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a console may be cp1252
    interrupting.listen()
    sys.exit(_status())


def _status() -> int:
    try:
        try:
            status = app(standalone_mode=False)
        finally:
            interrupting.ended()
    except UsageError as error:
        command = error.ctx.command_path if error.ctx else "tonspur"
        return _say(f"{error.format_message()} See `{command} --help`.", 2)
    except (typer.Abort, KeyboardInterrupt):
        status = _INTERRUPTED
    except Exception as error:
        if os.environ.get(_DEBUG):
            raise
        return _say(*_told(error))
    if status == _INTERRUPTED:
        return _say(_how_to_go_on(), 1)
    return int(status or 0)


def _told(error: Exception) -> tuple[str, int]:
    """One sentence, and the exit status; what is none of our errors is a bug."""
    if isinstance(error, ConfigurationError):
        return str(error), 2
    if isinstance(error, TonspurError):
        return str(error), 1
    said = f"{type(error).__name__}: {error}"
    return f"This is a bug of Tonspur: {said} (`tonspur --debug …` shows where).", 1


def _how_to_go_on() -> str:
    if any(name in sys.argv[1:] for name in _STAYING):
        return "Stopped. What was at work begins again with the next start."
    return "Stopped. The same command goes on where this one ended."


def _say(text: str, status: int) -> int:
    notices.print(" ".join(text.split()), soft_wrap=True, markup=False)
    return status


if __name__ == "__main__":
    main()
