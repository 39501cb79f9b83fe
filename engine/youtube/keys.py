"""The key ring: which API key a request goes out with, and what becomes of a refused key."""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import SecretStr

from engine.errors import (
    MissingCredentials,
    NetworkTrouble,
    QuotaUsedUp,
    RefusedCredentials,
    ServiceTrouble,
    Temporary,
)
from engine.settings import Settings
from engine.youtube.api_errors import ApiRefusal, Meaning
from engine.youtube.quota import Bucket, Ledger, Spent, key_name, now_utc

_log = logging.getLogger(__name__)

ATTEMPTS = 4
"""Requests with one key before a rate limit or an outage is believed."""
_LONGEST_PAUSE_S = 30.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class KeyStanding:
    """Where one key stands on the present Pacific day."""

    name: str
    spent: Spent
    units_budget: int
    searches_budget: int
    reset_at: datetime


class KeyRing:
    """Sends requests with a key that has budget left; charges each before it goes out.

    Keys are used one after the other. A key that Google refuses leaves the ring for good, one
    whose quota is used up rests until the next Pacific midnight.
    """

    def __init__(
        self,
        keys: Sequence[SecretStr],
        ledger: Ledger,
        budgets: Mapping[Bucket, int],
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._keys = {key_name(key): key for key in keys}
        self._ledger = ledger
        self._budgets = budgets
        self._sleep = sleep
        self._jitter = jitter
        self._attempts = attempts
        self._refused: dict[str, str] = {}
        self.charged: dict[Bucket, int] = {"units": 0, "searches": 0}
        """What this ring has spent, in requests."""

    def close(self) -> None:
        """Lets go of the ledger's file; the next request opens it again."""
        self._ledger.close()

    def ask(self, send: Callable[[SecretStr], Answer], bucket: Bucket = "units") -> Answer:
        """What `send` answers with the first key that works.

        `send` sends exactly one request, and raises ApiRefusal or NetworkTrouble.

        Raises:
            MissingCredentials: there are no keys.
            RefusedCredentials: Google refuses every key; the message says what mends it.
            QuotaUsedUp: no key has budget left; `not_before` is the next reset.
            NetworkTrouble: no connection, after all attempts.
            ServiceTrouble: Google cannot answer, or all keys are too fast for it.
            ApiRefusal: the refusal is about the request, not about the key.
        """
        if not self._keys:
            raise MissingCredentials("No YouTube API key is set: set YT_API_KEYS.")
        limited: ApiRefusal | None = None
        for name in self._keys:
            if name in self._refused:
                continue
            answer = self._with_key(name, send, bucket)
            if not isinstance(answer, _NoAnswer):
                return answer
            limited = answer.limited or limited
        raise self._nothing_left(limited)

    def _with_key(
        self, name: str, send: Callable[[SecretStr], Answer], bucket: Bucket
    ) -> "Answer | _NoAnswer":
        trouble: ApiRefusal | Temporary | None = None
        for attempt in range(self._attempts):
            if attempt:
                self._sleep(min(_LONGEST_PAUSE_S, 2.0**attempt) * (0.5 + self._jitter() / 2))
            day = self._ledger.charge(name, self._budgets[bucket], bucket)
            if day is None:
                break
            self.charged[bucket] += 1
            try:
                return send(self._keys[name])
            except ApiRefusal as refusal:
                trouble = self._without_keys(refusal)
            except NetworkTrouble as error:
                trouble = error
            if not self._worth_repeating(trouble, name, day, bucket):
                return _NoAnswer()
        return self._given_up(trouble)

    def _worth_repeating(
        self, trouble: ApiRefusal | Temporary, name: str, day: str, bucket: Bucket
    ) -> bool:
        if not isinstance(trouble, ApiRefusal):
            return True
        if trouble.meaning is Meaning.BAD_KEY:
            self._refused[name] = trouble.message
            _log.warning("YouTube refuses API key %s: %s", name, trouble.message)
            return False
        if trouble.meaning is Meaning.QUOTA:
            self._ledger.exhaust(name, day, bucket)
            _log.info("API key %s has used up its quota of %s", name, day)
            return False
        if trouble.meaning in (Meaning.RATE, Meaning.SERVICE):
            return True
        raise trouble

    @staticmethod
    def _given_up(trouble: ApiRefusal | Temporary | None) -> "_NoAnswer":
        if isinstance(trouble, ApiRefusal):
            if trouble.meaning is Meaning.SERVICE:
                raise ServiceTrouble(f"YouTube's Data API cannot answer for now ({trouble}).")
            return _NoAnswer(limited=trouble)
        if trouble is not None:
            raise trouble
        return _NoAnswer()

    def _without_keys(self, refusal: ApiRefusal) -> ApiRefusal:
        """The refusal with every key blotted out, should the server have repeated one."""
        reason, message = refusal.reason, refusal.message
        for key in self._keys.values():
            secret = key.get_secret_value()
            reason, message = reason.replace(secret, "***"), message.replace(secret, "***")
        return ApiRefusal(refusal.meaning, refusal.status, reason, message)

    def _nothing_left(
        self, limited: ApiRefusal | None
    ) -> RefusedCredentials | ServiceTrouble | QuotaUsedUp:
        refused = " ".join(f"Key {name}: {why}" for name, why in self._refused.items())
        if len(self._refused) == len(self._keys):
            return RefusedCredentials(f"YouTube refuses every API key. {refused}")
        if limited is not None:
            return ServiceTrouble(f"YouTube's Data API asks for a slower pace ({limited}).")
        reset = self._ledger.reset_at()
        said = f"Every YouTube API key has used up its quota until {reset:%Y-%m-%d %H:%M} UTC."
        return QuotaUsedUp(f"{said} {refused}".strip(), reset)


@dataclass(frozen=True)
class _NoAnswer:
    limited: ApiRefusal | None = None


def ring(settings: Settings, clock: Callable[[], datetime] = now_utc) -> KeyRing:
    """The ring over the keys of the settings."""
    return KeyRing(settings.api_keys, Ledger(settings.ledger_file, clock), budgets(settings))


def budgets(settings: Settings) -> Mapping[Bucket, int]:
    """What one key may spend on a Pacific day."""
    return {"units": settings.yt_daily_units, "searches": settings.yt_daily_searches}


def standings(
    settings: Settings, clock: Callable[[], datetime] = now_utc
) -> tuple[KeyStanding, ...]:
    """Where each key of the settings stands today; asks YouTube nothing."""
    ledger = Ledger(settings.ledger_file, clock)
    return tuple(
        KeyStanding(
            name,
            ledger.spent(name),
            settings.yt_daily_units,
            settings.yt_daily_searches,
            ledger.reset_at(),
        )
        for name in map(key_name, settings.api_keys)
    )
