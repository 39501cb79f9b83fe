"""Key and secret: there, and fit to travel in a header."""

import logging
from collections.abc import Generator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from engine.errors import BadSettings, MissingCredentials
from engine.settings import Settings

# Those that log at all; a filter of a parent does not see the records of its children.
_LOGGERS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy")))


@dataclass(frozen=True)
class Credentials(httpx.Auth):
    """Adds the two headers to each request, so that no client object carries them in its own."""

    key: SecretStr
    secret: SecretStr

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Httpx's hook: one request, never a second one for an answer."""
        request.headers["X-API-KEY"] = self.key.get_secret_value()
        request.headers["X-API-SECRET"] = self.secret.get_secret_value()
        yield request

    def hidden_in(self, text: str) -> str:
        """The text without key and secret: a server may repeat them in its answer."""
        values = (self.key.get_secret_value(), self.secret.get_secret_value())
        spelled = {form for it in values for form in (it, quote(it, safe=""), escape(it))}
        for form in sorted(spelled, key=len, reverse=True):  # one may be a part of the other
            text = text.replace(form, "***")
        return text


class Discretion(logging.Filter):
    """Hides credentials in what httpx and httpcore log, such as the headers of an answer."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def filter(self, record: logging.LogRecord) -> bool:
        """Logging's hook: lets everything pass, changed where it has to be."""
        said = record.getMessage()
        hidden = self._credentials.hidden_in(said)
        if hidden != said:
            record.msg, record.args = hidden, ()
        return True

    def begin(self) -> None:
        """Watch the logs."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Watch them no longer."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)


def require_credentials(settings: Settings) -> Credentials:
    """Key and secret of the settings; asks nobody, so it can be called before anything happens.

    Raises:
        MissingCredentials: one of them is not set, or blank.
        BadSettings: one of them holds characters that no HTTP header can carry.
    """
    return Credentials(
        _usable("ODIN_API_KEY", settings.odin_api_key),
        _usable("ODIN_API_SECRET", settings.odin_api_secret),
    )


def _usable(name: str, value: SecretStr | None) -> SecretStr:
    text = value.get_secret_value().strip() if value else ""
    if not text:
        raise MissingCredentials(f"{name} is not set: put it into the environment or `.env`.")
    if not all("!" <= letter <= "~" for letter in text):
        raise BadSettings(f"{name}: holds characters that no key has; copy it anew.")
    return SecretStr(text)
