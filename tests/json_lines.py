"""What a command's `--json` printed, held against the schema of its lines."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"
COMMANDS = {file.stem for file in SCHEMAS.glob("*.json")}


@cache
def validator(command: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{command}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The objects on standard output, each as the command's schema says."""
    return checked(command_of([str(part) for part in done.args]), done.stdout)


def checked(command: str, stdout: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in stdout.splitlines()]
    for row in rows:
        validator(command).validate(row)
    return rows


def command_of(arguments: list[str]) -> str:
    """`sync`, `odin-list` …: the first words after the program that are a command."""
    for place, word in enumerate(arguments):
        pair = "-".join(arguments[place : place + 2])
        if pair in COMMANDS:
            return pair
        if word in COMMANDS:
            return word
    raise AssertionError(f"no command in {arguments}")
