"""What yt-dlp says of a video: planned by a fault, raised by a plugin of yt-dlp.

The generic extractor, which reads the sandbox's pages, never speaks YouTube's words. So where the
spec is `outspoken`, yt-dlp loads the plugin in `PLUGINS`, which asks here before every look at a
watch page. Nothing planned: the page is read as ever.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

PLUGINS = Path(__file__).with_name("plugins")
"""What has to be on PYTHONPATH for yt-dlp to find the plugin."""


class Saying(BaseModel):
    """What the plugin raises or answers for one look at a video."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    kind: Literal["expected", "bug", "region", "off air", "video"] = "expected"
    """`expected` and `bug`: an ExtractorError with this text, `bug` with yt-dlp's request to report
    it. `region`: a GeoRestrictedError. `off air`: UserNotLive. `video`: no error, but a video of
    which `info` says what is odd."""
    countries: tuple[str, ...] = ()
    """Where it is shown, for `region`."""
    info: dict[str, Any] = {}
    """For `video`: fields over those of a plain video, such as `live_status`, or no `formats`."""


def python_path() -> str:
    """PYTHONPATH with the plugin in front of what stands there now."""
    return os.pathsep.join(filter(None, (str(PLUGINS), os.environ.get("PYTHONPATH", ""))))
