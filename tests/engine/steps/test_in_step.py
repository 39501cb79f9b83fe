"""Library and knowledge base in step, over the stand-in for ODIN AI; each test has a project."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from engine.library.shelf import Entry, Library, written_at
from engine.odin import DocumentMetadata, OdinClient, document_name, sha256_of
from engine.odin.asking import ask
from engine.odin.models import Document
from engine.settings import Settings, load
from engine.steps.in_step import Mending, compare, mend, plan
from engine.steps.upload import skip, upload
from engine.steps.write import write
from engine.transcript import Segment, Transcript
from engine.video import Video
from sandbox import Sandbox, SandboxChannel, SandboxSpec
from sandbox.spec import OdinSpec

CHANNEL = SandboxChannel(id="UC" + "k" * 22, handle="@talks", title="Talks")
_projects = count()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    odin = OdinSpec(indexing_s=0.1, project_ids=tuple(f"project{n}" for n in range(40)))
    spec = SandboxSpec(channels=(CHANNEL,), odin=odin)
    with Sandbox(tmp_path_factory.mktemp("sandbox"), spec=spec) as running:
        yield running


class Shop:
    """A library of transcripts and an empty project."""

    def __init__(self, settings: Settings, client: OdinClient) -> None:
        self.settings, self.client, self.library = settings, client, Library(settings)

    def talk(
        self, video_id: str, said: str = "The harbour was quiet.", model: str = "base"
    ) -> Entry:
        """A transcribed video; the same one again is heard anew."""
        video = Video(
            video_id=video_id,
            published_at=datetime(2026, 1, 2, tzinfo=UTC),
            title=f"Müller über {video_id}",
            channel_id=CHANNEL.id,
            channel_title="Talks",
            webpage_url=f"https://www.youtube.com/watch?v={video_id}",
        )
        entry = self.library.place(video)
        segments = (
            Segment(start=0, end=4, text="Good morning."),
            Segment(start=75, end=80, text=said),
        )
        heard = Transcript(
            language="en", duration_s=90, model=model, preset="stabil", segments=segments
        )
        entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
        details = {"model": model, "preset": "stabil", "language": "en", "duration_s": 90.0}
        self.library.record(entry, "transcript", written_at("done", fingerprint=said, **details))
        write(self.library, entry)
        return entry

    def upload(self, entry: Entry) -> None:
        upload(self.library, entry, self.settings)

    def documents(self) -> list[Document]:
        return list(self.client.documents(recursive=True))

    def kinds(self) -> list[str]:
        found = compare(self.client, self.library, self.settings).findings
        return sorted(one.kind for one in found)

    def repaired(self, *, delete_left_over: bool = False) -> list[Mending]:
        comparison = compare(self.client, self.library, self.settings)
        planned = plan(comparison.findings, delete_left_over=delete_left_over)
        return list(mend(planned, comparison, self.client, self.library, self.settings))

    def send(self, file: Path, name: str, video_id: str | None, *, url: bool = True) -> None:
        """A document that no delivery of the library made."""
        metadata = DocumentMetadata(
            title="Talk",
            sha256=sha256_of(file),
            video_id=video_id,
            url="https://www.youtube.com/watch?v=x" if url else None,
            last_upload=datetime(2026, 1, 1, tzinfo=UTC).date(),
        )
        self.client.add_file(file, name, metadata, "/Talks")
        while any(one.status in ("queued", "syncing") for one in self.documents()):
            time.sleep(0.05)


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    odin = sandbox.spec.odin
    settings = load(
        odin_base_url=sandbox.url,
        odin_api_key=odin.key,
        odin_api_secret=odin.secret,
        odin_project_id=odin.project_ids[next(_projects)],
    )
    with OdinClient(settings) as client:
        yield Shop(settings, client)


def test_what_was_delivered_is_in_step(shop: Shop) -> None:
    shop.upload(shop.talk("aaaaaaaaaa1"))
    assert shop.kinds() == ["in step"]
    assert shop.repaired() == []


def test_a_transcript_that_was_kept_here_or_deleted_there_is_missing_and_uploaded(
    shop: Shop,
) -> None:
    kept, gone = shop.talk("aaaaaaaaaa1"), shop.talk("aaaaaaaaaa2")
    skip(shop.library, kept, "not asked for")
    shop.upload(gone)
    (document,) = shop.documents()
    shop.client.delete(document.name, document.key)
    assert shop.kinds() == ["missing", "missing"]
    assert [row.status for row in shop.repaired()] == ["done", "done"]
    assert shop.kinds() == ["in step", "in step"]
    assert shop.library.read(kept).steps["upload"].status == "done"


def test_a_preview_changes_nothing(shop: Shop) -> None:
    shop.talk("aaaaaaaaaa1")
    planned = plan(compare(shop.client, shop.library, shop.settings).findings)
    assert [(row.action, row.why, row.status) for row in planned] == [
        ("upload", "missing", "planned")
    ]
    assert shop.documents() == []


def test_a_better_models_transcript_replaces_the_document(shop: Shop) -> None:
    shop.upload(shop.talk("aaaaaaaaaa1", "The harbor was quite.", "base"))
    entry = shop.talk("aaaaaaaaaa1", "The harbour was quiet.", "large-v3")
    assert shop.kinds() == ["stale"]
    shop.upload(entry)
    (document,) = shop.documents()
    assert document.metadata["model"] == "large-v3"
    fetched = shop.client.fetch(document.name)
    assert fetched is not None and fetched.content == entry.text.read_text(encoding="utf-8")
    assert shop.kinds() == ["in step"]


def test_a_stale_one_is_replaced_by_repair(shop: Shop) -> None:
    shop.upload(shop.talk("aaaaaaaaaa1", "The harbor was quite."))
    shop.talk("aaaaaaaaaa1", "The harbour was quiet.")
    assert [(row.action, row.why, row.status) for row in shop.repaired()] == [
        ("upload", "stale", "done")
    ]
    assert len(shop.documents()) == 1
    assert shop.kinds() == ["in step"]


def test_what_could_not_be_indexed_is_sent_again(shop: Shop, sandbox: Sandbox) -> None:
    entry = shop.talk("aaaaaaaaaa1")
    sandbox.fault(route="/v3/project/knowledge/add/file", fate="failed")
    shop.send(entry.text, document_name(entry.stem), entry.video_id)
    assert shop.kinds() == ["failed"]
    assert [row.why for row in shop.repaired()] == ["failed"]
    assert shop.kinds() == ["in step"]


def test_of_doubles_one_stays(shop: Shop) -> None:
    entry = shop.talk("aaaaaaaaaa1")
    name = document_name(entry.stem)
    for _ in range(3):
        shop.send(entry.text, name, entry.video_id)
    assert shop.kinds() == ["doubled", "doubled", "in step"]
    assert [(row.action, row.status) for row in shop.repaired()] == [("delete", "done")] * 2
    assert shop.kinds() == ["in step"]


def test_a_document_under_an_old_name_goes_once_the_new_one_is_there(shop: Shop) -> None:
    entry = shop.talk("aaaaaaaaaa1")
    shop.send(entry.text, "2026-01-02_Old_title_aaaaaaaaaa1.txt", entry.video_id)
    assert shop.kinds() == ["stale"]
    rows = shop.repaired()
    assert [(row.action, row.why, row.status) for row in rows] == [
        ("upload", "stale", "done"),
        ("delete", "under an old name", "done"),
    ]
    (document,) = shop.documents()
    assert document.name == document_name(entry.stem)


def test_an_old_name_beside_the_new_one_is_a_double(shop: Shop) -> None:
    entry = shop.talk("aaaaaaaaaa1")
    shop.send(entry.text, "2026-01-02_Old_title_aaaaaaaaaa1.txt", entry.video_id)
    shop.upload(entry)
    assert shop.kinds() == ["doubled", "in step"]
    assert [row.status for row in shop.repaired()] == ["done"]
    assert [one.name for one in shop.documents()] == [document_name(entry.stem)]


def test_what_this_library_does_not_have_is_deleted_on_request_alone(
    shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("somebody else's words", encoding="utf-8")
    shop.send(file, "2026-01-02_Other_bbbbbbbbbb1.txt", "bbbbbbbbbb1")
    assert shop.kinds() == ["left over"]
    assert shop.repaired() == []
    assert [row.why for row in shop.repaired(delete_left_over=True)] == ["left over"]
    assert shop.documents() == []


def test_foreign_documents_are_never_touched(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("a report", encoding="utf-8")
    shop.send(file, "report.txt", None)
    shop.send(file, "beside-media_cccccccccc1.txt", "cccccccccc1", url=False)
    assert shop.kinds() == ["foreign", "foreign"]
    assert shop.repaired(delete_left_over=True) == []
    assert len(shop.documents()) == 2


def test_refused_credentials_stop_a_repair_at_once(shop: Shop, sandbox: Sandbox) -> None:
    shop.talk("aaaaaaaaaa1")
    shop.talk("aaaaaaaaaa2")
    comparison = compare(shop.client, shop.library, shop.settings)
    planned = plan(comparison.findings)
    viewer = load(
        **shop.settings.model_dump(include={"odin_base_url", "odin_project_id"}),
        odin_api_key=sandbox.spec.odin.viewer_key,
        odin_api_secret=sandbox.spec.odin.viewer_secret,
    )
    rows = list(mend(planned, comparison, shop.client, shop.library, viewer))
    assert [row.status for row in rows] == ["failed", "deferred"]
    assert "privileged key" in (rows[0].reason or "")
    first, second = (shop.library.read(entry).steps for entry in comparison.entries.values())
    assert (first["upload"].status, first["upload"].cause) == ("failed", "RefusedCredentials")
    assert "upload" not in second
    assert shop.documents() == []


def test_a_question_leads_to_video_and_moment(shop: Shop) -> None:
    entry = shop.talk("aaaaaaaaaa1", "The harbour was full of fishing boats.")
    shop.talk("aaaaaaaaaa2", "Nothing of the kind.")
    shop.repaired()
    first = ask(shop.client, shop.library, "fishing boats in the harbour", 3)[0]
    assert (first.video_id, first.start_s) == ("aaaaaaaaaa1", 75)
    assert first.link == "https://www.youtube.com/watch?v=aaaaaaaaaa1&t=75s"
    assert first.title == "Müller über aaaaaaaaaa1"
    assert first.text == "The harbour was full of fishing boats."
    assert first.transcript == entry.text
    assert ask(shop.client, shop.library, "unheard", 3) == []


def test_what_went_to_another_project_is_not_missed_in_this_one(
    shop: Shop, sandbox: Sandbox
) -> None:
    shop.upload(shop.talk("aaaaaaaaaa1"))
    other = shop.settings.model_copy(
        update={"odin_project_id": sandbox.spec.odin.project_ids[next(_projects)]}
    )
    with OdinClient(other) as client:
        assert compare(client, shop.library, other).findings == []
