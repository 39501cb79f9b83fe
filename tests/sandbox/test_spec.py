import time
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from sandbox.demo_channel import DEMO_CHANNEL, demo_spec, obstacles
from sandbox.spec import SandboxSpec
from sandbox.world import Catalogue


def test_a_spec_survives_its_json() -> None:
    spec = demo_spec()
    assert SandboxSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_demo_exercises_awkward_ids_and_titles() -> None:
    ids = "".join(video.id for video in DEMO_CHANNEL.videos)
    titles = "".join(video.title for video in DEMO_CHANNEL.videos)
    assert "-" in ids
    assert "_" in ids
    assert all(letter in titles for letter in ':/"?*|ü–&🍞')
    assert {video.language for video in DEMO_CHANNEL.videos} == {"en", "de"}


def test_twenty_thousand_made_up_videos_come_quickly_and_differ() -> None:
    big = DEMO_CHANNEL.model_copy(update={"generated": 20_000})
    started = time.perf_counter()
    listed = big.all_videos()
    assert time.perf_counter() - started < 3
    assert len({video.id for video in listed}) == 20_007
    assert all(a.published > b.published for a, b in zip(listed, listed[1:], strict=False))
    assert listed[7:10] == big.all_videos()[7:10]


def test_an_uploads_list_ends_at_youtubes_cap() -> None:
    big = DEMO_CHANNEL.model_copy(update={"generated": 50})
    catalogue = Catalogue(SandboxSpec(channels=(big,), playlist_cap=30))
    found = catalogue.playlist(f"UU{big.id[2:]}")
    assert found is not None
    assert len(found.videos) == 30


def test_every_obstacle_is_there_and_none_in_the_demo() -> None:
    assert not any(video.obstacle for video in DEMO_CHANNEL.videos)
    found = {video.obstacle for video in obstacles(datetime.now(UTC))}
    assert len(found) == 7


def test_an_id_that_youtube_would_not_give_is_refused() -> None:
    fields = DEMO_CHANNEL.videos[0].model_dump() | {"id": "short"}
    with pytest.raises(ValidationError):
        type(DEMO_CHANNEL.videos[0]).model_validate(fields)
