"""Documents of the ten types into the knowledge base."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from engine.errors import TonspurError
from engine.odin.signature import Signature
from flows.endings import ending
from tasks import report
from tasks.documents import upload_all
from tasks.job import Job


@flow(name="upload-files")
def upload_files(
    paths: list[str],
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    metadata: Signature | None = None,
    project: str | None = None,
) -> State[Any]:
    """Bring documents into the knowledge base.

    Args:
        paths: Documents, or folders that hold them, on the machine of the worker.
        include: Patterns such as *.pdf: of a folder only what matches one; everything if empty.
        exclude: Patterns: of a folder nothing that matches one.
        metadata: What the documents say of who is behind them; the machine's settings if empty.
        project: ODIN project; the machine's setting if empty.
    """
    try:
        job = Job(metadata=metadata, project=project)
        rows = upload_all([Path(path) for path in paths], job, include or [], exclude or [])
    except TonspurError as error:
        return ending(error)
    report.publish_documents(rows)
    failed = [f"{row.path}: {row.reason}" for row in rows if row.status == "failed"]
    if failed:
        return Failed(name=f"{len(failed)} of {len(rows)} failed", message=" ".join(failed))
    return Completed(message=f"{len(rows)} documents are in the knowledge base.")
