"""The notebook runs from top to bottom; needs the extra ``notebook``."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).parents[2] / "examples" / "tour.ipynb"


def test_notebook_runs(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    printed = "".join(
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "stream"
    )
    assert float(re.search(r"end-point error: ([\d.]+)", printed)[1]) < 0.5
    assert re.search(r"clockwise +0\.9", printed)
    before, after = map(int, re.findall(r"(?:before|after): +(\d+)%", printed))
    assert after > before + 20
