"""Code of the documentation runs; commands name tools and options that exist."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.datasets.motionshapes import CLASSES
from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.io.write_video import write_video
from flowzoo_kernels import RepresentationFlow

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "configs").rglob("*.md"),
]
MMACTION = Path(find_spec("mmaction").origin).parent / ".mim"
OF_MMACTION = ("tools/train.py", "tools/test.py")  # which hand their options on


def blocks(page: Path, language: str) -> list[str]:
    """What stands between fences, but for what a comment says is not run."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<!-- not run: .*? -->\n```.*?```", "", text, flags=re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with the files that the pages speak of."""
    clip = render_clip(CLASSES.index("right"), (0, 20), num_frames=24)
    for name in ("video.mp4", "clip.mp4"):
        write_video(tmp_path / name, clip.frames, rate=12)
    layer = RepresentationFlow(32, n_iters=10, variant="tvl1", normalize="legacy")
    torch.save(layer.state_dict(), tmp_path / "ours.pt")
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "_base_").symlink_to(ROOT / "configs" / "_base_")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name_of)
def test_python(page, folder):
    """The blocks of a page one after another, as a reader runs them."""
    names = {"__name__": "page"}
    for number, code in enumerate(blocks(page, "python")):
        if "_base_ =" in code:
            path = folder / f"block_{number}.py"
            path.write_text(code)
            Config.fromfile(path)
            continue
        found = {} if code.startswith("model = dict(") else names
        exec(compile(code, f"{page.name}, block {number}", "exec"), found)
        model = found.get("model")
        if isinstance(model, dict) and "type" in model:
            with DefaultScope.overwrite_default_scope("mmaction"):
                MODELS.build(model)


def commands(page: Path) -> list[list[str]]:
    """The arguments of each command that starts a file of the repository."""
    text = page.read_text(encoding="utf-8")
    inline = re.findall(r"`((?:python|bash|sh) [^`]+)`", text)
    lines = "\n".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    found = []
    for line in [*lines, *inline]:
        line = re.sub(r"\s+", " ", line)
        start = re.search(r"\b(?:python|bash|sh) ((?:tools|benchmarks|docs)/.*)", line)
        if start:
            found.append(shlex.split(start[1], comments=True))
    return found


def sources(arguments: list[str]) -> str:
    """The texts in which the options of a command are declared."""
    tool = ROOT / arguments[0]
    paths = [tool]
    if arguments[0] in OF_MMACTION:
        paths.append(MMACTION / arguments[0])
    if arguments[0] == "tools/mmaction_tool.py":
        paths.append(MMACTION / "tools" / arguments[1])
    if tool.suffix == ".sh":
        paths += [tool.with_suffix(".py"), *MMACTION.glob("tools/t*.py")]
    if tool.parent.name == "data":
        paths += (ROOT / "flowzoo/datasets/preparation").glob("*.py")
    return "\n".join(p.read_text(encoding="utf-8") for p in paths if p.is_file())


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=name_of)
def test_commands(page):
    for arguments in commands(page):
        shown = " ".join(arguments)
        assert (ROOT / arguments[0]).is_file(), shown
        declared = sources(arguments)
        for argument in arguments[1:]:
            if argument.startswith("--"):
                option = argument.partition("=")[0]
                assert f'"{option}"' in declared or f"'{option}'" in declared, shown
            elif re.fullmatch(r"configs/[\w/-]+\.py", argument) and not re.search(
                "NAME|DATASET", argument
            ):
                assert (ROOT / argument).is_file(), shown
