"""What the commands about the knowledge base do: ask, list, compare, mend, check."""

from collections.abc import Iterator

from pydantic import BaseModel

from deployments.checks import Check
from engine.errors import NetworkTrouble, Temporary, TonspurError
from engine.library.shelf import Library
from engine.odin import asking, contract
from engine.odin.client import OdinClient
from engine.odin.comparison import Finding
from engine.settings import Settings, load
from engine.steps.in_step import Mending, compare, mend, plan


def ask(text: str, limit: int) -> list[asking.Answer]:
    """Where it was said, by ODIN AI's search."""
    settings = load()
    with OdinClient(settings) as client:
        return asking.ask(client, Library(settings), text, limit)


class DocumentRow(BaseModel):
    """One document of the knowledge base; `uploaded` as ODIN AI writes it."""

    name: str
    path: str | None
    status: str | None
    title: str | None
    video_id: str | None
    model: str | None
    uploaded: str | None
    document_key: str | None


def documents(settings: Settings) -> Iterator[DocumentRow]:
    """Every document, in the order of the listing."""
    with OdinClient(settings) as client:
        for one in client.documents(recursive=True):
            told = {name: value for name, value in one.metadata.items() if isinstance(value, str)}
            yield DocumentRow(
                name=one.name,
                path=one.path,
                status=one.status,
                title=told.get("title"),
                video_id=one.video_id,
                model=told.get("model"),
                uploaded=str(one.upload_date) if one.upload_date else None,
                document_key=one.key,
            )


def findings(settings: Settings) -> list[Finding]:
    """Library and knowledge base side by side."""
    with OdinClient(settings) as client:
        return compare(client, Library(settings), settings).findings


def repair(settings: Settings, *, yes: bool, delete_left_over: bool) -> Iterator[Mending]:
    """What would be done, or with `yes` what was done."""
    library = Library(settings)
    with OdinClient(settings) as client:
        comparison = compare(client, library, settings)
        planned = plan(comparison.findings, delete_left_over=delete_left_over)
        yield from mend(planned, comparison, client, library, settings) if yes else planned


def checks() -> Iterator[Check]:
    """Key, secret and project first; then every address that Tonspur uses, as it is described."""
    settings = load()
    with OdinClient(settings) as client:
        yield access(client)
        try:
            description = client.description()
        except TonspurError as error:
            yield Check(check="description", status="warn", found=str(error))
            return
    if not description:
        said = "ODIN AI shows no description of its API"
        yield Check(check="description", status="warn", found=said)
        return
    yield from map(_route, contract.checked(description))


def access(client: OdinClient) -> Check:
    """Key, secret and project."""
    name = "key, secret and project"
    try:
        there = client.projects()
    except TonspurError as error:
        return Check(check=name, status="fail", found=str(error), fix=_mending(error))
    if there.configured:
        return Check(check=name, status="ok", found=f"the project is {there.name or 'there'}")
    return Check(
        check=name,
        status="fail",
        found=f"the key opens {there.listed} projects, and not this one",
        fix="Set ODIN_PROJECT_ID, or take a key of this project.",
    )


def _mending(error: TonspurError) -> str:
    if isinstance(error, NetworkTrouble):
        return "Look at the network, its proxy, and ODIN_BASE_URL."
    if isinstance(error, Temporary):
        return "Wait and look again; if it stays, ODIN_BASE_URL names something else."
    return "Take ODIN_API_KEY and ODIN_API_SECRET anew from ODIN AI."


def _route(checked: contract.RouteCheck) -> Check:
    route = checked.route
    fine, needed = checked.verdict == "ok", route.needed and checked.verdict == "missing"
    return Check(
        check=f"{route.method} {route.path}",
        status="ok" if fine else "fail" if needed else "warn",
        found=checked.found if fine else f"{checked.found} ({route.used_for})",
        fix=None if fine else "Update Tonspur; engine/odin/contract.py says what it relies on.",
    )
