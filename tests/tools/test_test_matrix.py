import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "tools" / "test_matrix.sh"


def run(*arguments):
    return subprocess.run(
        ["bash", SCRIPT, *arguments], capture_output=True, text=True, check=False
    )


def test_goes_on_after_a_failure_and_notes_it(tmp_path):
    results = tmp_path / "results.md"
    for _ in range(2):
        done = run("--python", "9.8 9.9", "--torch", "2.7.*", "--results", results)
        assert done.returncode == 1
    heading, _, *rows = results.read_text().splitlines()
    assert heading.startswith("| date |")
    assert [row.split(" | ")[2:5] for row in rows] == 2 * [
        ["9.8", "2.7.*", "no python9.8 here"],
        ["9.9", "2.7.*", "no python9.9 here"],
    ]
    assert done.stdout.splitlines()[-2:] == rows[-2:]


def test_unknown_option_shows_the_usage():
    done = run("--pythons", "3.11")
    assert done.returncode == 2 and "usage: " in done.stderr
