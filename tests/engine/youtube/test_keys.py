from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from engine.errors import (
    MissingCredentials,
    NetworkTrouble,
    QuotaUsedUp,
    RefusedCredentials,
    ServiceTrouble,
)
from engine.settings import Settings
from engine.youtube import keys
from engine.youtube.api_errors import ApiRefusal, Meaning
from engine.youtube.keys import ATTEMPTS, KeyRing
from engine.youtube.quota import Ledger, key_name

ONE, TWO = (key_name(SecretStr(name)) for name in ("key-one", "key-two"))
RESET = datetime(2026, 11, 23, 8, tzinfo=UTC)


def refuse(meaning: Meaning, message: str = "No.") -> ApiRefusal:
    return ApiRefusal(meaning, 403, "why", message)


class Script:
    """Sends nothing: raises or answers what is next."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.keys: list[str] = []

    def __call__(self, key: SecretStr) -> str:
        self.keys.append(key.get_secret_value())
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        return str(step)


def test_the_first_key_is_used_while_it_has_budget(ring: KeyRing, ledger: Ledger) -> None:
    send = Script("a", "b")
    assert [ring.ask(send), ring.ask(send)] == ["a", "b"]
    assert send.keys == ["key-one", "key-one"]
    assert ledger.spent(ONE).units == 2
    assert ring.charged == {"units": 2, "searches": 0}


def test_an_exhausted_key_is_replaced_in_the_same_request(ring: KeyRing, ledger: Ledger) -> None:
    send = Script(refuse(Meaning.QUOTA), "a", "b")
    assert ring.ask(send) == "a"
    assert ring.ask(send) == "b"
    assert send.keys == ["key-one", "key-two", "key-two"]
    assert ledger.spent(ONE).units_exhausted
    assert ledger.spent(ONE).units == 1


def test_exhausted_keys_wait_for_pacific_midnight(ring: KeyRing) -> None:
    with pytest.raises(QuotaUsedUp) as used_up:
        ring.ask(Script(refuse(Meaning.QUOTA), refuse(Meaning.QUOTA)))
    assert used_up.value.not_before == RESET
    with pytest.raises(QuotaUsedUp):
        ring.ask(Script())  # nothing is sent any more


def test_our_own_budget_ends_a_key_too(settings: Settings, ledger: Ledger) -> None:
    ring = KeyRing(settings.api_keys, ledger, {"units": 1, "searches": 0})
    send = Script("a", "b")
    assert [ring.ask(send), ring.ask(send)] == ["a", "b"]
    assert send.keys == ["key-one", "key-two"]
    with pytest.raises(QuotaUsedUp, match="2026-11-23 08:00 UTC"):
        ring.ask(send)
    with pytest.raises(QuotaUsedUp):
        ring.ask(send, "searches")


def test_a_rate_limit_is_waited_for_on_the_same_key(ring: KeyRing, pauses: list[float]) -> None:
    send = Script(refuse(Meaning.RATE), refuse(Meaning.RATE), "a")
    assert ring.ask(send) == "a"
    assert send.keys == ["key-one"] * 3
    assert pauses == [2.0, 4.0]


def test_jitter_takes_off_up_to_half_of_a_pause(settings: Settings, ledger: Ledger) -> None:
    pauses: list[float] = []
    ring = KeyRing(settings.api_keys, ledger, {"units": 9}, sleep=pauses.append, jitter=lambda: 0.0)
    ring.ask(Script(refuse(Meaning.SERVICE), "a"))
    assert pauses == [1.0]


def test_a_lasting_rate_limit_goes_on_to_the_next_key(ring: KeyRing, ledger: Ledger) -> None:
    send = Script(*[refuse(Meaning.RATE)] * ATTEMPTS, "a")
    assert ring.ask(send) == "a"
    assert send.keys == ["key-one"] * ATTEMPTS + ["key-two"]
    assert not ledger.spent(ONE).units_exhausted


def test_a_rate_limit_on_every_key_is_temporary(ring: KeyRing) -> None:
    with pytest.raises(ServiceTrouble, match="slower pace"):
        ring.ask(Script(*[refuse(Meaning.RATE)] * (2 * ATTEMPTS)))


def test_an_outage_is_not_tried_on_every_key(ring: KeyRing, ledger: Ledger) -> None:
    with pytest.raises(ServiceTrouble):
        ring.ask(Script(*[refuse(Meaning.SERVICE)] * ATTEMPTS))
    assert ledger.spent(ONE).units == ATTEMPTS  # each request was charged
    assert ledger.spent(TWO).units == 0


def test_a_broken_connection_is_tried_again(ring: KeyRing) -> None:
    assert ring.ask(Script(NetworkTrouble("gone"), "a")) == "a"
    with pytest.raises(NetworkTrouble, match="gone"):
        ring.ask(Script(*[NetworkTrouble("gone")] * ATTEMPTS))


def test_a_bad_key_leaves_the_ring_with_the_sentence_that_mends_it(
    ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    send = Script(refuse(Meaning.BAD_KEY, "Enable it."), "a", "b")
    assert [ring.ask(send), ring.ask(send)] == ["a", "b"]
    assert send.keys == ["key-one", "key-two", "key-two"]
    assert caplog.messages == [f"YouTube refuses API key {ONE}: Enable it."]


def test_only_bad_keys_are_refused_credentials(ring: KeyRing) -> None:
    bad = [refuse(Meaning.BAD_KEY, "Mend this."), refuse(Meaning.BAD_KEY, "Mend that.")]
    with pytest.raises(RefusedCredentials, match=r"Mend this\..*Mend that\.") as refused:
        ring.ask(Script(*bad))
    assert refused.value.stops_batch


def test_a_bad_and_an_empty_key_wait(ring: KeyRing) -> None:
    with pytest.raises(QuotaUsedUp, match=r"Mend this\."):
        ring.ask(Script(refuse(Meaning.BAD_KEY, "Mend this."), refuse(Meaning.QUOTA)))


def test_a_refused_resource_is_not_the_keys_fault(ring: KeyRing) -> None:
    send = Script(refuse(Meaning.GONE))
    with pytest.raises(ApiRefusal):
        ring.ask(send)
    assert send.keys == ["key-one"]


def test_without_keys_the_setting_is_named(ledger: Ledger) -> None:
    with pytest.raises(MissingCredentials, match="YT_API_KEYS"):
        KeyRing((), ledger, {"units": 1}).ask(Script())


def test_a_key_that_the_server_repeats_is_blotted_out(
    ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(RefusedCredentials) as refused:
        ring.ask(
            Script(
                refuse(Meaning.BAD_KEY, "key-one is bad"), refuse(Meaning.BAD_KEY, "key-two is bad")
            )
        )
    assert "key-" not in str(refused.value) + caplog.text
    assert "*** is bad" in str(refused.value)


def test_standings_ask_nothing(settings: Settings, ledger: Ledger, now: datetime) -> None:
    ledger.charge(ONE, 10)
    ledger.exhaust(TWO, "2026-11-22")
    first, second = keys.standings(settings, lambda: now)
    assert (first.name, first.spent.units, first.units_budget) == (ONE, 1, 10_000)
    assert second.spent.units_exhausted
    assert second.reset_at == RESET


def test_the_ring_of_the_settings_uses_their_ledger(
    settings: Settings, now: datetime, a_tone: Callable[..., object]
) -> None:
    ring = keys.ring(settings, lambda: now)
    ring.ask(Script("a"))
    assert Ledger(settings.ledger_file, lambda: now).spent(ONE).units == 1
