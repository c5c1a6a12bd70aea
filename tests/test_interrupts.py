import re
from pathlib import Path

import pytest

from flowzoo.interrupts import run_tool


def test_ctrl_c_ends_with_a_word(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run_tool(main, "--resume continues")
    assert end.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted; --resume continues\n"


def test_other_errors_stay():
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 / 0)


def test_every_tool_with_a_model_is_run_so():
    tools = list((Path(__file__).parents[1] / "tools").rglob("*.py"))
    assert len(tools) > 20
    for tool in tools:
        if re.search("^(from|import) flowzoo", code := tool.read_text(), re.MULTILINE):
            assert "run_tool(" in code, tool
