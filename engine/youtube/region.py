"""The country that this machine is in, as far as somebody said so."""

import sys

from engine.settings import Settings


def country(settings: Settings) -> str | None:
    """Two capital letters: `YT_REGION`, else what Windows was told; None when nobody said.

    Neither language nor time zone is taken for a country: a wrong guess would pass over videos.
    """
    return settings.yt_region or _told_to_windows()


def _told_to_windows() -> str | None:
    if sys.platform != "win32":
        return None
    import ctypes  # windows only

    name = ctypes.create_unicode_buffer(16)  # windows only
    size = ctypes.windll.kernel32.GetUserDefaultGeoName(name, len(name))  # windows only
    code = name.value.upper()  # windows only
    return code if size and len(code) == 2 and code.isalpha() else None  # windows only
