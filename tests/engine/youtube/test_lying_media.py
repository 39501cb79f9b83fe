"""Media servers that lie: never a file with holes or of another length, and later the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.errors import IncompleteDownload, NetworkTrouble, Temporary
from engine.settings import Settings
from engine.youtube import downloads
from engine.youtube.catalog import Catalog
from engine.youtube.downloads import Download
from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo

SOUND, OTHER, BOASTER = "sound000000", "webm0000000", "boaster0000"
PAGE = "<html><head><title>Before you continue</title></head><body>Consent</body></html>" * 50


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One talk as m4a and as webm, and a video that claims to be longer than it is."""

    def video(video_id: str, **more: Any) -> SandboxVideo:
        made: dict[str, Any] = {"title": video_id, "talk": "tea", **more}
        return SandboxVideo(id=video_id, published=datetime(2026, 1, 1, tzinfo=UTC), **made)

    videos = (video(SOUND), video(OTHER, container="webm"), video(BOASTER, claimed_s=90.0))
    channel = SandboxChannel(id="UC" + "l" * 22, handle="@liar", title="Liar", videos=videos)
    spec = SandboxSpec(channels=(channel,))
    with Sandbox(tmp_path_factory.mktemp("liar"), spec=spec) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Iterator[Settings]:
    told = {name.lower(): value for name, value in sandbox.environment().items()}
    places = {"state_dir": tmp_path / "state", "library_dir": tmp_path / "library"}
    yield Settings(_env_file=None, **told, **places)
    sandbox.drop_faults()


def truth(sandbox: Sandbox, video_id: str) -> bytes:
    suffix = sandbox.video(video_id).container
    return httpx.get(f"{sandbox.url}/media/{video_id}.{suffix}").content


def fetch(settings: Settings, video_id: str, **more: Any) -> Download:
    chosen: dict[str, Any] = {"expected_s": None, "progress": lambda done, total: None, **more}
    return downloads.download(video_id, settings.library_dir, "x", settings, **chosen)


def fetch_a_part(settings: Settings, video_id: str) -> None:
    """Leaves what a killed download leaves."""

    class Killed(Exception):  # noqa: N818
        pass

    def die(done: int, total: int | None) -> None:
        if done > 20_000:
            raise Killed

    with pytest.raises(Killed):
        fetch(settings, video_id, progress=die)


def finished(settings: Settings) -> list[Path]:
    return [file for file in settings.library_dir.glob("*") if not file.name.startswith(".~")]


@dataclass(frozen=True)
class Lying:
    """How the server lies; what a download ends in that is fresh, and one that goes on."""

    fault: dict[str, Any]
    fresh: type[Temporary] | None
    resumed: type[Temporary] | None


LIES = {
    "a longer Content-Length": Lying({"lie": {"length": 5_000}}, NetworkTrouble, NetworkTrouble),
    "a shorter Content-Length": Lying({"lie": {"length": -5_000}}, NetworkTrouble, NetworkTrouble),
    "a range that is not heard": Lying({"lie": {"deaf": True}}, None, None),
    "a Content-Range of its own": Lying(
        {"headers": {"Content-Range": "bytes 7-9/10"}}, None, IncompleteDownload
    ),
    "bytes from elsewhere": Lying(
        {"lie": {"misplaced": 3_000}}, IncompleteDownload, IncompleteDownload
    ),
    "a page": Lying(
        {"status": 200, "body": PAGE, "headers": {"Content-Type": "audio/mp4"}},
        IncompleteDownload,
        IncompleteDownload,
    ),
    "a part of the file": Lying({"lie": {"whole": 30_000}}, IncompleteDownload, IncompleteDownload),
}


@pytest.mark.parametrize(
    ("resumed", "video_id"), [(False, SOUND), (True, OTHER)], ids=["fresh", "resumed"]
)
@pytest.mark.parametrize("name", LIES)
def test_a_liars_file_is_whole_or_not_there_and_the_next_try_is_well(
    sandbox: Sandbox, settings: Settings, name: str, resumed: bool, video_id: str
) -> None:
    lying = LIES[name]
    expected = lying.resumed if resumed else lying.fresh
    whole = truth(sandbox, video_id)
    if resumed:
        fetch_a_part(settings, video_id)
    sandbox.fault(route="/media/*", method="GET", times=None, **lying.fault)
    if expected is None:
        assert fetch(settings, video_id).path.read_bytes() == whole
    else:
        with pytest.raises(expected):
            fetch(settings, video_id)
        assert finished(settings) == []
    sandbox.drop_faults()
    assert fetch(settings, video_id).path.read_bytes() == whole


def test_a_hole_of_the_right_length_is_refused(sandbox: Sandbox, settings: Settings) -> None:
    """Bytes from elsewhere that nothing in the answer gives away."""
    whole = truth(sandbox, SOUND)
    fetch_a_part(settings, SOUND)
    sandbox.fault(route="/media/*", method="GET", lie={"misplaced": 3_000, "disguised": True})
    with pytest.raises(IncompleteDownload):
        fetch(settings, SOUND)
    assert finished(settings) == []
    sandbox.drop_faults()
    assert fetch(settings, SOUND).path.read_bytes() == whole


def test_a_part_that_is_longer_than_the_file_is_fetched_anew(
    sandbox: Sandbox, settings: Settings
) -> None:
    fetch_a_part(settings, OTHER)
    [part] = [file for file in settings.library_dir.glob(".~*") if file.name.endswith(".part")]
    with part.open("ab") as file:
        file.write(b"x" * 900_000)
    assert fetch(settings, OTHER).path.read_bytes() == truth(sandbox, OTHER)


def test_a_recording_that_is_shorter_than_promised_is_refused(
    sandbox: Sandbox, settings: Settings
) -> None:
    with pytest.raises(IncompleteDownload, match=r"1\d\.\d s instead of 90\.0 s"):
        fetch(settings, BOASTER)
    assert [*settings.library_dir.iterdir()] == []


def test_metadata_claim_the_length_that_is_planned(sandbox: Sandbox, settings: Settings) -> None:
    assert downloads.metadata(BOASTER, settings).duration_s == 90
    with Catalog(settings) as catalog:
        found = catalog.videos([SOUND, BOASTER])
    assert found[BOASTER].duration_s == 90
    assert (found[SOUND].duration_s or 0) < 20
