"""The documentation says what the code says: pages, settings, commands, links."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from benchmarks import bars
from deployments.examples import EXAMPLES
from docs import pages
from engine.settings import Settings
from tests.json_lines import COMMANDS
from tonspur import app

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md")) + [ROOT / "README.md", ROOT / "ARCHITECTURE.md"]
PROSE = [page for page in PAGES if "reference" not in page.parts]
MEANT_FOR_OTHERS = {"PATH", "UTF"}


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", pages.pages(), ids=lambda file: file.name)
def test_what_comes_from_the_code_is_committed_as_it_is_made(file: Path) -> None:
    made = pages.pages()[file]
    assert file.read_text(encoding="utf-8") == made, "run `python -m docs.pages`"


def test_every_setting_stands_in_the_example_file_and_on_the_page_and_none_else() -> None:
    fields = {name.upper() for name in Settings.model_fields}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)) == fields
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE)) == fields


def test_the_example_file_tells_the_defaults() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE))
    for name, field in Settings.model_fields.items():
        value = told[name.upper()].strip()
        default = field.default
        if name in ("state_dir", "channels_file"):
            continue
        if default is None or default == () or "factory" in str(field.default_factory):
            assert value == "", name
        elif isinstance(default, Path):
            assert Path(value) == default, name
        elif isinstance(default, bool):
            assert value == str(default).lower(), name
        elif isinstance(default, int | float):
            assert float(value) == default, name
        else:
            assert value == str(default), name


def commands() -> dict[str, Any]:
    return dict(pages._every_command())


def shown_commands() -> list[tuple[str, str]]:
    """Every `tonspur …` line in a shell block or between backticks."""
    found = []
    for page in PROSE:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```(?:sh|powershell)\n(.*?)```", text, re.DOTALL):
            found += [(named(page), line) for line in block.splitlines()]
        found += [(named(page), code) for code in re.findall(r"`(tonspur [^`]+)`", text)]
    return [(page, line.strip()) for page, line in found if line.strip().startswith("tonspur ")]


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_every_command_that_is_shown_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line.split("  #")[0].split(" #")[0])[1:]
    if words[0].startswith("-"):
        assert words[0] in {"--help", "--debug", "--version", "--install-completion"}
        return
    known = commands()
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    assert name in known or name == "odin", f"{page}: {line}"
    if name == "odin":
        return
    options = {option for parameter in known[name].params for option in parameter.opts}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= options | {"--help"}, f"{page}: {line}"


def test_every_command_has_examples_that_can_be_parsed() -> None:
    assert set(EXAMPLES) == set(commands())
    root: Any = typer.main.get_command(app)
    for name, examples in EXAMPLES.items():
        for example in examples:
            words = shlex.split(example)[1:]
            assert example.startswith(f"tonspur {name}")
            command: Any = root
            while words and words[0] in getattr(command, "commands", {}):
                command = command.commands[words.pop(0)]
            command.make_context(name, words, resilient_parsing=False).close()


def test_every_command_that_prints_json_has_a_schema() -> None:
    with_json = {
        name.replace(" ", "-")
        for name, command in commands().items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json == COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PROSE, ids=named)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prefixes = ("YT_", "ODIN_", "WHISPER_", "ENGINE_")
    for name in set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", text)):
        if name.startswith(prefixes):
            assert name.lower() in Settings.model_fields, name


@pytest.mark.parametrize("page", PROSE, ids=named)
def test_python_that_is_shown_compiles(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        compile(block, named(page), "exec")


@pytest.mark.parametrize("file", bars.drawn(), ids=lambda file: file.name)
def test_every_picture_is_drawn_from_its_result(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == bars.drawn()[file], "run `python -m benchmarks.bars`"
