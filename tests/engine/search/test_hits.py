"""A hit leads to the video and the second."""

from engine.library.shelf import Library
from engine.search import search
from engine.settings import Settings
from tests.engine.search.conftest import Say

FILLER = tuple(f"Nothing of interest number {n}." for n in range(20))


def test_a_hit_names_video_second_and_link(settings: Settings, say: Say) -> None:
    entry = say(*FILLER[:7], "The harbour was quiet.", *FILLER[7:], title="Boats & nets")
    (hit,) = search(settings, "harbour")
    assert (hit.video_id, hit.title, hit.channel) == ("aaaaaaaaaa1", "Boats & nets", "Talks")
    assert hit.start_s == 42.0
    assert hit.link == "https://www.youtube.com/watch?v=aaaaaaaaaa1&t=42s"
    assert hit.text.startswith("The harbour was quiet. Nothing")
    assert hit.transcript == entry.text


def test_a_phrase_is_found_across_two_segments_and_two_passages(
    settings: Settings, say: Say
) -> None:
    say("a", "b", "c", "d", "the very last word", "of the first passage", "e")
    (hit,) = search(settings, '"last word of the first"')
    assert hit.start_s == 24.0


def test_words_must_stand_together_in_one_passage(settings: Settings, say: Say) -> None:
    say("harbour", *FILLER, "lighthouse")
    assert search(settings, "harbour lighthouse") == []
    assert len(search(settings, "harbour")) == 1


def test_a_video_has_three_hits_at_most(settings: Settings, say: Say) -> None:
    say(*[line for n in range(8) for line in (f"boats {n}", *FILLER[:9])])
    say("boats once", id="aaaaaaaaaa2", title="Another")
    hits = search(settings, "boats")
    assert sorted(hit.video_id for hit in hits) == ["aaaaaaaaaa1"] * 3 + ["aaaaaaaaaa2"]
    assert len({hit.start_s for hit in hits if hit.video_id == "aaaaaaaaaa1"}) == 3
    assert len(search(settings, "boats", limit=2)) == 2


def test_a_channel_narrows_it(settings: Settings, say: Say) -> None:
    say("boats", id="aaaaaaaaaa1", channel="Harbour talks")
    say("boats", id="aaaaaaaaaa2", channel="Kitchen")
    assert [hit.video_id for hit in search(settings, "boats", channel="@kitchen")] == [
        "aaaaaaaaaa2"
    ]


def test_a_local_recording_has_no_link(settings: Settings, say: Say) -> None:
    say("boats", channel=None)
    (hit,) = search(settings, "boats")
    assert (hit.link, hit.published, hit.channel) == (None, None, None)


def test_a_renamed_title_is_shown_at_once(settings: Settings, say: Say, library: Library) -> None:
    entry = say("boats", title="Old")
    assert search(settings, "boats")[0].title == "Old"
    library.change(
        entry,
        lambda old: old.model_copy(update={"video": old.video.model_copy(update={"title": "New"})}),
    )
    assert search(settings, "boats")[0].title == "New"


def test_a_transcript_without_its_sidecar_is_no_hit(settings: Settings, say: Say) -> None:
    entry = say("boats")
    entry.sidecar.unlink()
    assert search(settings, "boats") == []
