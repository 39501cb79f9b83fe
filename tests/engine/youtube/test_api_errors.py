import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.youtube.api_errors import TABLE, ApiRefusal, Meaning, classify


def body(reason: str = "", message: str = "", **more: object) -> bytes:
    errors = {"errors": [{"reason": reason, "domain": "youtube"}]} if reason else {}
    return json.dumps({"error": {"message": message} | errors | more}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "meaning"),
    [
        (403, "quotaExceeded", Meaning.QUOTA),
        (403, "dailyLimitExceeded", Meaning.QUOTA),
        (403, "dailyLimitExceededUnreg", Meaning.QUOTA),
        (403, "rateLimitExceeded", Meaning.RATE),
        (403, "userRateLimitExceeded", Meaning.RATE),
        (400, "keyInvalid", Meaning.BAD_KEY),
        (400, "keyExpired", Meaning.BAD_KEY),
        (403, "accessNotConfigured", Meaning.BAD_KEY),
        (403, "ipRefererBlocked", Meaning.BAD_KEY),
        (401, "authError", Meaning.BAD_KEY),
        (403, "forbidden", Meaning.FORBIDDEN),
        (403, "playlistItemsNotAccessible", Meaning.FORBIDDEN),
        (404, "playlistNotFound", Meaning.GONE),
        (404, "channelNotFound", Meaning.GONE),
        (400, "invalidPageToken", Meaning.STALE_PAGE),
        (400, "missingRequiredParameter", Meaning.REQUEST),
        (500, "backendError", Meaning.SERVICE),
        (503, "internalError", Meaning.SERVICE),
    ],
)
def test_a_reason_of_the_old_style_is_known(status: int, reason: str, meaning: Meaning) -> None:
    refusal = classify(status, body(reason, "No."))
    assert refusal.meaning is meaning
    assert refusal.reason == reason


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("API_KEY_INVALID", Meaning.BAD_KEY),
        ("SERVICE_DISABLED", Meaning.BAD_KEY),
        ("API_KEY_SERVICE_BLOCKED", Meaning.BAD_KEY),
        ("API_KEY_IP_ADDRESS_BLOCKED", Meaning.BAD_KEY),
        ("API_KEY_HTTP_REFERRER_BLOCKED", Meaning.BAD_KEY),
        ("RATE_LIMIT_EXCEEDED", Meaning.RATE),
    ],
)
def test_a_reason_of_the_new_style_counts_more(reason: str, meaning: Meaning) -> None:
    said = body("forbidden", "No.", status="PERMISSION_DENIED", details=[{"reason": reason}])
    assert classify(403, said).meaning is meaning


@pytest.mark.parametrize(
    "more",
    [
        {"details": [{"metadata": {"quota_limit": "defaultPerDayPerProject"}}]},
        {"message": "Quota exceeded for metric 'Queries' and limit 'Queries per day'."},
    ],
)
def test_a_rate_limit_that_names_a_day_is_the_quota(more: dict[str, object]) -> None:
    said = body("rateLimitExceeded", status="RESOURCE_EXHAUSTED", **more)  # type: ignore[arg-type]
    assert classify(429, said).meaning is Meaning.QUOTA


def test_a_quota_that_names_a_minute_is_a_rate_limit() -> None:
    said = body("quotaExceeded", details=[{"metadata": {"quota_limit": "QueriesPerMinutePerUser"}}])
    assert classify(403, said).meaning is Meaning.RATE
    busy = body("quotaExceeded", "Queries per 100 seconds per user are used up.")
    assert classify(403, busy).meaning is Meaning.RATE


def test_a_violation_that_names_a_day_is_the_quota() -> None:
    failure = {"@type": "QuotaFailure", "violations": [{"description": "Queries per day"}]}
    said = body(status="RESOURCE_EXHAUSTED", details=[failure])
    assert classify(429, said).meaning is Meaning.QUOTA


def test_a_request_that_google_saw_without_a_key_is_the_keys_fault() -> None:
    said = body("forbidden", "Method doesn't allow unregistered callers.")
    assert classify(403, said).meaning is Meaning.BAD_KEY


def test_a_key_that_only_the_message_calls_invalid_is_bad() -> None:
    said = body("badRequest", "API key not valid. Please pass a valid API key.")
    refusal = classify(400, said)
    assert refusal.meaning is Meaning.BAD_KEY
    assert "Make a new key" in refusal.message


def test_what_is_wrong_with_a_key_comes_with_what_mends_it() -> None:
    assert "Enable it" in classify(403, body("accessNotConfigured")).message
    assert "restrictions" in classify(403, body("ipRefererBlocked")).message
    assert "Make a new key" in classify(401, b"").message


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (401, Meaning.BAD_KEY),
        (403, Meaning.FORBIDDEN),
        (404, Meaning.GONE),
        (429, Meaning.RATE),
        (400, Meaning.REQUEST),
        (500, Meaning.SERVICE),
        (302, Meaning.SERVICE),
    ],
)
@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error": "x"}', b"\xff"])
def test_without_a_reason_the_status_decides(status: int, meaning: Meaning, content: bytes) -> None:
    assert classify(status, content).meaning is meaning


def test_markup_and_control_characters_of_a_message_go() -> None:
    refusal = classify(403, body("quotaExceeded", '<a href="x">Quota</a>\x1b[31m\nused'))
    assert refusal.message == "Quota [31m used"


def test_no_reason_stands_in_two_rows() -> None:
    every = [reason for row in TABLE for reason in row.reasons]
    assert len(every) == len(set(every))


@given(
    st.integers(300, 599),
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["error", "errors", "details", "reason", "message", "status"]),
                    inner,
                )
            ),
        ).map(lambda value: json.dumps({"error": value}).encode()),
    ),
)
def test_any_body_is_classified(status: int, content: bytes) -> None:
    assert isinstance(classify(status, content), ApiRefusal)
