"""The predecessor's bugs in what it asked of YouTube: none comes back.

The YB numbers are those of the survey of it.
"""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import errors
from engine.errors import NetworkTrouble, QuotaUsedUp, ServiceTrouble
from engine.library import names
from engine.settings import Settings, load
from engine.youtube import addresses, transport, ytdlp_options
from engine.youtube.addresses import ChannelAddress
from engine.youtube.answers import Channel
from engine.youtube.catalog import Catalog
from engine.youtube.keys import KeyRing
from engine.youtube.plan import Plan, discover
from engine.youtube.reporting import Reporter
from engine.youtube.selection import choose, window

CHANNEL = Channel("UC" + "c" * 22, "@thechannel", "The channel", "UU" + "c" * 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
ID = "dQw4w9WgXcQ"


@pytest.fixture
def catalog(settings: Settings, ring: KeyRing) -> Iterator[Catalog]:
    with Catalog(settings, keys=ring) as opened:
        yield opened


def listed(catalog: Catalog) -> list[str]:
    return [entry.video_id for page in catalog.uploads(CHANNEL) for entry in page]


def planned(settings: Settings, catalog: Catalog, **selection: Any) -> Plan:
    chosen = choose(**selection)
    return discover(CHANNEL, chosen, set(), catalog, settings, clock=lambda: NOW, zone=UTC)


@pytest.mark.parametrize(
    "length", [49, 50, 51, 101, 500, pytest.param(5_000, marks=pytest.mark.e2e)]
)
def test_yb01_every_list_ends_and_is_complete(catalog: Catalog, world: Any, length: int) -> None:
    every = world.fill(length)
    world.playlists = {"PLlong": every}
    assert listed(catalog) == every
    assert [e.video_id for page in catalog.playlist("PLlong") for e in page] == every
    pages = -(-length // 50)
    assert catalog.units == 2 * pages


def test_yb02_a_key_whose_quota_is_used_up_gives_way_to_the_next(
    catalog: Catalog, world: Any, a_refusal: Any
) -> None:
    world.fill(3)
    world.faults = [a_refusal(403, "quotaExceeded")]
    assert len(listed(catalog)) == 3
    assert [request.key for request in world.google.requests] == ["key-one", "key-two"]


def test_yb03_when_every_key_is_refused_the_number_of_requests_is_bounded(
    catalog: Catalog, world: Any, a_reply: Any, pauses: list[float]
) -> None:
    """Also by a 403 that says nothing."""
    world.fill(3)
    world.faults = [a_reply(403, b"")] * 100
    with pytest.raises(errors.TonspurError):
        listed(catalog)
    assert len(world.google.requests) <= 8
    assert sum(pauses) < 120


def test_yb04_an_error_in_the_middle_of_a_list_repeats_nothing(
    catalog: Catalog, world: Any, a_refusal: Any, a_reply: Any
) -> None:
    every = world.fill(170)
    world.faults = [None, a_reply(503, b"busy"), None, a_refusal(403, "quotaExceeded")]
    assert listed(catalog) == every
    pages = Counter(request.query.get("pageToken") for request in world.google.requests)
    assert pages == {None: 1, "50": 2, "100": 2, "150": 1}


def test_yb05_an_old_user_address_finds_its_channel(catalog: Catalog, world: Any) -> None:
    asked = addresses.channel("https://www.youtube.com/user/oldname")
    assert catalog.channel(asked) == CHANNEL


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("https://www.youtube.com/@thechannel/videos", "handle", "thechannel"),
        ("https://www.youtube.com/@thechannel?sub_confirmation=1", "handle", "thechannel"),
        (f"https://www.youtube.com/channel/{CHANNEL.channel_id}/videos", "id", CHANNEL.channel_id),
        (CHANNEL.channel_id, "id", CHANNEL.channel_id),
    ],
)
def test_yb06_what_follows_a_channels_name_is_no_part_of_it_and_nothing_is_searched(
    catalog: Catalog, world: Any, text: str, kind: str, value: str
) -> None:
    asked = addresses.channel(text)
    assert asked == ChannelAddress(kind, value)  # type: ignore[arg-type]
    assert catalog.channel(asked) == CHANNEL
    assert not [r for r in world.google.requests if r.path.endswith("/search")]
    assert catalog.searches == 0


