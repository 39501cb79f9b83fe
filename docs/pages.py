"""Writes the pages of the reference that come from the code: `python -m docs.pages`.

A test compares them with what is committed.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer.main
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

from deployments import commands, knowledge_base, operation
from deployments.checks import Check
from deployments.examples import EXAMPLES
from engine import errors
from engine.adoption.taking import AdoptRow
from engine.errors import Deferred, Permanent, TonspurError, leaves
from engine.library.outcome import Outcome
from engine.odin.asking import Answer
from engine.odin.batch import UploadRow
from engine.odin.comparison import Finding
from engine.search import Hit
from engine.settings import Settings
from engine.steps.in_step import Mending
from engine.steps.status import VideoStatus
from engine.steps.summary import Summary
from flows.endings import cause
from tonspur import app

HERE = Path(__file__).parent


class SyncSummary(BaseModel):
    """The last line of a sync."""

    summary: Summary


LINES: dict[str, tuple[type[BaseModel], ...]] = {
    "demo": (Outcome, SyncSummary),
    "sync": (Outcome, SyncSummary),
    "playlists": (commands.PlaylistRow,),
    "video": (Outcome,),
    "file": (Outcome,),
    "upload": (UploadRow,),
    "search": (Hit,),
    "ask": (Answer,),
    "status": (VideoStatus, operation.StatusSummary),
    "retry": (Outcome,),
    "keys": (commands.KeyRow,),
    "doctor": (Check,),
    "adopt": (AdoptRow,),
    "odin list": (knowledge_base.DocumentRow,),
    "odin verify": (Finding,),
    "odin repair": (Mending,),
    "odin check": (Check,),
}
"""What each command's `--json` prints, line by line: one of these."""


def pages() -> dict[Path, str]:
    """Every generated file with its content."""
    made = {
        HERE / "reference" / "settings.md": settings_page(),
        HERE / "reference" / "commands.md": commands_page(),
        HERE / "reference" / "states.md": states_page(),
    }
    for command, models in LINES.items():
        file = HERE / "schemas" / f"{command.replace(' ', '-')}.json"
        made[file] = json.dumps(schema(*models), indent=1, ensure_ascii=False) + "\n"
    return made


