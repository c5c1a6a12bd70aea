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
