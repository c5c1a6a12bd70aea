"""Lists and a config for videos of one's own."""

import pytest
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.datasets.preparation import PreparationError, prepare
from flowzoo.datasets.preparation.own_config import write_config


def both(lines, out):
    return lines(out / "train.txt"), lines(out / "val.txt")


def test_class_folders(tmp_path, clip, lines):
    root, out = tmp_path / "my clips", tmp_path / "out"
    for name in ("hop", "run fast"):
        for i in range(5):
            clip(root / name / "day 1" / f"{i}.mp4")
    clip(root / "loose.mp4")
    report = prepare("folder", root, out)
    train, val = both(lines, out)
    assert lines(out / "classes.txt") == ["hop", "run fast"]
    assert (len(train), len(val)) == (8, 2)
    assert sorted(line.split()[-1] for line in val) == ["0", "1"]
    assert sorted(train + val)[0] == "hop/day 1/0.mp4 0"
    assert len({*train, *val}) == 10
    assert report["notes"] == ["1 videos in no class folder, left out: loose.mp4"]
    prepare("folder", root, out, force=True)
    assert both(lines, out) == (train, val)
    prepare("folder", root, out, force=True, val_share=0.6)
    assert len(lines(out / "val.txt")) == 6


@pytest.mark.parametrize("name", ["val", "test"])
def test_a_split_that_is_there_is_kept(tmp_path, clip, lines, name):
    root, out = tmp_path / "root", tmp_path / "out"
    for part, count in (("train", 1), (name, 3)):
        for label in ("a", "b"):
            for i in range(count):
                clip(root / part / label / f"{i}.mp4")
    prepare("folder", root, out)
    train, val = both(lines, out)
    assert train == ["train/a/0.mp4 0", "train/b/0.mp4 1"]
    assert val[0] == f"{name}/a/0.mp4 0"
    assert len(val) == 6