def schema(*models: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of one line: every field is there, and no other."""
    lines: Any = models[0] if len(models) == 1 else Union[models]  # noqa: UP007 - made at run time
    made = TypeAdapter(lines).json_schema(mode="serialization")
    for part in (made, *made.get("$defs", {}).values()):
        if part.get("type") == "object" and "properties" in part:
            part["additionalProperties"] = False
            part["required"] = sorted(part["properties"])
            part.pop("description", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def settings_page() -> str:
    """Every setting: its name, what it takes, its default, its meaning."""
    lines = [
        "# Settings",
        "",
        "Environment variables, or lines of `.env` in the folder where a command starts; the",
        "environment goes first. `.env.example` is a file to begin with. `tonspur doctor` names",
        "every value that cannot be used.",
        "",
        "| setting | takes | default | meaning |",
        "|---|---|---|---|",
    ]
    meanings = _meanings()
    for name, field in Settings.model_fields.items():
        cells = (_takes(field.annotation), _default(name, field), meanings[name])
        lines.append(f"| `{name.upper()}` | " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _meanings() -> dict[str, str]:
    """The sentence below each field of the settings, as the source has it."""
    source = (HERE.parent / "engine" / "settings.py").read_text(encoding="utf-8")
    found = re.findall(
        r'^    (\w+): [^\n]*(?:\n        [^\n]*|\n    \)[^\n]*)*\n    """(.+?)"""',
        source,
        re.MULTILINE | re.DOTALL,
    )
    return {name: " ".join(text.split()) for name, text in found}


def _takes(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    inner = [arg for arg in get_args(kind) if arg is not type(None)]
    if type(None) in get_args(kind):
        return _takes(inner[0])
    if get_origin(kind) is tuple:
        return "list, with commas"
    words = {"bool": "true, false", "str": "text", "Path": "path", "int": "whole number"}
    name = getattr(kind, "__name__", str(kind))
    return words.get(name, "secret" if name == "SecretStr" else "number")


def _default(name: str, field: Any) -> str:
    if name == "state_dir":
        return "the user's data folder"
    if name == "channels_file":
        return "`deployments/channels.yaml`"
    value = field.default
    if value is None or value == () or value is PydanticUndefined:
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def commands_page() -> str:
    """Every command with its arguments, options and examples."""
    lines = [
        "# Commands",
        "",
        "Exit status: 0 all well (skipped and deferred items are well), 1 something failed, 2 bad",
        "usage or configuration. `--json` prints JSON lines on standard output and nothing else",
        "there; [schemas](../schemas) describe them. Errors go to standard error as one sentence;",
        "`tonspur --debug …` shows the traceback. `tonspur --install-completion` completes words.",
    ]
    for name, command in _every_command():
        lines += ["", f"## tonspur {name}", "", " ".join((command.help or "").split()), ""]
        rows = [_parameter(parameter) for parameter in command.params]
        if rows := [row for row in rows if row]:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
        lines += ["```sh", *EXAMPLES[name], "```"]
        if name in LINES:
            file = f"{name.replace(' ', '-')}.json"
            lines += ["", f"Lines of `--json`: [{file}](../schemas/{file})."]
    return "\n".join(lines) + "\n"


def _every_command() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        if inner := getattr(command, "commands", None):
            yield from ((f"{name} {below}", one) for below, one in inner.items())
        else:
            yield name, command


def _parameter(parameter: Any) -> str | None:
    if parameter.name == "help":
        return None
    help_text = " ".join((getattr(parameter, "help", None) or "").split())
    if parameter.param_type_name == "argument":
        name = f"`{parameter.name.upper()}{'…' if parameter.nargs == -1 else ''}`"
    else:
        name = ", ".join(f"`{one}`" for one in parameter.opts)
        default = parameter.default
        if not (parameter.is_flag or default is None or callable(default)):
            help_text += f" Default: {default}."
    return f"| {_cell(name)} | {_cell(help_text)} |"


def states_page() -> str:
    """Every cause of a failure: how its run ends, when it is tried again, and what to do."""
    lines = [
        "# States and failures",
        "",
        "A run that did its work is `Completed`. One that could not says why in the name of its",
        "state; the sidecar and `tonspur status` say the same.",
        "",
        "- `Permanent: …` waits for you: *Retry* on the dashboard, or `tonspur retry --all`.",
        "- `Temporary: …` is tried again within minutes in the same run, then by the clock.",
        "- `Deferred` is no failure: the video gets a run of its own for later.",
        "- `Skipped` is no failure: another sync has the channel at that moment.",
        "- `Crashed`: the process, its worker or its machine died; it begins again by itself, ten",
        "  times at most.",
        "",
        "The dashboard lists them all under *Runs*. The tab *Runs* of one deployment shows only",
        "those whose state has a name of Prefect's own.",
        "",
        "| cause | sort | means | tried again after | what to do |",
        "|---|---|---|---|---|",
    ]
    for leaf in leaves():
        cells = (cause(leaf), _sort(leaf), _meaning(leaf), _again(leaf), leaf.advice or "–")
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _sort(leaf: type[TonspurError]) -> str:
    if issubclass(leaf, Permanent):
        return "permanent"
    return "deferred" if issubclass(leaf, Deferred) else "temporary"


def _meaning(leaf: type[TonspurError]) -> str:
    first = textwrap.dedent(leaf.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(first.split())


def _again(leaf: type[TonspurError]) -> str:
    if issubclass(leaf, Deferred):
        return "its time"
    if not leaf.later_h:
        return "–"
    soon = getattr(leaf, "soon", False) and issubclass(leaf, errors.Temporary)
    hours = ", ".join(f"{hour:g}" for hour in leaf.later_h)
    return f"{'minutes; then ' if soon else ''}{hours} h"


if __name__ == "__main__":
    for file, content in pages().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="\n")
