import pytest

from flowzoo.io import text as module
from flowzoo.io.text import read_lines, read_text

TEXT = "Große Übung.mp4 0\nb.mp4 1\n"


@pytest.fixture
def said(monkeypatch):
    found = []
    monkeypatch.setattr(module, "print_log", lambda text, **_: found.append(text))
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32",
        "utf-32-le", "utf-32-be",
    ],
)  # fmt: skip
def test_unicode(tmp_path, said, encoding, end):
    path = tmp_path / "list.txt"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    assert read_text(path) == TEXT
    assert read_lines(path) == [*TEXT.splitlines(), ""]
    assert said == []


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_encodings_are_read_with_a_warning(tmp_path, said, encoding):
    path = tmp_path / "list.txt"
    path.write_bytes(f"a.mp4 0\n{TEXT}".encode(encoding))
    assert read_text(path) == f"a.mp4 0\n{TEXT}"
    (message,) = said
    assert f"{path}, line 2 is not UTF-8" in message and "Windows-1252" in message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a 0\n\x81\x8d 1\n", "line 2 is neither UTF-8 nor Windows-1252"),
        (b"\xff\xfea\x00 \x00\x00", "line 1 is not UTF-16"),
        (b"first.mp4 0\nsec\0nd.mp4 1\n", "line 2 has a zero byte"),
        (bytes(50), "ends with zero bytes"),
        (b"first.mp4 0\n" + bytes(500), "ends with zero bytes"),
    ],
)
def test_what_cannot_be_read(tmp_path, data, message):
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_text(path)


def test_breaks_inside_a_name_are_none(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a\u2028b\x0bc 0\nd 1")
    assert read_lines(path) == ["a\u2028b\x0bc 0", "d 1"]


def test_files_that_were_joined_and_files_of_dos(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"a 0\r\n\xef\xbb\xbfb 1\r\n\x1a")
    assert read_text(path) == "a 0\nb 1\n"


def test_chinese_without_a_mark(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes("\u65e5\u672c\u8a9e\u4e00\u6620\u753b.mp4 0\n".encode("utf-16-le"))
    assert read_text(path).endswith(".mp4 0\n")
