"""Kinetics and Mini-Kinetics from miniatures of their official files."""

import json

import pytest
from helpers import miniatures
from helpers.prepared import dataset_of

from flowzoo.datasets.preparation import PreparationError, prepare

pytestmark = pytest.mark.usefixtures("data_folder")


def kinetics_rows(per_class=1):
    """Rows of 400 classes; the video's name begins with a dash, as some do."""
    return [
        (f"class number {i:03d}", f"-{i:03d}_{k}abcde", 10, 20)
        for i in range(400)
        for k in range(per_class)
    ]


def video_name(row):
    return f"{row[1]}_{row[2]:06d}_{row[3]:06d}"


def test_half_prepared_kinetics(tmp_path, clip, lines):
    root, out = tmp_path / "all my videos", tmp_path / "kinetics400"
    rows = kinetics_rows()
    for part in ("train", "validate"):
        miniatures.kinetics_csv(root / "annotations" / f"{part}.csv", rows[:400])
    miniatures.kinetics_csv(root / "annotations" / "test.csv", rows[:2], label=False)
    missing, truncated = rows[::10], rows[5::100]
    for row in rows:
        if row not in missing:
            path = root / "train" / row[0] / f"{video_name(row)}.mp4"
            clip(path, 60)
            if row in truncated:
                path.write_bytes(path.read_bytes()[:-400])
    (path.parent / "other.mp4").write_bytes(b"in no list, so not decoded")
    report = prepare("kinetics400", root, out, decode=True, jobs=1)
    assert report["videos"] == dict(found=360, missing=40, broken=4)
    assert sorted(report["missing"]) == sorted(map(video_name, missing))
    assert set(report["broken"]) == {
        f"train/{row[0]}/{video_name(row)}.mp4" for row in truncated
    }
    assert all(why.startswith("truncated: ") for why in report["broken"].values())
    kept = lines(out / "kinetics400_train_list_videos.txt")
    assert kept == [
        f"train/{row[0]}/{video_name(row)}.mp4 {label}"
        for label, row in enumerate(rows)
        if row not in missing and row not in truncated
    ]
    assert len(kept) == 356
    assert report["lists"]["kinetics400_val_list_videos.txt"]["broken"] == 4
    assert not (out / "kinetics400_test_list_videos.txt").exists()
    assert "test.csv has no labels" in str(report["notes"])
    dataset = dataset_of("repflow_r50_kinetics", "train")
    assert len(dataset) == 356
    assert dataset[3]["inputs"].shape == (1, 3, 32, 224, 224)


def test_kinetics_archives_and_replacements(tmp_path, clip, lines):
    files, root, out = (tmp_path / name for name in ("files", "root", "out"))
    rows = kinetics_rows()
    for part in ("train", "val", "test"):
        table = rows if part == "train" else rows[:3]
        miniatures.kinetics_csv(files / "csv" / "kinetics400" / f"{part}.csv", table)
        clip(files / part / f"{video_name(rows[0])}.mp4")
        miniatures.tar_folder(files / part, root / part / "part_0.tar.gz")
    miniatures.tar_folder(files / "csv", root / "kinetics400.tar.gz")
    name = "replacement_for_corrupted_k400"
    clip(files / "new" / name / f"{rows[1][1]}_000000_000010.mp4")
    miniatures.tar_folder(files / "new", root / f"{name}.tgz")
    prepare("kinetics400", root, out)
    file = f"{video_name(rows[0])}.mp4"
    replaced = f"{name}/{name}/{rows[1][1]}_000000_000010.mp4 1"
    for part in ("train", "val", "test"):
        found = lines(out / f"kinetics400_{part}_list_videos.txt")
        assert found == [f"{part}/part_0/{file} 0", replaced]
    (root / "train" / "part_0.tar.gz").write_bytes(b"broken")
    with pytest.raises(PreparationError, match=r"cannot unpack .*part_0\.tar\.gz"):
        prepare("kinetics400", root, tmp_path / "again")


