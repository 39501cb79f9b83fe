"""The dashboard in a real Chromium: start a video, see it end, see one fail, and retry it.

With TONSPUR_SCREENSHOTS set to a folder, pictures of the four moments are left there.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from deployments.station import Station
from engine.library.shelf import Library
from engine.odin.client import OdinClient
from engine.settings import Settings
from sandbox.life import Sandbox
from sandbox.spec import SandboxVideo

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]

PATIENCE_MS = 90_000
UPLOAD = "/v3/project/knowledge/add/file"


@pytest.fixture
def page(station: Station) -> Iterator["playwright.Page"]:
    """A page of the dashboard."""
    with playwright.sync_playwright() as started:
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = started.chromium.launch(executable_path=CHROMIUM, args=as_root)
        opened = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="light")
        opened.set_default_timeout(30_000)
        yield opened
        browser.close()


def shot(page: "playwright.Page", name: str) -> None:
    if folder := os.environ.get("TONSPUR_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def open_form(page: "playwright.Page", station: Station, deployment: str) -> None:
    page.goto(f"{station.dashboard}/deployments")
    page.get_by_text(deployment, exact=True).first.click()
    page.wait_for_url("**/deployments/deployment/**")
    page.get_by_role("button", name="Run", exact=True).last.click()
    page.get_by_text("Custom run").click()
    page.wait_for_url("**/run?**")
    page.get_by_text("Address or 11-character id of the video.").wait_for()


def start(page: "playwright.Page", station: Station, video: SandboxVideo, preset: str) -> None:
    """Fill in the form, and open the page of the run that it makes."""
    open_form(page, station, "process-video")
    page.locator("textarea").first.fill(video.id)
    page.locator(".p-select-button__control").first.press(" ")
    assert page.get_by_role("option").all_inner_texts()[:4] == [
        "stabil", "optimiert", "schnell", "max-schnell",
    ]  # fmt: skip
    shot(page, "form")
    page.get_by_role("option", name=preset, exact=True).click()
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/deployments/deployment/*?**")
    # not by a list: the deployment's leaves out states with names of ours, and *Runs* what begins
    # in the second in which it is opened
    page.goto(f"{station.dashboard}/runs/flow-run/{run_of(video)}")


def run_of(video: SandboxVideo) -> UUID:
    """The run that was just asked for."""
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while True:
            for run in client.read_flow_runs():
                if run.parameters.get("video") == video.id:
                    return run.id
            assert time.monotonic() < deadline
            time.sleep(0.3)


def state(page: "playwright.Page", name: str) -> None:
    """Wait until the badge of the run says so."""
    page.locator(".state-badge").filter(has_text=name).first.wait_for(timeout=PATIENCE_MS)


def test_a_video_is_started_from_the_form_and_seen_to_its_end(
    page: "playwright.Page",
    station: Station,
    new_video: Callable[[], SandboxVideo],
    library: Library,
    settings: Settings,
) -> None:
    video = new_video()
    start(page, station, video, "schnell")
    state(page, "Completed")
    page.get_by_text(video.title).first.wait_for()
    page.get_by_text("schnell", exact=True).first.wait_for()
    page.get_by_text("Artifacts", exact=True).first.click()
    page.get_by_text(f"Transcript of {video.title}").first.wait_for()
    shot(page, "completed")
    entry = library.find(video.id)
    assert entry is not None
    assert library.read(entry).steps["transcript"].detail("preset") == "schnell"
    with OdinClient(settings) as odin:
        mine = [one for one in odin.documents(recursive=True) if one.video_id == video.id]
    assert [one.status for one in mine] == ["synced"]


def test_retry_in_the_dashboard_goes_on_at_the_step_that_failed(
    page: "playwright.Page",
    station: Station,
    sandbox: Sandbox,
    new_video: Callable[[], SandboxVideo],
    library: Library,
) -> None:
    from prefect.client.orchestration import get_client

    video = new_video()
    sandbox.fault(route=UPLOAD, status=422, body={"detail": "not today"}, times=None)
    start(page, station, video, "optimiert")
    state(page, "Permanent: refused document")
    shot(page, "failed")
    sandbox.drop_faults()
    media, run_id = sandbox.counts().media_bytes, run_of(video)
    page.goto(f"{station.dashboard}/runs")
    page.locator(f"a[href*='{run_id}']").first.click()
    state(page, "Permanent: refused document")
    page.get_by_role("button", name="Retry").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    state(page, "Completed")
    shot(page, "retried")
    entry = library.find(video.id)
    assert entry is not None
    assert library.read(entry).steps["upload"].status == "done"
    assert sandbox.counts().media_bytes == media, "it was not fetched again"
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run_id).run_count == 2
