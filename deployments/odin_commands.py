"""`tonspur odin …`: the commands that compare library and knowledge base, and mend."""

from collections import Counter
from typing import Annotated

import typer

from deployments.examples import epilog
from deployments.terminal import Json, end, notices

odin = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The knowledge base: what is in it, whether it is in step with the library, and repair.",
)


@odin.command("list", epilog=epilog("odin list"))
def list_documents(as_json: Json = False) -> None:
    """Every document of the knowledge base."""
    from deployments import knowledge_base, tables
    from engine.settings import load

    tables.show(knowledge_base.documents(load()), tables.KNOWN_DOCUMENTS, as_json)


@odin.command(epilog=epilog("odin verify"))
def verify(as_json: Json = False) -> None:
    """Compare library and knowledge base; ends with 1 where something has to be mended."""
    from deployments import knowledge_base, tables
    from engine.odin.comparison import OUT_OF_STEP
    from engine.settings import load

    with notices.status("Comparing …"):
        findings = knowledge_base.findings(load())
    shown = findings if as_json else [one for one in findings if one.kind != "in step"]
    if shown:
        tables.show(shown, tables.FINDINGS, as_json)
    counts = Counter(one.kind for one in findings)
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    notices.print(f"Library and knowledge base: {said or 'nothing on either side'}.")
    if any(one.kind in OUT_OF_STEP for one in findings):
        notices.print("`tonspur odin repair` shows what would mend it.", markup=False)
        raise typer.Exit(1)


@odin.command(epilog=epilog("odin repair"))
def repair(
    yes: Annotated[bool, typer.Option("--yes", help="Do it, and not only show it.")] = False,
    delete_left_over: Annotated[
        bool,
        typer.Option(
            "--delete-left-over",
            help="Also delete transcripts of videos that this library does not have.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Upload what is missing, stale or failed, delete doubles; only shown without --yes."""
    from deployments import knowledge_base, tables
    from engine.settings import load

    rows = []
    for row in knowledge_base.repair(load(), yes=yes, delete_left_over=delete_left_over):
        rows.append(row)
        if as_json:
            tables.json_line(row)
    if rows and not as_json:
        tables.show(rows, tables.MENDINGS, as_json)
    if not rows:
        notices.print("Nothing has to be mended.")
    elif not yes:
        notices.print("Nothing was changed: --yes does it.", markup=False)
    end(rows)


@odin.command(epilog=epilog("odin check"))
def check(as_json: Json = False) -> None:
    """Key, secret and project, and whether ODIN AI's API still is as Tonspur uses it."""
    from deployments import knowledge_base, tables

    rows = []
    for row in knowledge_base.checks():
        rows.append(row)
    tables.show(rows, tables.CHECKS, as_json)
    bad = [row for row in rows if row.status == "fail"]
    if bad:
        notices.print(f"{bad[0].check}: {bad[0].found}", soft_wrap=True, markup=False)
        raise typer.Exit(1)
