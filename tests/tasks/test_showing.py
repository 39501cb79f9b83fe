"""What a run leaves on the dashboard, as text."""

from datetime import UTC, datetime

from engine.library.outcome import Outcome
from engine.library.shelf import Entry, Library, written_at
from engine.settings import Settings
from engine.steps.summary import Summary
from engine.steps.write import write
from engine.transcript import Segment, Transcript
from engine.video import Video
from tasks.report import sync_page
from tasks.showing import page_of, plain, run_name

VIDEO = Video(
    video_id="abc_DEF-123",
    published_at=datetime(2026, 1, 2, tzinfo=UTC),
    title="<b>[Boats]</b> & *more*",
    channel_id="UCx",
    channel_title="Talks",
)


def transcribed(library: Library, *segments: Segment) -> Entry:
    entry = library.place(VIDEO)
    heard = Transcript(
        language="en", duration_s=4000, model="base", preset="stabil", segments=segments
    )
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    details = {"language": "en", "model": "base", "duration_s": 4000.0}
    library.record(entry, "transcript", written_at("done", **details))
    write(library, entry)
    return entry


def test_a_run_is_called_after_channel_date_and_title() -> None:
    assert run_name(VIDEO) == "Talks · 2026-01-02 · <b>[Boats]</b> & *more*"


def test_the_page_of_a_transcript_shows_facts_first_lines_and_where_it_went(
    library: Library,
) -> None:
    said = [Segment(start=n, end=n + 1, text=f"Line {n}.") for n in range(0, 60, 2)]
    entry = transcribed(library, *said)
    library.record(entry, "upload", written_at("done", document_key="_p_key"))
    page = page_of(entry, library.read(entry))
    assert "https://www.youtube.com/watch?v=abc_DEF-123" in page.splitlines()[0]
    assert "- Length: 01:06:40" in page
    assert "- ODIN AI: `_p_key`" in page
    assert str(entry.text) in page
    assert page.count("\n> ") == 8
    assert "… and 22 lines more." in page


def test_words_from_the_net_are_no_markup(library: Library) -> None:
    entry = transcribed(library, Segment(start=0, end=1, text="<script>alert(1)</script>"))
    page = page_of(entry, library.read(entry))
    assert "<script>" not in page
    assert "<b>" not in page
    assert plain("a*b|c") == "a\\*b\\|c"


def test_a_transcript_that_stayed_here_says_why(library: Library) -> None:
    entry = transcribed(library)
    library.record(entry, "upload", written_at("skipped", cause="not asked for"))
    page = page_of(entry, library.read(entry))
    assert "not uploaded: not asked for" in page
    assert "Nobody speaks in it" in page


def test_a_sync_shows_failures_first_and_the_quota_of_each_key(
    settings: Settings, monkeypatch
) -> None:
    from engine.youtube.keys import standings

    monkeypatch.setenv("YT_API_KEYS", "secret-key-one")
    outcomes = [
        Outcome(video_id="a", title="Fine", status="done"),
        Outcome(video_id="b", title="Bad [one]", status="failed", reason="For members. Wait."),
    ]
    keys = standings(Settings())
    summary = Summary(found=2, new=2, done=1, failed=1, quota_units=3)
    page = sync_page("Talks", summary, outcomes, keys)
    assert page.index("## 1 failed") < page.index("## 1 done")
    assert "Bad \\[one\\]: For members. Wait." in page
    assert "3 units and 0 searches were spent" in page
    assert "10000 of 10000 units left until" in page
    assert "secret-key-one" not in page
