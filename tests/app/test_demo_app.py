"""The web page without a browser: needs the extra ``app``."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from flowzoo.app.page import make_page

TOOL = Path(__file__).parents[2] / "tools" / "demo_app.py"


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def upload(address: str, name: str, content: str) -> None:
    body = (
        f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"'
        f"\r\n\r\n{content}\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    url = f"{address}gradio_api/upload"
    urllib.request.urlopen(urllib.request.Request(url, body.encode(), kind)).close()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_one_line_and_leaves_no_uploads(end, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    app = subprocess.Popen(
        [sys.executable, TOOL, "--port", free_port()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
    )
    try:
        line = app.stdout.readline()
        address = next(w for w in line.split() if w.startswith("http://127.0.0.1:"))
        upload(address, "clip.mp4", "secret")
        assert list(temporary.rglob("clip.mp4"))
        app.send_signal(end)
        output, errors = app.communicate(timeout=60)
    finally:
        app.kill()
    assert (output, errors) == ("", "\ninterrupted\n")
    assert list(temporary.iterdir()) == []


def test_a_new_clip_or_model_clears_what_the_page_shows_of_the_former():
    page = make_page()
    (clear,) = (f for f in page.fns.values() if f.name == "clear")
    names = {page.blocks[number].label for number, _ in clear.targets}
    assert names == {"Clip", "Model"} and not any(clear.fn())
    (run,) = (f for f in page.fns.values() if f.name == "run")
    shown = [block for block in run.outputs if not hasattr(block, "choices")]
    assert {b for b in shown if b.get_block_name() != "slider"} == set(clear.outputs)
