import runpy
from pathlib import Path

import torch

EXAMPLE = Path(__file__).parents[2] / "examples" / "tinymotionnet.py"


def test_example_runs(capsys):
    torch.manual_seed(0)
    names = runpy.run_path(str(EXAMPLE))
    assert names["flow"].shape == (2, 10, 2, 32, 32)
    losses = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 3 and losses[-1] < losses[0]