def test_a_table_with_windows_keeps_a_video_in_one_list(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    for i in range(6):
        clip(root / f"{i}.mp4", frames=25)
    table = tmp_path / "table.csv"
    rows = [f"{i}.mp4,{label},{0.1 * j:.1f},{0.1 * j + 0.1:.1f}"
            for i in range(6) for j, label in enumerate(("10", "9"))]  # fmt: skip
    table.write_text("\n".join(rows))
    prepare("folder", root, out, table=table)
    train, val = both(lines, out)
    assert lines(out / "classes.txt") == ["9", "10"]
    assert len(train) + len(val) == 12
    assert {line.split()[0] for line in train}.isdisjoint(
        line.split()[0] for line in val
    )
    assert {line.split()[-1] for line in val} == {"0", "1"}
    assert "0.mp4 0.1 0.2 0" in train + val


def test_groups_do_not_leak(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    rows = ["group,path,label"]
    for i in range(12):
        clip(root / f"{i}.mp4")
        rows.append(f"actor {i // 3},{i}.mp4,{'ab'[i % 2]}")
    table = tmp_path / "table.csv"
    table.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).encode())
    prepare("folder", root, out, table=table, val_share=0.3)
    train, val = both(lines, out)
    groups = [{int(line.split(".")[0]) // 3 for line in part} for part in (train, val)]
    assert val and groups[0].isdisjoint(groups[1])


def test_headers_of_other_tables_and_line_breaks_in_cells(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    for i in range(6):
        clip(root / f"{i}.mp4")
    table = tmp_path / "table.csv"
    rows = [f'{i}.mp4,{"ab"[i % 2]},"two\nlines"' for i in range(6)]
    table.write_text("\n".join(["Filename,Class,Note", *rows]))
    prepare("folder", root, out, table=table)
    assert lines(out / "classes.txt") == ["a", "b"]
    train, val = both(lines, out)
    assert len(train) + len(val) == 6


def test_a_class_of_one_video_is_named(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    for name in ("a/1", "a/2", "b/1"):
        clip(root / f"{name}.mp4")
    report = prepare("folder", root, out)
    assert "no clip for validation of b" in report["notes"][0]
    assert "b/1.mp4 1" in lines(out / "train.txt")


def test_unreadable_videos_make_no_class_and_fill_no_list(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    for name in ("a/1", "a/2", "c/1", "c/2"):
        clip(root / f"{name}.mp4")
    for name in ("b/1", "b/2", *(f"c/{i}" for i in range(3, 9))):
        (root / f"{name}.mp4").parent.mkdir(exist_ok=True)
        (root / f"{name}.mp4").write_text(name)
    report = prepare("folder", root, out)
    train, val = both(lines, out)
    assert lines(out / "classes.txt") == ["a", "c"]
    for part in (train, val):
        assert [line.split()[-1] for line in part] == ["0", "1"]
    assert report["notes"] == ["left out, as no video of it can be read: b"]
    assert len(report["broken"]) == 8
    assert "num_classes=2" in write_config(out, "repflow_r18_weizmann").read_text()


def test_a_video_is_in_one_list_whatever_its_group(tmp_path, clip, lines):
    """Parts with other groups, or without, and copies of the file."""
    root, out = tmp_path / "root", tmp_path / "out"
    rows = ["path;label;start;end;group"]
    for i in range(8):
        clip(root / f"{i}.mp4", frames=25)
        (root / f"copy of {i}.mp4").write_bytes((root / f"{i}.mp4").read_bytes())
        rows += [
            f"{i}.mp4;{'aB'[i % 2]};0;0,4;one {i}",
            f"{i}.mp4;{'aB'[i % 2]};0,5;9;",
        ]
        rows += [f"copy of {i}.mp4;{'aB'[i % 2]};;;two {i}"]
    rows += ["0.mp4;b;0;0,4;one 0"]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    report = prepare("folder", root, out, table=table, val_share=0.5)
    parts = [{line.split(".mp4")[0][-1] for line in part} for part in both(lines, out)]
    assert all(parts) and parts[0].isdisjoint(parts[1])
    assert any("0.mp4 0 0.4 2" in part for part in both(lines, out))
    notes = "\n".join(report["notes"])
    assert "differ in capitals alone: B, b" in notes
    assert "8 windows end after their videos; are they in seconds? 0.mp4 0.5 9" in notes
    assert "8 videos are copies of others: 0.mp4 and copy of 0.mp4" in notes
    assert "1 clips are of several classes" in notes
    assert "count as one: two 0 and one 0" in notes


def test_full_paths_through_a_link(tmp_path, clip, lines):
    root, link = tmp_path / "root", tmp_path / "link"
    rows = [f"{clip(root / f'{i}.mp4')},{'ab'[i % 2]}" for i in range(4)]
    link.symlink_to(root)
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    report = prepare("folder", link, tmp_path / "out", table=table)
    assert report["videos"] == dict(found=4, missing=0, broken=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.mp4", r"table.csv, line 1: '1.mp4' should be path,label"),
        ("\n1.mp4,a,5,2", "line 2: the window from 5 to 2 s is none"),
        ("1.mp4,a,x,2", "line 1: start 'x' and end '2' should be seconds"),
        ("1.mp4,,0,2", "line 1: .* has no path, or no label"),
        ("1.mp4,a,0,2,g,h", "line 1: 6 cells"),
        ("1.mp4,a", "two classes or more, but there is a"),
        ("", "two classes or more, but there is none"),
        ("9.mp4,a\n8.mp4,b", r"none of the videos of .*table.csv.*relative to --root"),
        (
            "1.mp4,a\nbad.mp4,b",
            r"there is a with videos that can be read \(bad.mp4: un",
        ),
        ("1.mp4,a,0,.1\n1.mp4,b,.1,.2", "no video is left for validation"),
    ],
)
def test_faulty_tables(tmp_path, clip, text, message):
    clip(tmp_path / "root" / "1.mp4")
    (tmp_path / "root" / "bad.mp4").write_text("nothing")
    table = tmp_path / "table.csv"
    table.write_text(text)
    with pytest.raises(PreparationError, match=message):
        prepare("folder", tmp_path / "root", tmp_path / "out", table=table)


def test_missing_videos_are_named(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    clip(root / "x" / "1.mp4"), clip(root / "2.mp4"), clip(root / "3.mp4")
    table = tmp_path / "table.csv"
    table.write_text(f"x\\1.mp4,a\n{root / '2.mp4'},b\n3.mp4,b\ngone.mp4,a\n")
    report = prepare("folder", root, out, table=table)
    assert report["missing"] == ["gone.mp4"]
    train, val = both(lines, out)
    assert sorted(train + val) == ["2.mp4 1", "3.mp4 1", "x/1.mp4 0"]


def test_the_config_builds_and_reads(tmp_path, clip):
    root, out = tmp_path / "root", tmp_path / "mine"
    for name in ("a/1", "a/2", "b/1", "b/2", "c/1", "c/2"):
        clip(root / f"{name}.mp4", frames=40)
    prepare("folder", root, out)
    path = write_config(out, "repflow_r18_weizmann", weights="flowzoo://x")
    config = Config.fromfile(path)
    assert path == out / "mine.py"
    assert config.load_from == "flowzoo://x"
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model)
        for loader, length in (("train", 3), ("val", 3), ("test", 3)):
            dataset = DATASETS.build(config[f"{loader}_dataloader"].dataset)
            assert len(dataset) == length
            assert dataset[0]["inputs"].shape[-2:] == (80, 96)
    assert model.cls_head.fc_cls.out_features == 3


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("repflow_r18_weizman", "did you mean one of: repflow_r18_weizmann.py"),
        ("motionnet_ucf101", "does not learn classes from videos"),
        ("monet_i3d_kinetics", "does not learn classes from videos"),
        ("repflow_r18_motionshapes", "exchanges classes of its own dataset"),
    ],
)
def test_models_that_do_not_fit(tmp_path, model, message):
    with pytest.raises(PreparationError, match=message):
        write_config(tmp_path, model)


def test_weights_are_looked_for(tmp_path, monkeypatch):
    (tmp_path / "classes.txt").write_text("a\nb")
    with pytest.raises(PreparationError, match=r"--weights x\.pth: no such file"):
        write_config(tmp_path, "repflow_r18_weizmann", "x.pth")
    (tmp_path / "x.pth").touch()
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, "repflow_r18_weizmann", "x.pth")
    assert f"load_from = {str(tmp_path / 'x.pth')!r}" in config.read_text()
