"""What happened in a sandbox since its state folder was made."""

from pydantic import BaseModel, ConfigDict


class Counts(BaseModel):
    """What tests assert on; routes are written `GET /media/*`, with a star for every id."""

    model_config = ConfigDict(frozen=True)

    requests: dict[str, int]
    """Requests by route."""
    answers: dict[str, dict[str, int]]
    """Answers by route and status; `aborted` for a connection that a fault broke, `said` for words
    that yt-dlp's plugin was given in place of a page."""
    units: dict[str, int]
    """Quota units charged by API key, all days together."""
    searches: dict[str, int]
    """Searches charged by API key, all days together."""
    media_bytes: int
    """Bytes of media that were sent."""
    media_bytes_of: dict[str, int]
    """The same by video id."""
    uploads: int
    """Documents that were stored."""
    upload_bytes: int
    """Their bytes."""
    credits: int
    """What they cost."""
    struck: dict[str, int]
    """Faults that chance brought, by kind."""
    documents: dict[str, int]
    """Documents that are there now, by status."""