def test_kinetics_clips_with_plain_seconds(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    rows = kinetics_rows()
    for part in ("train", "val", "test"):
        miniatures.kinetics_csv(root / f"{part}.csv", rows)
    clip(root / "train" / f"{rows[0][1]}_10_20.mp4")
    prepare("kinetics400", root, out)
    kept = lines(out / "kinetics400_train_list_videos.txt")
    assert kept == [f"train/{rows[0][1]}_10_20.mp4 0"]


def test_order_of_classes(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    rows = kinetics_rows()
    for part in ("train", "val", "test"):
        miniatures.kinetics_csv(root / f"{part}.csv", rows)
    clip(root / f"{video_name(rows[7])}.mp4")
    order = [row[0].replace(" ", "_") for row in rows[::-1]]
    classes = tmp_path / "classes.txt"
    classes.write_text("\n".join(order))
    prepare("kinetics400", root, out, class_list=classes)
    assert lines(out / "kinetics400_val_list_videos.txt") == [
        f"{video_name(rows[7])}.mp4 392"
    ]
    assert lines(out / "classes.txt")[392] == rows[7][0]
    classes.write_text("\n".join(order[:-1]))
    with pytest.raises(PreparationError, match=r"has 399 classes.*400 are needed"):
        prepare("kinetics400", root, tmp_path / "x", class_list=classes)
    miniatures.kinetics_csv(root / "train.csv", rows[1:])
    with pytest.raises(PreparationError, match="names 399 classes instead of 400"):
        prepare("kinetics400", root, tmp_path / "x")
    with pytest.raises(PreparationError, match="names 400 classes instead of 600"):
        miniatures.kinetics_csv(root / "train.csv", rows)
        prepare("kinetics600", root, tmp_path / "x")


def test_minikinetics(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    rows = kinetics_rows()
    for part in ("train", "val"):
        miniatures.kinetics_csv(root / f"{part}.csv", rows)
    for row in rows[:3]:
        clip(root / f"{video_name(row)}.mp4")
    classes = tmp_path / "classes.txt"
    classes.write_text("Class_Number_002\nclass number 000\n")
    report = prepare("minikinetics", root, out, class_list=classes)
    assert "the authors' lists of clips, were not found" in report["notes"][0]
    assert lines(out / "minikinetics_train_list_videos.txt") == [
        f"{video_name(rows[0])}.mp4 1",
        f"{video_name(rows[2])}.mp4 0",
    ]
    assert lines(out / "classes.txt") == ["class number 002", "class number 000"]
    classes.write_text("class number 002\nflying\n")
    with pytest.raises(PreparationError, match=r"no videos of 1 of the 2.*flying"):
        prepare("minikinetics", root, out, class_list=classes, force=True)
    with pytest.raises(PreparationError, match="give --classes FILE"):
        prepare("minikinetics", root, out, force=True)


def test_minikinetics_of_the_authors_lists(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "out"
    clip(root / "train" / "abc_efgh-jk_000004_000014.mp4")
    clip(root / "val" / "_bcdefghijk_130_140.webm")  # seconds without zeros
    classes = tmp_path / "classes.txt"
    classes.write_text("flying\nswimming\n")
    train = {"rgb_abc_efgh-jk_4_14.mp4": 1, "rgb_abc_efgh-jk_4_15.mp4": 0}
    (root / "minikinetics_train.json").write_text(json.dumps(train))
    with pytest.raises(PreparationError, match=r"no minikinetics_val\.json"):
        prepare("minikinetics", root, out, class_list=classes)
    (root / "minikinetics_val.json").write_text('{"rgb__bcdefghijk_130_140.mp4": 0}')
    report = prepare("minikinetics", root, out, class_list=classes)
    assert lines(out / "minikinetics_train_list_videos.txt") == [
        "train/abc_efgh-jk_000004_000014.mp4 1"
    ]
    assert lines(out / "minikinetics_val_list_videos.txt") == [
        "val/_bcdefghijk_130_140.webm 0"
    ]
    assert lines(out / "classes.txt") == ["flying", "swimming"]
    assert report["missing"] == ["abc_efgh-jk_000004_000015"]
    assert "2 samples, 86365 are published" in report["notes"][0]
    labels = [f'{{"rgb_abc_efgh-jk_4_14.mp4": {n}}}' for n in ("2", "-1", "true")]
    for text in (*labels, '{"other.mp4": 0}', "[1]", "{"):
        (root / "minikinetics_val.json").write_text(text)
        with pytest.raises(PreparationError, match=r"is not the authors' mini"):
            prepare("minikinetics", root, out, class_list=classes, force=True)
