"""One thing that was looked at: how it is, and what mends it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Check(BaseModel):
    """A line of `tonspur doctor` and of the other checks; `fix` is a command or a setting."""

    model_config = ConfigDict(frozen=True)

    check: str
    status: Literal["ok", "warn", "fail"]
    found: str | None = None
    fix: str | None = None


def ok(check: str, found: object) -> Check:
    """It is as it should be."""
    return Check(check=check, status="ok", found=str(found))


def warn(check: str, found: object, fix: str | None) -> Check:
    """Work goes on, not as well as it could."""
    return Check(check=check, status="warn", found=str(found), fix=fix)


def fail(check: str, found: object | None, fix: str) -> Check:
    """Work that needs it fails."""
    return Check(check=check, status="fail", found=None if found is None else str(found), fix=fix)
