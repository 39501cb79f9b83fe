"""The command line: reads what was asked for, calls what does it, prints what came of it.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

import signal
import sys
from typing import Any, NoReturn

import typer
from rich.console import Console

from console import serving
from deployments import (
    adopt_commands,
    doctor_commands,
    look_commands,
    station_commands,
    work_commands,
)
from deployments.odin_commands import odin
from deployments.terminal import Json, end, notices
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


for command in (
    station_commands.up,
    work_commands.sync,
    work_commands.playlists,
    work_commands.file,
    work_commands.upload,
    look_commands.search,
    look_commands.ask,
    look_commands.status,
    look_commands.retry,
    look_commands.keys,
    station_commands.engine,
    station_commands.server,
    station_commands.worker,
    station_commands.stop,
    serving.console,
    doctor_commands.doctor,
    adopt_commands.adopt,
):
    app.command()(command)
app.command(context_settings={"ignore_unknown_options": True})(work_commands.video)  # ids: -abc…
app.add_typer(odin, name="odin")


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
