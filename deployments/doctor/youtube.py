"""YouTube: the keys, the cookies, the provider of PO tokens. A key's text is never told."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.cookiejar import LoadError, MozillaCookieJar
from importlib import metadata

import httpx
from pydantic import SecretStr

from deployments.checks import Check, fail, ok, warn
from deployments.doctor.side_by_side import side_by_side
from engine.errors import (
    BadSettings,
    NetworkTrouble,
    QuotaUsedUp,
    RefusedCredentials,
    TonspurError,
)
from engine.settings import Settings
from engine.youtube.catalog import Catalog
from engine.youtube.keys import KeyRing, budgets
from engine.youtube.quota import Ledger, key_name

_ASKED_FOR = "jNQXAC9IVRw"  # the first video of all
_SECONDS = 5.0
_LONGEST_S = 10.0
_KEY = re.compile(r"[\w.-]+", re.ASCII)


def keys(settings: Settings) -> Iterator[Check]:
    """Each key with one request, which costs a unit of it; all keys side by side."""
    file = settings.yt_api_keys_file
    try:
        every = settings.api_keys
    except (OSError, UnicodeDecodeError) as error:
        said = f"{file}: {error}"
        yield fail("YouTube keys", said, "Write YT_API_KEYS_FILE as UTF-8 text, one key a line.")
        return
    if file.exists() and not file.is_file():
        yield fail("YouTube keys file", f"{file} is no file", "Set YT_API_KEYS_FILE to a file.")
    if not every:
        fix = "Make one in Google's console and set YT_API_KEYS; single videos need none."
        yield warn("YouTube keys", "none", fix)
        return
    import googleapiclient.discovery  # noqa: F401 - before the threads that would all import it

    yield ok("YouTube keys", f"{len(every)}")
    names = {f"YouTube key {key_name(key)}": key for key in every}
    looks = {name: partial(_asked, name, key, settings) for name, key in names.items()}
    yield from side_by_side(looks, _LONGEST_S)


def _asked(name: str, key: SecretStr, settings: Settings) -> Iterator[Check]:
    if _KEY.fullmatch(key.get_secret_value()):
        yield _answer(name, key, settings)
    else:
        fix = "One key a line in YT_API_KEYS_FILE, or keys with commas between in YT_API_KEYS."
        yield fail(name, "holds blanks or signs that no key has: it was not sent", fix)


def _answer(name: str, key: SecretStr, settings: Settings) -> Check:
    ledger = Ledger(settings.ledger_file)
    ring = KeyRing([key], ledger, budgets(settings), attempts=1)
    try:
        with Catalog(settings, keys=ring, timeout=httpx.Timeout(_SECONDS)) as catalog:
            catalog.videos([_ASKED_FOR])
        spent = ledger.spent(key_name(key))
        left = max(0, settings.yt_daily_units - spent.units)
        found = f"valid, {left} of {settings.yt_daily_units} units left today (this look cost one)"
        return ok(name, found)
    except QuotaUsedUp as error:
        until = f"{error.not_before:%Y-%m-%d %H:%M} UTC"
        return warn(name, f"used up until {until}", "Wait, or add a key of another project.")
    except RefusedCredentials as error:
        return fail(name, str(error), "Mend it in Google's console, or take it out of YT_API_KEYS.")
    except NetworkTrouble as error:
        return fail(name, str(error), "Look at the network, its proxy, and YT_API_ENDPOINT.")
    except BadSettings as error:
        return fail(name, str(error), f"Move {settings.ledger_file} away: it is made anew.")
    except TonspurError as error:
        return warn(name, str(error), "Wait and look again; `tonspur keys` tells the budgets.")
    finally:
        ring.close()


def cookies(settings: Settings) -> Iterator[Check]:
    """The cookies file, where one is set: there, in Netscape's format, and not expired."""
    file = settings.yt_cookies_file
    if file is None:
        return
    fix = "Export YT_COOKIES_FILE anew from a browser, in Netscape's format, or unset it."
    jar = MozillaCookieJar()
    try:
        jar.load(str(file), ignore_discard=True, ignore_expires=True)
    except (LoadError, OSError, UnicodeDecodeError) as error:
        yield fail("cookies", f"{file}: {' '.join(str(error).split())}", fix)
        return
    mine = [one for one in jar if one.domain.endswith(("youtube.com", "google.com"))]
    now = datetime.now(UTC).timestamp()
    fresh = [one for one in mine if not one.is_expired(now)]  # type: ignore[arg-type]
    if not mine:
        yield warn("cookies", f"{file} has none of YouTube", fix)
    elif not fresh:
        yield warn("cookies", f"{file}: all are expired", fix)
    else:
        yield ok("cookies", f"{file}, {len(fresh)} of YouTube")


def po_tokens(settings: Settings) -> Iterator[Check]:
    """The provider of PO tokens, where one is set: its plugin, and whether it answers."""
    url = settings.yt_po_token_provider_url
    if url is None:
        return
    try:
        metadata.version("bgutil-ytdlp-pot-provider")
    except metadata.PackageNotFoundError:
        yield fail("PO tokens", "the plugin is missing", 'pip install -e ".[po-token]"')
        return
    try:
        httpx.get(f"{url.rstrip('/')}/ping", timeout=_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        said = f"{url}: {type(error).__name__}"
        fix = "Start the bgutil provider, or unset YT_PO_TOKEN_PROVIDER_URL."
        yield fail("PO tokens", said, fix)
    else:
        yield ok("PO tokens", url)
