"""Discovery against the sandbox over HTTP: what is found, what it costs, and what is remembered."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.library.shelf import Library, written_at
from engine.settings import Settings, load
from engine.steps import metadata as metadata_step
from engine.steps.channels import home
from engine.steps.discovery import Found, as_left_out, as_planned, find_videos
from engine.steps.remembrance import LOOK_AGAIN, keep
from engine.youtube.selection import choose
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.spec import ApiKey

START = datetime(2026, 1, 1, tzinfo=UTC)
LARGE = SandboxChannel(id="UC" + "l" * 22, handle="@large", title="Large", generated=1_000)
ADDRESSES = ("@mixed", "youtube.com/c/mixed", "youtube.com/user/oldmixed", "UC" + "m" * 22)


def video(number: int, **fields: Any) -> SandboxVideo:
    """The greater the number, the older the video."""
    base: dict[str, Any] = {
        "id": f"video{number:06d}",
        "title": f"Number {number}",
        "published": START - timedelta(days=number),
        "talk": "tea",
    }
    return SandboxVideo.model_validate(base | fields)


def mixed(*videos: SandboxVideo) -> SandboxChannel:
    return SandboxChannel(
        id="UC" + "m" * 22, handle="@mixed", username="oldmixed", title="Mixed", videos=videos
    )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec(mixed(video(1)))) as running:
        yield running


def spec(channel: SandboxChannel) -> SandboxSpec:
    return SandboxSpec(channels=(LARGE, channel), api_keys=(ApiKey(key="key", units=100_000),))


@pytest.fixture
def serve(sandbox: Sandbox) -> Callable[..., None]:
    """Puts these videos on the mixed channel."""

    def serving(*videos: SandboxVideo) -> None:
        sandbox.change(spec(mixed(*videos)))

    return serving


@pytest.fixture
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return load()


@pytest.fixture
def sync(sandbox: Sandbox, settings: Settings) -> Callable[..., tuple[Found, int]]:
    """What a real sync does short of the runs; with the units that the sandbox charged."""

    def syncing(
        channel: str = "@mixed", queued: int | None = None, **chosen: Any
    ) -> tuple[Found, int]:
        before = sandbox.counts()
        library = Library(settings)
        found = find_videos(channel, choose(**chosen), library, settings)
        now = datetime.now(UTC)
        wave, rest = found.planned[:queued], found.planned[queued:] if queued else ()
        metadata_step.keep_all(library, [item.video for item in wave], settings, now)
        folder = home(library, found.channel, channel)
        keep(folder, found.selection, found.left_out, rest, settings, now)
        after = sandbox.counts()
        assert after.searches == before.searches
        spent = sum(after.units.values()) - sum(before.units.values())
        assert spent == found.quota_units
        return found, spent

    return syncing


def finish(settings: Settings, *numbers: int) -> None:
    for number in numbers:
        Library(settings).ended(f"video{number:06d}")


def numbers(items: Any) -> list[int]:
    return [int(item.video.video_id.removeprefix("video")) for item in items]


def test_a_thousand_videos_are_planned_for_41_units_and_their_runs_add_none(
    sandbox: Sandbox, settings: Settings, sync: Any
) -> None:
    found, units = sync("@large", everything=True)
    assert (len(found.planned), units) == (1_000, 41)
    before = sandbox.counts()
    library = Library(settings)
    for item in found.planned[:3]:
        entry = metadata_step.metadata(library, item.video.video_id, settings)
        assert library.read(entry).video.title == item.video.title
    assert sandbox.counts().units == before.units


def test_a_dry_run_writes_nothing(settings: Settings, serve: Any, sandbox: Sandbox) -> None:
    serve(*(video(n) for n in range(1, 4)))
    library = Library(settings)
    found = find_videos("@mixed", choose(), library, settings)
    assert [o.status for o in as_planned(found, library)] == ["planned"] * 3
    assert not settings.library_dir.exists()


OBSTACLES = [
    video(1, obstacle="upcoming", scheduled=datetime.now(UTC) + timedelta(days=1)),
    video(2, obstacle="live", scheduled=datetime.now(UTC)),
    video(3, obstacle="age"),
    video(4, obstacle="processing"),
    video(5, obstacle="private"),
]


def test_nothing_new_costs_nothing_also_beside_videos_that_were_left_out(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(*OBSTACLES, video(6), video(7))
    first, units = sync()
    assert (numbers(first.planned), units) == ([7, 6], 3)
    assert {o.status for o in as_left_out(first)} == {"skipped", "deferred"}
    finish(settings, 6, 7)
    for _ in range(2):
        again, units = sync()
        assert (again.planned, units) == ((), 0)
    said = {o.video_id: (o.status, o.reason) for o in as_left_out(again)}
    assert said["video000003"] == ("skipped", "age-restricted")
    assert said["video000001"][0] == "deferred"


def test_a_channel_of_obstacles_alone_costs_nothing_the_second_time(serve: Any, sync: Any) -> None:
    serve(*OBSTACLES[2:4])
    assert sync()[1] == 3
    assert sync()[1] == 0


def test_something_new_costs_two_units_at_most(settings: Settings, serve: Any, sync: Any) -> None:
    serve(*(video(n) for n in range(30, 60)))
    sync()
    finish(settings, *range(30, 60))
    for new in (3, 40):  # inside of the feed's fifteen, and a gap
        serve(*(video(n) for n in range(30 - new if new < 30 else 0, 60)))
        found, units = sync()
        assert len(found.planned) in (3, 27)
        assert units <= 2
        finish(settings, *numbers(found.planned))


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_resolved_once(
    serve: Any, sync: Any, settings: Settings, address: str
) -> None:
    serve(video(1))
    sync(address)
    finish(settings, 1)
    assert sync(address)[1] == 0


def test_what_no_run_brought_to_an_end_is_taken_again_for_nothing(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(*(video(n) for n in range(1, 6)))
    sync()
    finish(settings, 1, 3)  # the newest is done, older ones were interrupted
    again, units = sync()
    assert numbers(again.planned) == [5, 4, 2]
    assert units == 0
    chosen, units = sync(latest=4)
    assert numbers(chosen.planned) == [4, 2]
    assert units == 1  # the page of the list; what it names has its metadata


def test_a_backlog_is_not_hidden_by_what_was_left_out_above_it(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(video(1, obstacle="age"), *(video(n) for n in range(2, 6)), video(9))
    found, _ = sync(queued=1)
    finish(settings, 9)
    rest, _ = sync()
    assert numbers(rest.planned) == [5, 4, 3, 2]


def test_an_obstacle_met_on_the_way_is_skipped_from_then_on(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(video(1, obstacle="members"), video(2))
    sync()
    library = Library(settings)
    entry = library.find("video000001")
    assert entry is not None
    said = {"error": "video000001: for members.", "cause": "MembersOnly"}
    library.record(entry, "download", written_at("failed", **said))
    finish(settings, 1, 2)
    again, units = sync(everything=True)
    assert [(o.video_id, o.status, o.reason) for o in as_left_out(again)] == [
        ("video000001", "skipped", "video000001: for members.")
    ]
    assert (again.new, again.planned) == (0, ())


def test_an_obstacle_is_looked_at_again_after_a_week(
    settings: Settings, serve: Any, sync: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(video(1, obstacle="age"), video(2))
    sync()
    finish(settings, 2)
    serve(video(1), video(2))
    assert sync()[0].planned == ()
    folder = Library(settings).folder_of_channel("UC" + "m" * 22)
    assert folder is not None
    file = folder / "left-out.json"
    later = (datetime.now(UTC) + LOOK_AGAIN).strftime("%Y-%m-%d")
    past = (datetime.now(UTC) - LOOK_AGAIN).strftime("%Y-%m-%d")
    text = file.read_text(encoding="utf-8")
    assert later in text
    file.write_text(text.replace(later, past), encoding="utf-8")
    assert numbers(sync()[0].planned) == [1]


def test_other_cookies_or_another_filter_ask_anew(
    settings: Settings, serve: Any, sync: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(video(1, title="No"), video(2, title="Yes"))
    found, _ = sync(title="yes")
    assert (numbers(found.planned), numbers(found.left_out)) == ([2], [1])
    finish(settings, 2)
    assert sync(title="yes")[1] == 0
    assert numbers(sync(title="no")[0].planned) == [1]


KINDS = [
    video(1, short=True),
    video(2, was_live=True),
    video(3),
    video(4, short=True),
    video(5),
    video(6, was_live=True),
]


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({"shorts": "without"}, [2, 3, 5, 6]),
        ({"shorts": "only"}, [1, 4]),
        ({"streams": "without"}, [1, 3, 4, 5]),
        ({"streams": "only"}, [2, 6]),
        ({"shorts": "without", "streams": "without"}, [3, 5]),
        ({"shorts": "without", "latest": 3}, [2, 3, 5]),
        ({"shorts": "without", "everything": True}, [2, 3, 5, 6]),
    ],
)
def test_a_kind_is_taken_from_its_own_list_and_feed(
    settings: Settings, serve: Any, sync: Any, chosen: dict[str, Any], wanted: list[int]
) -> None:
    serve(*KINDS)
    found, _ = sync(**chosen)
    assert sorted(numbers(found.planned)) == wanted
    finish(settings, *wanted)
    if not chosen.keys() & {"latest", "everything"}:
        again, units = sync(**chosen)
        assert (again.planned, units) == ((), 0)


def test_many_shorts_do_not_push_a_talk_out_of_the_feed(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(*(video(n) for n in range(50, 53)))
    sync(shorts="without")
    finish(settings, 50, 51, 52)
    serve(*(video(n, short=True) for n in range(1, 41)), *(video(n) for n in range(49, 53)))
    found, units = sync(shorts="without")
    assert (numbers(found.planned), units) == ([49], 1)


def test_without_lists_of_kinds_length_and_words_tell(
    settings: Settings, serve: Any, sync: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.youtube import uploads

    for name, odd in (("_LONG", "UUQ1"), ("_SHORTS", "UUQ2"), ("_STREAMS", "UUQ3")):
        monkeypatch.setattr(uploads, name, odd)
    serve(video(1, title="Quick #shorts"), video(2, times=9), video(3))
    found, _ = sync(shorts="without")
    assert numbers(found.planned) == [2]
    assert {item.reason for item in found.left_out} == {"filter: a Short"}


@pytest.mark.parametrize(
    ("chosen", "planned", "said"),
    [
        ({"shortest": 60}, [3, 2], "shorter than 60"),
        ({"longest": 60}, [1], "longer than 60"),
        ({"title": "^number [13]$"}, [3, 1], "does not match “^number [13]$”"),
        ({"shortest": 60, "latest": 1}, [2], "shorter than 60"),
        ({"shortest": 60, "most_viewed": 1}, [3], None),
    ],
)
def test_a_filter_leaves_out_with_its_reason(
    serve: Any, sync: Any, chosen: dict[str, Any], planned: list[int], said: str | None
) -> None:
    serve(video(1, views=9), video(2, times=9), video(3, times=9, views=200))
    found, _ = sync(**chosen)
    assert numbers(found.planned) == planned
    assert all(item.reason.startswith("filter: ") for item in found.left_out)
    assert all(item.reason.endswith(said) for item in found.left_out)
    assert bool(found.left_out) is (said is not None)


def test_nothing_older_than_the_channels_first_day_is_taken(
    settings: Settings, serve: Any, sync: Any
) -> None:
    serve(*(video(n) for n in range(1, 130)))
    day = (START - timedelta(days=10)).date()
    found, units = sync(everything=True, published_after=day)
    assert numbers(found.planned)[0] in (9, 10)
    assert units == 3
    assert numbers(sync(published_after=day)[0].planned) == numbers(found.planned)


def test_the_first_sync_takes_as_many_as_its_channels_cap(
    settings: Settings, serve: Any, sandbox: Sandbox
) -> None:
    serve(*(video(n) for n in range(1, 30)))
    found = find_videos("@mixed", choose(), Library(settings), settings, cap=4)
    assert numbers(found.planned) == [4, 3, 2, 1]
