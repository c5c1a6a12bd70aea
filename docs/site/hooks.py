"""What mkdocs calls to put the site together (``hooks`` in mkdocs.yml).

Pages lie in the site where they lie in the repository, and the files that they link to
go with them, so that a link is the same here and there.
"""

import html
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
PAGES = ("*.md", "docs/**/*.md", "configs/**/*.md", "benchmarks/**/*.md")
LINK = re.compile(r"\]\(([^)\s#]+)")
EQUATION = re.compile(r'<(div|span) class="arithmatex">(.*?)</\1>', re.DOTALL)


def linked_files(page: Path) -> set[Path]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = {(page.parent / link).resolve() for link in LINK.findall(text)}
    return {path for path in links if path.is_file()}


def on_files(files, config):
    pages = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    for path in sorted(pages.union(*map(linked_files, pages))):
        name = path.relative_to(ROOT).as_posix()
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown, page, **_):
    if page.file.src_uri != "model_zoo.md":
        return markdown
    page.meta["hide"] = ["navigation", "toc"]  # ten columns take the whole width
    style = ".md-grid { max-width: none; } td code { white-space: nowrap; }"
    return f"{one_table(markdown)}\n<style>{style}</style>\n"


def one_table(markdown: str) -> str:
    """The zoo's tables as one, with a column that says whose rows they were."""
    introduction, *families = re.split(r"^## (.+)\n", markdown, flags=re.MULTILINE)
    lines = []
    for family, text in zip(families[::2], families[1::2], strict=True):
        heading, rule, *rows = (line for line in text.splitlines() if line)
        lines = lines or [f"| family {heading}", f"| --- {rule}"]
        lines += [f"| {family} {row}" for row in rows]
    return introduction + "\n".join(lines) + "\n"


def on_page_content(content, **_):
    """Equations as MathML, which browsers show without scripts."""

    def mathml(match):
        latex = html.unescape(match[2]).strip()[2:-2]
        return convert(latex, display="block" if match[1] == "div" else "inline")

    return EQUATION.sub(mathml, content)
