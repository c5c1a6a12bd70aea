"""Links between the pages, and the map of the configs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "configs").rglob("*.md"),
    *(ROOT / "benchmarks").glob("*.md"),
]


def anchors(page):
    """The names by which GitHub links to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_the_map_of_configs_is_complete():
    configs = ROOT / "configs"
    text = (configs / "README.md").read_text()
    assert {path.stem for path in configs.glob("*.py")} <= set(
        re.findall(r"`(\w+)`", text)
    )
    for folder in configs.iterdir():
        if folder.is_dir() and folder.name != "_base_":
            assert f"({folder.name}/README.md)" in text
            assert (folder / "README.md").is_file()
            assert (folder / "metafile.yml").is_file()