def test_a_list_that_is_refused_in_the_middle_is_not_taken_for_its_end(
    catalog: Catalog, world: Any, a_refusal: Any
) -> None:
    world.fill(170)
    for refused in (a_refusal(403, "forbidden"), a_refusal(404, "playlistNotFound")):
        world.faults = [None, refused]
        with pytest.raises(ServiceTrouble, match="uploads of UC"):
            listed(catalog)


@pytest.mark.parametrize("selection", [{"latest": 300}, {"most_viewed": 300}])
def test_yb07_three_hundred_are_three_hundred(
    settings: Settings, catalog: Catalog, world: Any, selection: dict[str, int]
) -> None:
    world.fill(400)
    assert len(planned(settings, catalog, **selection)) == 300


def test_yb08_all_videos_of_a_large_channel_are_all(
    settings: Settings, catalog: Catalog, world: Any
) -> None:
    every = world.fill(1_200)
    assert [item.video.video_id for item in planned(settings, catalog, everything=True)] == every
    assert catalog.searches == 0


def test_yb09_days_are_the_users_own() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    span = window(choose(since="2026-05-06", until="2026-05-06"), berlin)
    assert span.start == datetime(2026, 5, 5, 22, tzinfo=UTC)
    assert span.end == datetime(2026, 5, 6, 22, tzinfo=UTC)
    winter = window(choose(since="2026-12-06"), berlin)
    assert winter.start == datetime(2026, 12, 5, 23, tzinfo=UTC)


@pytest.mark.parametrize("content", [None, "", "\n\n", "# no key yet\n"])
def test_yb10_without_a_file_of_keys_everything_starts(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "YT_API_keys.txt"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert load(yt_api_keys_file=file).api_keys == ()


def test_yb11_a_network_error_shows_no_key(settings: Settings, ring: KeyRing, google: Any) -> None:
    google.close()
    with Catalog(settings, keys=ring) as catalog, pytest.raises(NetworkTrouble) as trouble:
        listed(catalog)
    said = "".join(map(str, (trouble.value, trouble.value.__cause__, trouble.value.__context__)))
    assert "key-one" not in said
    assert "key-two" not in said


def test_yb12_every_request_has_a_timeout() -> None:
    with transport.client() as client:
        assert client.timeout.connect
        assert client.timeout.read
        assert client.timeout.connect + client.timeout.read <= 90
    assert ytdlp_options.options(load())["socket_timeout"]


def test_yb13_a_channel_is_resolved_for_one_unit_once_and_never_by_search(
    catalog: Catalog, world: Any
) -> None:
    for text in ("@thechannel", f"https://www.youtube.com/channel/{CHANNEL.channel_id}"):
        catalog.channel(addresses.channel(text))
    assert (catalog.units, catalog.searches) == (2, 0)


def test_yb14_a_playlist_is_a_selection_like_any_other(
    settings: Settings, catalog: Catalog, world: Any
) -> None:
    world.fill(9)
    world.playlists = {"PL0123456789abcdef": ["video000004", "video000002"]}
    found = planned(settings, catalog, playlist="PL0123456789abcdef")
    assert [item.video.video_id for item in found] == ["video000004", "video000002"]


def test_yb15_a_download_of_any_container_is_kept() -> None:
    """The best sound is taken as it comes; nothing is merged, renamed or converted on the way."""
    options = ytdlp_options.options(load())
    assert "merge_output_format" not in options
    assert options["postprocessors"] == []
    assert options["fixup"] == "never"
    assert options["format"].startswith("bestaudio")


@pytest.mark.parametrize("title", ["a/b\\c", "C:\\x", "../../etc/passwd", "nul", 'say: "hi"?'])
def test_yb16_a_title_is_one_name_on_every_system(title: str) -> None:
    stem = names.stem(NOW, title, ID)
    for system in (PurePosixPath, PureWindowsPath):
        path = system(stem)
        assert len(path.parts) == 1
        assert not path.is_absolute()
    assert names.id_of(stem) == ID


def test_yb17_no_flag_is_shared_by_all_users() -> None:
    """Cancelling is told to a call by its argument: no module changes a global."""
    for package in ("engine", "tasks", "flows", "deployments"):
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.Global)], file


