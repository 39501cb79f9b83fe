"""Every tab of the console, as a person walks through it: on a desk and on a telephone.

With TONSPUR_SCREENSHOTS set to a folder, pictures are left there.
"""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library.local import file_id
from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.settings import Settings, load
from engine.transcript import Transcript
from sandbox.life import Sandbox
from sandbox.voice import speak
from tests.console.conftest import CHROMIUM

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("streamlit", reason="Streamlit is not installed")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]

SIZES = {"desk": (1280, 900), "telephone": (390, 844)}
PATIENCE_MS = 120_000
UPLOAD = "/v3/project/knowledge/add/file"
TEXT = {
    "desk": "The harbour was quiet that morning. Two boats came in with fish. "
    "An old man mended his nets and told us about the storm of last winter.",
    "telephone": "The bakery opens at six. Fresh bread is on the shelf by seven. "
    "My neighbour always buys two loaves and a small cake.",
}


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The console's."""
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return load(library_dir=home / "library", state_dir=home / "state")


@pytest.fixture
def page(console: str, size: str) -> Iterator["playwright.Page"]:
    width, height = SIZES[size]
    with playwright.sync_playwright() as started:
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=[*as_root, "--autoplay-policy=no-user-gesture-required"],
        )
        opened = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        opened.set_default_timeout(30_000)
        opened.goto(console)
        opened.get_by_role("tab", name="Channels").wait_for()
        yield opened
        browser.close()


