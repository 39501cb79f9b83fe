"""Where something was said, by the transcripts of this library: full-text search with SQLite.

The index lies in STATE_DIR, is kept fresh by every search, and may be deleted at any time.
"""

from engine.search.hits import Hit, search
from engine.search.query import BadQuery

__all__ = ["BadQuery", "Hit", "search"]