def test_yb18_each_obstacle_has_a_name_of_its_own() -> None:
    leaves = {
        errors.PrivateVideo,
        errors.GoneVideo,
        errors.AgeRestricted,
        errors.RegionBlocked,
        errors.MembersOnly,
        errors.LiveVideo,
        errors.UpcomingVideo,
    }
    for leaf in leaves:
        lasting = issubclass(leaf, errors.UnavailableVideo)
        assert lasting != issubclass(leaf, errors.Deferred)


@pytest.mark.parametrize("total", [None, 0, 1_000, "missing"])
def test_yb19_progress_needs_no_total(total: object) -> None:
    told: list[tuple[int, int | None]] = []
    reporter = Reporter(lambda done, of: told.append((done, of)))
    status = {"status": "downloading", "downloaded_bytes": 500, "total_bytes": total}
    if total == "missing":
        del status["total_bytes"]
    reporter(status)
    assert told[-1][0] == 500
    assert told[-1][1] in (None, 1_000)


def test_yb20_no_name_is_defined_twice_in_a_module() -> None:
    for file in (*(ROOT / "engine").rglob("*.py"), ROOT / "tonspur.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        counts = Counter(node.name for node in tree.body if isinstance(node, kinds))
        assert not [name for name, count in counts.items() if count > 1], file


def test_two_of_three_keys_run_out_in_the_middle_and_the_list_is_complete(
    settings: Settings, world: Any, a_refusal: Any
) -> None:
    from engine.youtube.quota import Ledger

    three = settings.model_copy(
        update={"yt_api_keys": load(yt_api_keys="key-one,key-two,key-three").yt_api_keys}
    )
    every = world.fill(500)
    used_up = a_refusal(403, "quotaExceeded")
    world.faults = [None, None, None, used_up, None, None, used_up]
    ledger = Ledger(settings.ledger_file, lambda: NOW)
    ring = KeyRing(three.api_keys, ledger, {"units": 10_000, "searches": 100})
    with Catalog(three, keys=ring) as catalog:
        assert listed(catalog) == every
    sent = [(request.key, request.query.get("pageToken")) for request in world.google.requests]
    answered = [page for number, (_, page) in enumerate(sent) if number not in (3, 6)]
    assert len(answered) == len(set(answered)) == 10
    keys = [key for key, _ in sent]
    assert keys == ["key-one"] * 4 + ["key-two"] * 3 + ["key-three"] * 5


def test_all_used_up_says_when_the_next_pacific_day_begins(
    catalog: Catalog, world: Any, a_refusal: Any
) -> None:
    world.fill(3)
    world.faults = [a_refusal(403, "quotaExceeded")] * 2
    with pytest.raises(QuotaUsedUp) as used_up:
        listed(catalog)
    assert used_up.value.not_before == datetime(2026, 11, 23, 8, tzinfo=UTC)
    with pytest.raises(QuotaUsedUp):
        listed(catalog)
    assert len(world.google.requests) == 2, "an exhausted key was asked again"


def test_eight_processes_lose_no_unit(settings: Settings) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.youtube.quota import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for _ in range(125):\n"
        "    ledger.charge('key', 10_000)\n"
    )
    program = [sys.executable, "-c", code, str(settings.ledger_file)]
    processes = [subprocess.Popen(program, cwd=ROOT) for _ in range(8)]
    assert [process.wait(120) for process in processes] == [0] * 8
    from engine.youtube.quota import Ledger

    assert Ledger(settings.ledger_file).spent("key").units == 1_000
