import pytest

from flowzoo.progress import Progress


@pytest.mark.parametrize(("terminal", "times"), [(False, 2), (True, 100)])
def test_the_bar_is_seldom_drawn_in_a_log(terminal, times, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    for i in Progress(range(100)):
        Progress.write(f"line {i}")
    output, errors = capsys.readouterr()
    assert output.count("line") == 100
    drawn = errors.count("/100")
    assert drawn <= times if not terminal else drawn >= times
    assert "100/100" in errors
