"""ODIN AI: taking documents."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from sandbox.documents import TYPES, Document, Incoming, ending
from sandbox.faults import Fault, Struck
from sandbox.odin_access import Writer, check_project, unprocessable
from sandbox.world import World

router = APIRouter()

_PREVIEW = 200
_WORDS_A_CREDIT = 10_000


class KnowledgeBaseDataResponse(BaseModel):
    """What every upload is answered with."""

    message: str
    content: str
    document_data: dict[str, Any]
    document_key: str
    status: str | None = None
    url: str | None = None
    uploaded_by: str | None = None
    size: int | None = None
    data_type_id: str | None = None


@router.post("/v3/project/knowledge/add/file", response_model=KnowledgeBaseDataResponse)
def add_file_v3(
    world: Writer,
    struck: Struck,
    file: UploadFile,
    project_id: Annotated[str, Form()],
    metadata: Annotated[str, Form()],
    force: Annotated[bool, Form()] = False,
    path: Annotated[str, Form()] = "/",
    file_type: Annotated[str | None, Form()] = None,
    is_quick_upload: Annotated[bool, Form()] = False,
    transcription_provider: Annotated[str | None, Form()] = None,
) -> object:
    """Adds a file to a project's knowledge base."""
    return _add(world, struck, file, project_id, metadata, force, path)


@router.post("/v2/project/knowledge/add/file", response_model=KnowledgeBaseDataResponse)
def add_file_v2(
    world: Writer,
    struck: Struck,
    file: UploadFile,
    project_id: Annotated[str, Form()],
    metadata: Annotated[str, Form()],
    force: Annotated[bool, Form()] = False,
    file_type: Annotated[str | None, Form()] = None,
    is_quick_upload: Annotated[bool, Form()] = False,
) -> object:
    """The same, without folders."""
    return _add(world, struck, file, project_id, metadata, force, "/")


def _add(
    world: World,
    struck: Fault,
    file: UploadFile,
    project_id: str,
    metadata: str,
    force: bool,
    path: str,
) -> KnowledgeBaseDataResponse | Response:
    check_project(world, project_id)
    name = file.filename or ""
    if ending(name) not in TYPES:
        raise HTTPException(400, f"Unsupported file type: {ending(name)}")
    if (file.size or 0) > world.spec.odin.max_bytes:
        return HTMLResponse("<html><head><title>413</title></head></html>", status_code=413)
    described = _object(metadata)
    _charge(world, file)
    incoming = Incoming(
        project_id=project_id,
        name=name,
        path=_folder(path),
        metadata=described,
        force=force,
        indexing_s=world.spec.odin.indexing_s,
        fate=struck.fate or "synced",
    )
    document = world.documents.add(incoming, file.file)
    world.tally.add("uploads", "stored")
    world.tally.add("uploads", "bytes", document.size)
    return _response(world, document)


def _charge(world: World, file: UploadFile) -> None:
    """Take the price of a document, or refuse it.

    Raises:
        HTTPException: 402, `detail` is a string.
    """
    words = sum(len(line.split()) for line in file.file)
    file.file.seek(0)
    price = max(1, -(-words // _WORDS_A_CREDIT))
    limit = world.spec.odin.credits
    spent = world.tally.all_of("uploads").get("credits", 0)
    if limit is not None and spent + price > limit:
        raise HTTPException(402, "Not enough credits")
    world.tally.add("uploads", "credits", price)


def _object(metadata: str) -> dict[str, Any]:
    try:
        found = json.loads(metadata)
    except ValueError:
        raise unprocessable("metadata", "Invalid JSON", "json_invalid") from None
    if not isinstance(found, dict):
        raise unprocessable("metadata", "Input should be a valid dictionary", "dict_type")
    return found


def _folder(path: str) -> str:
    return "/" + path.strip("/")


def _response(world: World, document: Document) -> KnowledgeBaseDataResponse:
    return KnowledgeBaseDataResponse(
        message="File added to the knowledge base",
        content=world.documents.text(document)[:_PREVIEW],
        document_data={"doc_type": document.doc_type, "metadata": document.metadata},
        document_key=document.key,
        status=document.status(world.documents.now()),
        uploaded_by="sandbox",
        size=document.size,
    )
