"""The ODIN AI knowledge base: its API, and how a file gets into it exactly once."""

from engine.odin.batch import UploadRow, upload_documents
from engine.odin.client import OdinClient
from engine.odin.credentials import require_credentials
from engine.odin.delivery import Delivered, deliver
from engine.odin.documents import (
    DOCUMENT_TYPES,
    DocumentMetadata,
    document_folder,
    document_name,
    metadata_of,
    sha256_of,
)
from engine.odin.models import Added, Document, ProjectCheck
from engine.odin.receipts import Receipt, Receipts

__all__ = [
    "DOCUMENT_TYPES",
    "Added",
    "Delivered",
    "Document",
    "DocumentMetadata",
    "OdinClient",
    "ProjectCheck",
    "Receipt",
    "Receipts",
    "UploadRow",
    "deliver",
    "document_folder",
    "document_name",
    "metadata_of",
    "require_credentials",
    "sha256_of",
    "upload_documents",
]
