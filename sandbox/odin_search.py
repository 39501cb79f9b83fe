"""ODIN AI: which chunks hold the words that are asked for."""

import re
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sandbox.odin_access import Reader, check_project

router = APIRouter()


class Question(BaseModel):
    """A search; fields that this stand-in does not weigh are taken and ignored."""

    project_id: str
    query: str
    document_keys: list[str] | None = None
    score_threshold: float = 0.0
    max_results: int = Field(10, ge=1, le=200)
    page: int = Field(1, ge=1)


@router.post("/v2/project/search")
def search(world: Reader, question: Question) -> dict[str, Any]:
    """Chunks by the share of the query's words that they hold, the best first."""
    check_project(world, question.project_id)
    wanted = set(_words(question.query))
    hits: list[dict[str, Any]] = []
    for document in world.documents.of(question.project_id):
        if question.document_keys is not None and document.key not in question.document_keys:
            continue
        for number, chunk in enumerate(world.documents.chunks(document)):
            score = len(wanted.intersection(_words(chunk))) / max(1, len(wanted))
            if score > question.score_threshold:
                hits.append(
                    {
                        "document_key": document.key,
                        "content_key": document.name,
                        "content": chunk,
                        "score": round(score, 4),
                        "chunk": number,
                        "metadata": document.metadata,
                    }
                )
    hits.sort(key=lambda hit: hit["score"], reverse=True)
    start = (question.page - 1) * question.max_results
    return {"results": hits[start : start + question.max_results]}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
