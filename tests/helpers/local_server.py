"""A local server that misbehaves on demand, and a zoo of one model on it."""

import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from flowzoo.io.checkpoint_io import write_checkpoint
from flowzoo.zoo import Checkpoint, Model, download, index

NAME = "tiny"
FILE = "tiny.safetensors"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.headers.get("Range"))
        trouble = server.troubles.pop(0) if server.troubles else None
        if isinstance(trouble, int):
            self.send_error(trouble)
            return
        body, start = server.content, 0
        if trouble == "other file":
            body = bytes(len(body))
        if trouble == "longer":
            body = body + b"more"
        if trouble == "other page":
            body = b"<html>log in first</html>"
        ranged = self.headers.get("Range") if trouble != "no ranges" else None
        if ranged:
            start = int(ranged.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if ranged else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body)
        if trouble == "cut":
            end = start + (len(body) - start) // 2
        self.wfile.write(body[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def checkpoint(tmp_path):
    """Path of a file in the zoo's format."""
    path = tmp_path / "origin" / FILE
    path.parent.mkdir()
    weights = {"weight": torch.arange(30000.0), "bias": torch.tensor(3)}
    write_checkpoint(path, weights, {"classes": ["a", "b"]})
    return path


@pytest.fixture
def server(checkpoint, tmp_path, monkeypatch):
    """The zoo's only weights lie on this server; ``troubles`` befall it in turn."""
    content = checkpoint.read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.troubles, server.requests = content, [], []
    server.url = f"http://127.0.0.1:{server.server_port}/files"
    digest = hashlib.sha256(content).hexdigest()
    rows = {
        NAME: Model(
            name=NAME,
            config="tiny.py",
            family="Tiny",
            parameters=30001,
            checkpoint=Checkpoint(FILE, len(content), digest),
        ),
        "untrained": Model("untrained", "untrained.py", "Tiny", 1),
    }
    monkeypatch.setattr(index, "models", lambda: rows)
    module = sys.modules[download.__module__]
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))
    monkeypatch.setattr(module, "REPOSITORY", tmp_path / "no_clone")
    monkeypatch.setenv("FLOWZOO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FLOWZOO_ZOO_URL", server.url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
