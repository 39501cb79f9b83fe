"""ODIN AI: what is in the knowledge base, and taking it out again."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, Field

from sandbox.documents import Document
from sandbox.odin_access import Reader, Writer, check_project
from sandbox.world import World

router = APIRouter()


class Listing(BaseModel):
    """Which documents to list."""

    page: int = Field(1, ge=1)
    items_per_page: int = Field(30, ge=1, le=1000)
    filters: dict[str, Any] | None = None
    name_search: str | None = None
    content_keys: list[str] | None = None
    path: str | None = None
    recursive: bool = False


class ChunksQuestion(BaseModel):
    """Which pieces of which document."""

    content_key: str
    page: int = Field(1, ge=1)
    page_size: int = Field(10, ge=1, le=1000)


class FetchQuestion(BaseModel):
    """Which documents to read whole."""

    project_id: str
    content_keys: list[str]


class Resource(BaseModel):
    """A document to delete."""

    name: str
    key: str | None = None
    doc_type: str | None = None


class Deletion(BaseModel):
    """Documents to delete."""

    project_id: str
    resources: list[Resource]


class Metadata(BaseModel):
    """New metadata of a document."""

    metadata: dict[str, Any]


@router.get("/projects")
def projects(world: Reader, limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """The projects of these credentials; like the real one it shows keys that nobody may log."""
    ids = world.spec.odin.project_ids[offset : offset + limit]
    return {
        "projects": [
            {
                "id": project_id,
                "name": "Tonspur sandbox",
                "members": [],
                "type": "kb_chat",
                "api_keys": [{"key": "never-log-this-key"}],
                "kb_info": _totals(world.documents.of(project_id), world),
            }
            for project_id in ids
        ]
    }


@router.get("/project/knowledge/status")
def status(world: Reader, project_id: str, file_name: str) -> dict[str, str]:
    """How far indexing is."""
    document = _known(world, project_id, file_name)
    return {"status": document.status(world.documents.now())}


@router.get("/project/{project_id}/knowledge")
def knowledge(world: Reader, project_id: str) -> dict[str, Any]:
    """Every document by its key, in one answer."""
    check_project(world, project_id)
    shown = ("upload_date", "doc_type", "url", "status", "metadata")
    found = {}
    for document in world.documents.of(project_id):
        item = _item(world, document)
        found[document.key] = {name: item[name] for name in shown}
    return {"knowledge_base": found}


@router.post("/project/{project_id}/knowledgebase")
@router.post("/v3/project/{project_id}/knowledgebase")
def knowledgebase(
    world: Reader, project_id: str, listing: Listing, recursive: Annotated[bool, Query()] = False
) -> dict[str, Any]:
    """A page of the documents that match; without a path of all folders."""
    check_project(world, project_id)
    shown_from = world.documents.now() - world.spec.odin.listing_lag_s
    everything = [one for one in world.documents.of(project_id) if one.created_at <= shown_from]
    deep = recursive or listing.recursive
    found = [document for document in everything if _matches(document, listing, deep)]
    start = (listing.page - 1) * listing.items_per_page
    page = found[start : start + listing.items_per_page]
    return {
        "docs": [_item(world, document) for document in page],
        "folders": _folders(everything, listing.path or "/"),
        "kb_info": _totals(everything, world),
    }


def _matches(document: Document, listing: Listing, deep: bool) -> bool:
    if listing.name_search and listing.name_search.lower() not in document.name.lower():
        return False
    if listing.content_keys is not None and document.name not in listing.content_keys:
        return False
    if listing.path is None:
        return True
    folder = "/" + listing.path.strip("/")
    return document.path == folder or (deep and _inside(document.path, folder))


def _inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _folders(documents: list[Document], path: str) -> list[dict[str, Any]]:
    top = "/" + path.strip("/")
    below = [
        document for document in documents if _inside(document.path, top) and document.path != top
    ]
    names = sorted({document.path[len(top.rstrip("/")) + 1 :].split("/")[0] for document in below})
    return [
        {
            "name": name,
            "path": f"{top.rstrip('/')}/{name}",
            "size": sum(
                d.size for d in below if f"{d.path}/".startswith(f"{top.rstrip('/')}/{name}/")
            ),
            "type": "folder",
            "id": name,
        }
        for name in names
    ]


@router.post("/project/{project_id}/document/chunks")
def chunks(world: Reader, project_id: str, question: ChunksQuestion) -> dict[str, Any]:
    """The pieces that a document was cut into; none until it is synced."""
    document = _known(world, project_id, question.content_key)
    pieces: list[Any] = list(world.documents.chunks(document))
    if world.spec.odin.chunks_as_objects:
        pieces = [{"id": f"{document.id}-{at}", "content": text} for at, text in enumerate(pieces)]
    start = (question.page - 1) * question.page_size
    return {
        "chunks": pieces[start : start + question.page_size],
        "total_chunks": len(pieces),
        "total_pages": -(-len(pieces) // question.page_size),
        "current_page": question.page,
    }


@router.post("/tools/kb/fetch_documents")
def fetch_documents(world: Reader, question: FetchQuestion) -> dict[str, Any]:
    """Whole documents by file name or key; unknown ones are absent."""
    check_project(world, question.project_id)
    found = (world.documents.named(question.project_id, key) for key in question.content_keys)
    return {
        "documents": [
            {
                "content_key": document.name,
                "content": world.documents.text(document),
                "metadata": document.metadata,
                "doc_type": document.doc_type,
            }
            for document in found
            if document
        ]
    }


@router.delete("/project/knowledge/delete")
def delete(world: Writer, deletion: Deletion) -> dict[str, str]:
    """Deletes by key, or every document of a name."""
    check_project(world, deletion.project_id)
    mine = world.documents.of(deletion.project_id)
    doomed = [
        document
        for resource in deletion.resources
        for document in mine
        if (document.key == resource.key if resource.key else document.name == resource.name)
    ]
    if not doomed:
        raise HTTPException(404, "Document not found")
    world.documents.remove(doomed)
    return {"message": f"Deleted {len(doomed)} resources"}


@router.patch("/project/{project_id}/knowledge/{document_name}/metadata")
def describe(
    world: Writer, project_id: str, document_name: str, change: Metadata
) -> dict[str, str]:
    """Replaces the metadata of the document with this key."""
    document = _known(world, project_id, document_name)
    world.documents.describe(document, change.metadata)
    return {"message": "Metadata updated"}


def _known(world: World, project_id: str, content_key: str) -> Document:
    check_project(world, project_id)
    found = world.documents.named(project_id, content_key)
    if found is None:
        raise HTTPException(404, "Document not found")
    return found


def _item(world: World, document: Document) -> dict[str, Any]:
    return {
        "id": document.key,
        "content_key": document.name,
        "upload_date": datetime.fromtimestamp(document.uploaded_at, UTC).isoformat(),
        "doc_type": document.doc_type,
        "url": f"https://storage.invalid/{document.id}",
        "status": document.status(world.documents.now()),
        "path": document.path,
        "document_id": document.id,
        "metadata": document.metadata,
    }


def _totals(documents: list[Document], world: World) -> dict[str, int]:
    return {"disk_usage": sum(d.size for d in documents), "url": 0}
