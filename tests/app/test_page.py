"""The web page in a browser: needs the extra ``app``, Playwright and Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("gradio")
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)

from flowzoo.datasets.motionshapes import CLASSES  # noqa: E402
from flowzoo.datasets.motionshapes.clip import render_clip  # noqa: E402
from flowzoo.io.write_video import write_video  # noqa: E402

ROOT = Path(__file__).parents[2]
SEED = (0, 20)  # of a clip
PATIENCE = 60_000  # milliseconds; other processes may keep the cores busy


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    log = tmp_path_factory.mktemp("app") / "log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-u", ROOT / "tools" / "demo_app.py", "--port", port]
    with log.open("w") as output:
        app = subprocess.Popen(
            list(map(str, command)),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    try:
        end = time.monotonic() + PATIENCE / 1000
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert app.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield found.group()
    finally:
        app.terminate()
        app.wait(30)


@pytest.fixture
def page(address):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=dict(width=1200, height=1500))
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.get_by_role("button", name="Analyze").wait_for()
        yield page
        browser.close()


def upload(page, path):
    page.locator("input[type=file]").first.set_input_files(path)
    page.locator("video").first.wait_for(state="attached")


def analyze(page):
    page.get_by_role("button", name="Analyze").click()


def test_from_clip_to_flow(page, tmp_path):
    clip = render_clip(CLASSES.index("clockwise"), SEED, num_frames=24)
    write_video(tmp_path / "clip.mp4", clip.frames, rate=12)
    upload(page, tmp_path / "clip.mp4")
    analyze(page)
    image = page.locator("#sheet img")
    image.wait_for()
    assert page.get_by_test_id("label-output-value").inner_text() == "clockwise"
    page.get_by_text("theta").first.wait_for()
    if folder := os.environ.get("FLOWZOO_SCREENSHOTS"):
        page.wait_for_timeout(2000)
        page.screenshot(path=Path(folder) / "demo_app.png", full_page=True)
    before = image.get_attribute("src")
    iterations = page.get_by_label("number input for Iterations")
    assert iterations.input_value() == "20"
    iterations.fill("1")
    iterations.press("Enter")
    page.wait_for_function(
        "old => document.querySelector('#sheet img')?.src !== old", arg=before
    )


def test_bad_input_is_answered_in_the_page(page, tmp_path):
    analyze(page)
    page.get_by_text("Choose or record a video first").wait_for()
    (tmp_path / "broken.mp4").write_text("nothing")
    upload(page, tmp_path / "broken.mp4")
    analyze(page)
    page.get_by_text(re.compile(r"broken\.mp4.*(not a video|Invalid)")).wait_for()
