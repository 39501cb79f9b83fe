"""Python, and the packages whose versions Tonspur depends on."""

import platform
import re
import struct
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.checks import Check, fail, ok, warn

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from engine.settings import Settings

_LEAST = (3, 11)
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
_INSTALL = 'pip install -e "."'


def python(settings: "Settings | None") -> Iterator[Check]:
    """The interpreter: its version, and 64 bit, which torch asks for."""
    found = f"{platform.python_version()}, {struct.calcsize('P') * 8} bit"
    if sys.version_info < _LEAST or struct.calcsize("P") < 8:
        yield fail("Python", found, "Install Python 3.11 or newer, 64 bit, from python.org.")
    else:
        yield ok("Python", found)


def versions(settings: "Settings | None") -> Iterator[Check]:
    """Every package that Tonspur asks for, in the range that was tried."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in _required()]
    if not wanted:
        yield warn("packages", "Tonspur is not installed: what it asks for is not known", _INSTALL)
        return
    here = (one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""}))
    wrong = [line for one in here if (line := _problem(one))]
    if wrong:
        yield from wrong
    else:
        yield ok("packages", "all there, in the versions that were tried")


def _required() -> list[str]:
    """Of the checkout that runs, which may be newer than what was installed of it."""
    if _PYPROJECT.is_file():
        project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
        return list(project["dependencies"])
    try:
        return metadata.requires("tonspur") or []
    except metadata.PackageNotFoundError:
        return []


def _problem(wanted: "Requirement") -> Check | None:
    name = f"package {wanted.name}"
    exact = re.sub(r"\s", "", str(wanted.specifier))
    fix = f'pip install "{wanted.name}{exact}", or {_INSTALL}'
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return fail(name, "missing", fix)
    if not wanted.specifier.contains(found, prereleases=True):
        return fail(name, found, fix)
    return None
