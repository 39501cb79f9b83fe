"""`tonspur playlists` and dry runs: what YouTube has and what it would cost, without Prefect."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import Sandbox, SandboxChannel, SandboxSpec, SandboxVideo
from sandbox.spec import SandboxPlaylist
from tests.json_lines import lines

START = datetime(2026, 1, 1, tzinfo=UTC)
VIDEOS = tuple(
    SandboxVideo(
        id=f"video{number:06d}",
        title=f"[bold]Talk[/] {number}",
        published=START - timedelta(days=number),
        talk="tea",
        short=number == 2,
    )
    for number in range(1, 5)
)
LISTS = tuple(
    SandboxPlaylist(id=f"PLlist{number:012d}", title=f"List {number}", videos=("video000003",))
    for number in range(1, 53)
)
CHANNEL = SandboxChannel(
    id="UC" + "p" * 22, handle="@lists", title="Lists", videos=VIDEOS, playlists=LISTS
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=SandboxSpec(channels=(CHANNEL,))) as made:
        yield made


@pytest.fixture
def tonspur(sandbox: Sandbox) -> Run:
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tonspur", *arguments],
            env={**os.environ, **sandbox.environment(), "COLUMNS": "120", **more},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


def test_every_playlist_of_a_channel_is_listed_and_one_can_be_chosen(tonspur: Run) -> None:
    listed = tonspur("playlists", "@lists", "--json")
    rows = lines(listed)
    assert len(rows) == 52
    assert rows[7] == {"playlist_id": "PLlist000000000008", "title": "List 8", "videos": 1}
    assert "PLlist000000000052" in tonspur("playlists", "@lists").stdout
    chosen = tonspur("sync", "@lists", "--playlist", "PLlist000000000008", "--dry-run", "--json")
    planned = lines(chosen)[:-1]
    assert [item["video_id"] for item in planned] == ["video000003"]


def test_a_dry_run_says_what_it_would_cost_and_prints_titles_as_they_are(tonspur: Run) -> None:
    done = tonspur("sync", "@lists", "--dry-run", "--shorts", "without")
    assert done.returncode == 0, done.stderr
    assert "[bold]Talk[/] 1" in done.stdout
    assert "Talk[/] 2" not in done.stdout
    assert "transcribe 1 min (about 1 MB of sound)" in done.stdout
    assert "spend 4 units again" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--title", "("), "title: “(” is no regular expression"),
        (("--shorts", "maybe"), "shorts: Input should be 'with', 'without' or 'only'"),
        (("--shorts", "only", "--streams", "only"), "exclude each other"),
        (("--shortest", "90", "--longest", "60"), "shortest 90 is more than longest 60"),
        (("--published-after", "yesterday"), "published-after:"),
        (("--media", "wav"), "YT_MEDIA_FORMAT"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_line_and_status_2(
    tonspur: Run, arguments: tuple[str, ...], said: str
) -> None:
    done = tonspur("sync", "@lists", "--dry-run", *arguments)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
