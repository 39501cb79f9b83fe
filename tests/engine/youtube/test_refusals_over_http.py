"""Every refusal of the Data API, over HTTP, through the real catalog and key ring."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from engine.errors import ServiceTrouble, UnknownPlaylist
from engine.settings import Settings
from engine.youtube import keys
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.keys import ATTEMPTS, KeyRing
from engine.youtube.quota import Ledger, key_name
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.google_answers import ANSWERS
from sandbox.spec import ApiKey, SandboxPlaylist

CHANNEL = Channel("UC" + "r" * 22, "@refused", "Refused", "UU" + "r" * 22)
LIST = "PLrefused"
ONE, TWO = (key_name(SecretStr(name)) for name in ("key-one", "key-two"))

POT_EMPTY = {
    "quotaExceeded",
    "dailyLimitExceeded",
    "dailyLimitExceededUnreg",
    "RATE_LIMIT_EXCEEDED per day",
}
TOO_FAST = {
    "rateLimitExceeded",
    "userRateLimitExceeded",
    "RATE_LIMIT_EXCEEDED per minute",
    "RESOURCE_EXHAUSTED",
}
BAD_KEY = {
    "keyInvalid": "Make a new key",
    "keyExpired": "Make a new key",
    "API_KEY_INVALID": "Make a new key",
    "API_KEY_EXPIRED": "API key expired",
    "PERMISSION_DENIED without a key": "Make a new key",
    "authError": "Make a new key",
    "UNAUTHENTICATED": "Make a new key",
    "accessNotConfigured": "https://console.cloud.google.com/apis/library/youtube",
    "SERVICE_DISABLED": "https://console.developers.google.com/apis/api/youtube",
    "ipRefererBlocked": "restrictions",
    "API_KEY_IP_ADDRESS_BLOCKED": "restrictions",
    "API_KEY_HTTP_REFERRER_BLOCKED": "restrictions",
    "API_KEY_SERVICE_BLOCKED": "the APIs that the key may call",
}
THIS_RESOURCE = {
    "forbidden",
    "channelForbidden",
    "playlistItemsNotAccessible",
    "watchHistoryNotAccessible",
    "watchLaterNotAccessible",
    "playlistNotFound",
    "channelNotFound",
    "videoNotFound",
}
STALE = {"invalidPageToken"}
OUR_BUG = {
    "missingRequiredParameter",
    "incompatibleParameters",
    "playlistOperationUnsupported",
    "invalidCriteria",
}
GOOGLES_TROUBLE = {
    "backendError",
    "internalError",
    "INTERNAL",
    "BAD_GATEWAY",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A channel of 120 videos, none of which is ever heard."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    videos = tuple(
        SandboxVideo(
            id=f"video{number:06d}",
            title=f"Number {number}",
            published=start - timedelta(days=number),
            talk="tea",
            obstacle="processing",
        )
        for number in range(120)
    )
    listed = SandboxPlaylist(id=LIST, title="All", videos=tuple(video.id for video in videos))
    channel = SandboxChannel(
        id=CHANNEL.channel_id,
        handle="@refused",
        title="Refused",
        videos=videos,
        playlists=(listed,),
    )
    two = (ApiKey(key="key-one"), ApiKey(key="key-two"))
    spec = SandboxSpec(channels=(channel,), api_keys=two)
    with Sandbox(tmp_path_factory.mktemp("refusals"), spec=spec) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    told = {name.lower(): value for name, value in sandbox.environment().items()}
    return Settings(_env_file=None, state_dir=tmp_path / "state", **told)


@pytest.fixture
def catalog(sandbox: Sandbox, settings: Settings, ring: KeyRing) -> Iterator[Catalog]:
    with Catalog(settings, keys=ring) as opened:
        yield opened
    sandbox.drop_faults()


def refused(sandbox: Sandbox, name: str, times: int | None = 1) -> None:
    """The second page is refused, and what follows it."""
    sandbox.fault(route="/youtube/*", google=name, skip=1, times=times)


def ids(pages: Iterator[list[Any]]) -> list[str]:
    return [entry.video_id for page in pages for entry in page]


ALL = [f"video{number:06d}" for number in range(120)]
Test = Callable[..., None]


def each(names: Any) -> Callable[[Test], Test]:
    return pytest.mark.parametrize("name", sorted(names))


def test_every_answer_of_google_has_an_action() -> None:
    groups = [POT_EMPTY, TOO_FAST, {*BAD_KEY}, THIS_RESOURCE, STALE, OUR_BUG, GOOGLES_TROUBLE]
    named = [name for group in groups for name in group]
    assert sorted(named) == sorted(ANSWERS)


@each(POT_EMPTY)
def test_an_empty_pot_rests_and_the_next_key_goes_on(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, pauses: list[float], name: str
) -> None:
    refused(sandbox, name)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert ledger.spent(ONE).units_exhausted
    assert not ledger.spent(TWO).units_exhausted
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (2, 2)
    assert pauses == []


@each(TOO_FAST)
def test_too_fast_is_slower_on_the_same_key_and_then_the_next(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, pauses: list[float], name: str
) -> None:
    refused(sandbox, name)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (4, 0)
    assert pauses == [2.0]
    refused(sandbox, name, times=ATTEMPTS)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert ledger.spent(TWO).units == 1
    assert not ledger.spent(ONE).units_exhausted


@pytest.mark.parametrize(("name", "mends"), sorted(BAD_KEY.items()))
def test_a_bad_key_leaves_the_ring_with_what_mends_it(
    sandbox: Sandbox,
    catalog: Catalog,
    ledger: Ledger,
    caplog: pytest.LogCaptureFixture,
    name: str,
    mends: str,
) -> None:
    refused(sandbox, name)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (2, 5)
    assert not ledger.spent(ONE).units_exhausted
    ours = [r.getMessage() for r in caplog.records if r.name == keys.__name__]
    assert len(ours) == 1
    assert ONE in ours[0]
    assert mends in ours[0]


@each(THIS_RESOURCE)
def test_a_resource_that_is_not_for_us_costs_no_key(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, pauses: list[float], name: str
) -> None:
    sandbox.fault(route="/youtube/*", google=name)
    with pytest.raises(UnknownPlaylist):
        ids(catalog.playlist(LIST))
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (1, 0)
    assert pauses == []


@each(STALE)
def test_a_stale_page_restarts_the_list_once(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, name: str
) -> None:
    refused(sandbox, name)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (5, 0)
    refused(sandbox, name)
    refused(sandbox, name)
    with pytest.raises(ServiceTrouble, match=name):
        ids(catalog.uploads(CHANNEL))


@each(OUR_BUG)
def test_a_request_that_is_wrong_is_not_repeated(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, pauses: list[float], name: str
) -> None:
    refused(sandbox, name)
    with pytest.raises(ServiceTrouble, match=name):
        ids(catalog.uploads(CHANNEL))
    assert (ledger.spent(ONE).units, ledger.spent(TWO).units) == (2, 0)
    assert pauses == []


@each(GOOGLES_TROUBLE)
def test_googles_trouble_is_waited_for_on_the_same_key(
    sandbox: Sandbox, catalog: Catalog, ledger: Ledger, pauses: list[float], name: str
) -> None:
    refused(sandbox, name)
    assert ids(catalog.uploads(CHANNEL)) == ALL
    assert pauses == [2.0]
    refused(sandbox, name, times=None)
    with pytest.raises(ServiceTrouble, match="cannot answer for now"):
        ids(catalog.uploads(CHANNEL))
    assert ledger.spent(TWO).units == 0
