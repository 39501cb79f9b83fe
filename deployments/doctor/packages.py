"""Python, and the packages whose versions Tonspur depends on."""

import platform
import re
import struct
import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement

from deployments.checks import Check, fail, ok
from engine.settings import Settings

_LEAST = (3, 11)
_INSTALL = 'pip install -e "."'


def python(settings: Settings) -> Iterator[Check]:
    """The interpreter: its version, and 64 bit, which torch asks for."""
    found = f"{platform.python_version()}, {struct.calcsize('P') * 8} bit"
    if sys.version_info < _LEAST or struct.calcsize("P") < 8:
        yield fail("Python", found, "Install Python 3.11 or newer, 64 bit, from python.org.")
    else:
        yield ok("Python", found)


def versions(settings: Settings) -> Iterator[Check]:
    """Every package that Tonspur's own metadata ask for, in the range that was tried."""
    wrong = [line for one in _required() if (line := _problem(one))]
    if wrong:
        yield from wrong
    else:
        yield ok("packages", "all there, in the versions that were tried")


def _required() -> Iterator[Requirement]:
    try:
        every = metadata.requires("tonspur") or []
    except metadata.PackageNotFoundError:
        return
    for text in every:
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield one


def _problem(wanted: Requirement) -> Check | None:
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