class Walk:
    """One person on the page."""

    def __init__(self, page: "playwright.Page", size: str) -> None:
        self.page, self.size = page, size

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def press(self, name: str | re.Pattern[str]) -> None:
        exact = isinstance(name, str)
        self.page.get_by_role("button", name=name, exact=exact).first.click()

    def fill(self, label: str, text: str) -> None:
        box = self.page.get_by_role("textbox", name=label)
        box.fill(text)
        box.press("Tab")

    def see(self, text: str | re.Pattern[str]) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)

    def drag_in(self, file: Path, mime: str) -> None:
        """Drop a file on the open tab, as a hand would."""
        content = base64.b64encode(file.read_bytes()).decode()
        carried = self.page.evaluate_handle(
            """([content, name, type]) => {
                const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
                const carried = new DataTransfer();
                carried.items.add(new File([bytes], name, { type }));
                return carried;
            }""",
            [content, file.name, mime],
        )
        zone = self.page.get_by_test_id("stFileUploaderDropzone").locator("visible=true").first
        for event in ("dragenter", "dragover", "drop"):
            zone.dispatch_event(event, {"dataTransfer": carried})
        self.page.get_by_test_id("stFileChipName").locator("visible=true").first.wait_for()

    def shot(self, name: str) -> None:
        """A picture for the documentation; nothing sticks out of the page on either screen."""
        wide = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        assert self.page.evaluate(wide) <= 0, f"{name} scrolls sideways"
        if folder := os.environ.get("TONSPUR_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"console-{name}-{self.size}.png")


@pytest.fixture
def walk(page: "playwright.Page", size: str) -> Walk:
    return Walk(page, size)


def test_a_file_dragged_in_is_read_searched_and_downloaded(
    walk: Walk, settings: Settings, tmp_path: Path
) -> None:
    recording = tmp_path / f"{walk.size} talk.mp3"
    speak(TEXT[walk.size], "en", recording)
    walk.tab("Transcribe")
    walk.drag_in(recording, "audio/mpeg")
    walk.press("Transcribe files")
    walk.see(f"{walk.size} talk.mp3")
    reading = walk.page.get_by_role("button", name=f"Read {walk.size} talk.mp3")
    reading.wait_for(timeout=PATIENCE_MS)
    walk.shot("transcribe")
    reading.click()

    lines = walk.page.locator("ol li button")
    lines.first.wait_for()
    walk.shot("reader")
    library = Library(settings)
    entry = library.find(file_id(recording)[0])
    assert entry is not None
    heard = Transcript.model_validate_json(entry.transcript.read_bytes())
    assert [text.split("\n")[-1] for text in lines.all_inner_texts()] == [
        segment.text for segment in heard.segments
    ]
    lines.last.click()
    at = "document.querySelector('audio').currentTime"
    walk.page.wait_for_function(f"{at} >= {heard.segments[-1].start - 0.1}")

    for name, file in {
        "TXT": entry.text,
        "SRT": entry.file(".srt"),
        "VTT": entry.file(".vtt"),
        "JSON": entry.transcript,
    }.items():
        with walk.page.expect_download() as download:
            walk.press(name)
        assert download.value.suggested_filename == file.name
        assert Path(download.value.path()).read_bytes() == file.read_bytes()

    word = {"desk": "storm", "telephone": "bakery"}[walk.size]
    walk.press("← Library")
    walk.fill("Where was it said?", word)
    walk.press(re.compile("^Read at"))
    walk.page.locator("ol li button[aria-current]").filter(has_text=word).wait_for()
    with OdinClient(settings) as odin:
        sent = [one for one in odin.documents(recursive=True) if one.video_id == entry.video_id]
    assert [one.status for one in sent] == ["synced"]


def test_a_channel_is_previewed_with_its_cost_and_synced(
    walk: Walk, sandbox: Sandbox, settings: Settings
) -> None:
    library, number = Library(settings), list(SIZES).index(walk.size)
    before = len(list(library.entries()))
    walk.fill("Channel", sandbox.handle)
    walk.page.get_by_text("the newest", exact=True).click()
    box = walk.page.get_by_role("spinbutton", name="How many of the newest")
    box.fill(str(number + 1))
    box.press("Tab")
    walk.press("Preview")
    walk.see("quota units")
    walk.see(re.compile(r"^The sync would fetch and transcribe"))
    walk.shot("channels")
    walk.press("Start sync")
    done = walk.page.get_by_text("Completed").or_(walk.page.get_by_text("Finished"))
    done.first.wait_for(timeout=PATIENCE_MS)
    assert len(list(library.entries())) == before + 1


def test_a_failed_video_is_explained_and_tried_again(
    walk: Walk, sandbox: Sandbox, settings: Settings
) -> None:
    video = sandbox.spec.channels[0].videos[-1]
    if walk.size == "telephone":
        pytest.skip("there is one video to fail, and the desk has it")
    sandbox.fault(route=UPLOAD, status=422, body={"detail": "not today"}, times=None)
    walk.tab("Transcribe")
    walk.fill("Videos", f"https://youtu.be/{video.id}")
    walk.press("Transcribe videos")
    walk.see("Permanent: refused document")
    sandbox.drop_faults()
    walk.tab("Library")
    walk.see("Failures: 1")
    walk.shot("failures")
    walk.press("Retry")
    walk.see("1 tried again")
    library = Library(settings)
    entry = library.find(video.id)
    assert entry is not None
    walk.page.wait_for_timeout(1000)
    for _ in range(60):
        if library.read(entry).steps["upload"].status == "done":
            break
        walk.page.wait_for_timeout(1000)
    assert library.read(entry).steps["upload"].status == "done"


def test_the_knowledge_base_is_listed_compared_and_fed(
    walk: Walk, settings: Settings, tmp_path: Path
) -> None:
    document = tmp_path / f"notes of the {walk.size}.md"
    document.write_text("# Notes\n\nThe harbour needs paint.\n", encoding="utf-8")
    walk.tab("Knowledge base")
    walk.drag_in(document, "text/markdown")
    walk.press("Upload")
    walk.see(re.compile(r"· done"))
    walk.press("List documents")
    walk.see(re.compile(r"^\d+ documents: \d+ synced$"))
    walk.press("Compare")
    walk.see(re.compile(r"foreign"))
    walk.press("Show what a repair would do")
    walk.see("Nothing has to be mended.")
    walk.shot("knowledge-base")
    with OdinClient(settings) as odin:
        names = [one.name for one in odin.documents(recursive=True)]
    assert [name for name in names if re.match(f"notes.of.the.{walk.size}-", name)], names


def test_the_sidebar_tells_how_the_machine_is(walk: Walk) -> None:
    if walk.size == "telephone":
        walk.page.get_by_test_id("stExpandSidebarButton").click()
    walk.see(re.compile("^GPU: "))
    walk.see(re.compile(r"^[0-9a-f]{12}: \d+ of 10000$"))
    walk.page.get_by_label("Project").first.wait_for()
