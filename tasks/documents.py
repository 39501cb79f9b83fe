"""Uploads of foreign documents as one task; what it does stands in engine/odin."""

from pathlib import Path

from prefect import task

from engine.odin.batch import UploadRow, upload_documents
from tasks.job import Job
from tasks.retries import STEP


@task(name="upload-documents", **STEP)
def upload_all(
    paths: list[Path], job: Job, include: list[str], exclude: list[str]
) -> list[UploadRow]:
    """Bring every document of these files and folders into the knowledge base."""
    return list(upload_documents(paths, job.settings(), include=include, exclude=exclude))
