"""Each dataset from miniatures of its official files."""

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from helpers import miniatures
from mmaction.registry import DATASETS as MMACTION_DATASETS
from mmengine.config import Config

from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation import PreparationError, prepare
from flowzoo.datasets.preparation.archives import unpack


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """The configs read what is in folders below, by the dataset's name."""
    monkeypatch.setenv("FLOWZOO_DATA", str(tmp_path))


def dataset_of(config, loader):
    """The dataset of a loader in a config."""
    config = Config.fromfile(find_config(f"{config}.py"))
    return MMACTION_DATASETS.build(config[f"{loader}_dataloader"].dataset)


UCF = [
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi",
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g09_c01.avi",
    "HandstandPushups/v_HandStandPushups_g01_c01.avi",
    "HandstandPushups/v_HandStandPushups_g02_c01.avi",
]


def ucf101_folder(root, clip, videos=UCF):
    for video in videos:
        clip(root / "UCF-101" / video)
    miniatures.ucf101_splits(root, UCF)


def test_ucf101(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "ucf101"
    ucf101_folder(root, clip, UCF[:3])
    (root / "UCF-101" / UCF[3]).symlink_to("nowhere.avi")
    report = prepare("ucf101", root, out)
    assert lines(out / "classes.txt") == miniatures.UCF_CLASSES
    assert lines(out / "ucf101_train_split_1_videos.txt") == [
        f"UCF-101/{UCF[1]} 0",
        f"UCF-101/{UCF[2]} 1",
    ]
    assert lines(out / "ucf101_val_split_1_videos.txt") == [f"UCF-101/{UCF[0]} 0"]
    assert len(list(out.glob("ucf101_*_split_?_videos.txt"))) == 6
    assert report["missing"] == [UCF[3]]
    assert not report["decoded"]
    counts = report["lists"]["ucf101_val_split_1_videos.txt"]
    assert counts["expected"] == 2 and counts["missing"] == 1
    assert counts["classes"]["HandstandPushups"]["missing"] == 1
    assert "the official files have 2 samples, 9537 are published" in str(report)
    text = (out / "report.txt").read_text()
    assert "3 videos found, not decoded" in text
    assert "no video left of 1 classes:\n  HandstandPushups" in text
    assert json.loads((out / "report.json").read_text()) == report

    dataset = dataset_of("hidden2s_vgg16_ucf101", "train")
    assert len(dataset) == 2
    assert dataset[0]["inputs"].shape == (1, 3, 11, 224, 224)


def test_archives_are_unpacked_once(tmp_path, clip, lines, monkeypatch):
    files, root, out = (tmp_path / name for name in ("files", "root", "ucf101"))
    ucf101_folder(files / "videos", clip)
    shutil.move(files / "videos" / "ucfTrainTestlist", files / "splits" / "x")
    miniatures.fake_rar(files / "videos", root / "UCF101.rar")
    splits = root / "UCF101TrainTestSplits-RecognitionTask.zip"
    miniatures.zip_folder(files / "splits", splits)
    miniatures.fake_unrar(tmp_path / "bin")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PreparationError, match=r"no program to unpack .*UCF101\.rar"):
        prepare("ucf101", root, out)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    prepare("ucf101", root, out)
    first = f"UCF101/UCF-101/{UCF[0]}"
    assert lines(out / "ucf101_val_split_1_videos.txt")[0] == f"{first} 0"
    (root / "UCF101.rar").write_bytes(b"not read again")
    assert prepare("ucf101", root, out, force=True)["videos"]["found"] == 4
    shutil.rmtree(out)
    with pytest.raises(PreparationError, match=r"unrar cannot unpack .*UCF101\.rar"):
        prepare("ucf101", root, out)
    assert not (out / "videos" / "UCF101").exists()


@pytest.mark.parametrize("program", ["unrar", "unar", "bsdtar"])
def test_rar_programs(tmp_path, clip, lines, monkeypatch, program):
    found = shutil.which(program)
    if not found:
        pytest.skip(f"no {program}")
    files, root, out = (tmp_path / name for name in ("files", "root", "ucf101"))
    miniatures.ucf101_splits(root, UCF)
    clip(files / "UCF-101" / UCF[0])
    miniatures.real_rar(files, root / "UCF101.rar")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / program).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    prepare("ucf101", root, out)
    unpacked = out / "videos" / "UCF101" / "UCF-101" / UCF[0]
    assert unpacked.read_bytes() == (files / "UCF-101" / UCF[0]).read_bytes()
    archive = root / "UCF101.rar"
    archive.write_bytes(archive.read_bytes()[:500])
    shutil.rmtree(out)
    with pytest.raises(PreparationError, match=rf"{program} cannot unpack .*\.rar"):
        prepare("ucf101", root, out)


def test_hmdb51_with_an_archive_in_an_archive(tmp_path, clip, lines, monkeypatch):
    files, root, out = (tmp_path / name for name in ("files", "root", "hmdb51"))
    odd = "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi"
    names = [odd, "A;B&C_clap_1.avi", "unused_clap.avi"]
    for name in names:
        clip(files / "clap" / "clap" / name)
    miniatures.fake_rar(files / "clap", files / "all" / "clap.rar")
    miniatures.fake_rar(files / "all", root / "hmdb51_org.rar")
    parts = {"clap": dict(zip(names, "120", strict=True)), "wave": {"gone.avi": "1"}}
    miniatures.hmdb51_splits(files / "splits", parts)
    miniatures.fake_rar(files / "splits", root / "test_train_splits.rar")
    miniatures.fake_unrar(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    report = prepare("hmdb51", root, out)
    folder = "hmdb51_org/clap/clap"
    assert lines(out / "hmdb51_train_split_3_videos.txt") == [f"{folder}/{odd} 0"]
    assert lines(out / "hmdb51_val_split_2_videos.txt") == [f"{folder}/{names[1]} 0"]
    assert report["missing"] == ["wave/gone.avi"]
    assert lines(out / "classes.txt")[:2] == ["clap", "wave"]
    dataset = dataset_of("hidden2s_vgg16_hmdb51", "val")
    assert dataset[0]["inputs"].shape == (1, 3, 11, 224, 224)


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


@pytest.mark.parametrize(("version", "classes"), [("1-2", 100), ("1-3", 200)])
def test_activitynet(tmp_path, clip, lines, version, classes):
    name = f"activitynet{version.replace('-', '')}"
    root, out = tmp_path / "root", tmp_path / name
    videos = {
        "---abcdefgh": ("training", [(3, 0.04, 0.12), (3, 5.5, 7), (2, 0.1, 0.2)]),
        "bbbbbbbbbbb": ("validation", [(7, 0.1, 0.2), (4, 0.0, 0.1)]),
        "ccccccccccc": ("validation", [(1, 0.2, 0.1)]),
        "ddddddddddd": ("testing", []),
    }
    miniatures.activitynet_json(
        root / f"activity_net.v{version}.min.json", videos, classes
    )
    clip(root / "train" / "v_---abcdefgh.mp4", 8)
    clip(root / "val" / "v_bbbbbbbbbbb.webm")
    clip(root / "val" / "ccccccccccc.mkv")
    report = prepare(name, root, out, decode=True, jobs=1)
    path = "train/v_---abcdefgh.mp4"
    assert lines(out / "activitynet_train_windows.txt") == [
        f"{path} 0.04 0.12 3",
        f"{path} 0.1 0.2 2",
    ]
    outside = "starts after the end of the video, 0.3 s"
    assert report["windows_outside"] == {"v_---abcdefgh 5.5 7": f"outside: {outside}"}
    assert lines(out / "activitynet_train_videos.txt") == [f"{path} 2 3"]
    assert lines(out / "activitynet_val_videos.txt") == [
        "val/v_bbbbbbbbbbb.webm 4 7",
        "val/ccccccccccc.mkv 1",
    ]
    assert "1 actions without duration" in str(report["notes"])
    assert len(lines(out / "classes.txt")) == classes
    config = "activitynet" if version == "1-2" else name
    dataset = dataset_of(f"motionnet_{config}", "train")
    assert len(dataset) == 2
    data = dataset[0]
    assert data["inputs"].shape == (1, 3, 11, 224, 224)
    assert data["data_samples"].gt_label == 3
    dataset = dataset_of(f"motionnet_{config}", "val")
    assert dataset[0]["data_samples"].gt_label.nonzero().ravel().tolist() == [4, 7]


def test_thumos14(tmp_path, clip, lines, monkeypatch):
    root, out = tmp_path / "root", tmp_path / "thumos14"
    ucf101_folder(root, clip, UCF[:2])
    video, test = "video_validation_0000001", "video_test_0000001"
    clip(root / "validation" / f"{video}.mp4", 8)
    for i in (1, 2):
        clip(root / "TH14_test_set_mp4" / f"video_test_000000{i}.mp4")
    miniatures.thumos14_mat(
        root / "validation_set.mat", "validation_videos", [(video, 3, [1], "NO")]
    )
    tests = [(test, 2, [], "NO"), ("video_test_0000002", 1, [], "YES")]
    miniatures.thumos14_mat(root / "test_set_meta.mat", "test_videos", tests)
    files = tmp_path / "files" / "annotation"
    miniatures.write(files / "BaseballPitch_val.txt", f"{video}  0.1 0.2\n")
    miniatures.write(files / "Ambiguous_val.txt", f"{video}  0.2 0.3\n")
    archive = root / "TH14_Temporal_annotations_validation.zip"
    miniatures.zip_folder(files.parent, archive)
    report = prepare("thumos14", root, out)
    ucf = [f"UCF-101/{video} 0" for video in UCF[:2]]
    assert sorted(lines(out / "thumos14_train_videos.txt")) == ucf
    assert lines(out / "thumos14_trainval_windows.txt")[-1] == (
        f"validation/{video}.mp4 0.1 0.2 2"
    )
    assert lines(out / "thumos14_val_videos.txt") == [f"validation/{video}.mp4 2 0"]
    assert lines(out / "thumos14_test_videos.txt") == [
        f"TH14_test_set_mp4/{test}.mp4 1",
        "TH14_test_set_mp4/video_test_0000002.mp4",
    ]
    assert sorted(report["missing"]) == UCF[2:]
    dataset = dataset_of("hidden2s_vgg16_thumos14", "train")
    assert len(dataset) == 2
    monkeypatch.setenv("THUMOS14_TRAIN", "trainval_windows")
    dataset = dataset_of("hidden2s_vgg16_thumos14", "train")
    data = [dataset[i] for i in range(len(dataset))]
    assert [d["data_samples"].gt_label.item() for d in data] == [0, 0, 2]
    dataset = dataset_of("repflow_r50_thumos14", "train")
    assert dataset[2]["inputs"].shape == (1, 3, 32, 224, 224)
    assert dataset[2]["data_samples"].gt_label == 2
    dataset = dataset_of("hidden2s_vgg16_thumos14", "test")
    assert [dataset.get_data_info(i)["label"].sum() for i in (0, 1)] == [1, 0]


def test_quirks_of_thumos14(tmp_path, clip, lines, monkeypatch):
    root, out = tmp_path / "root", tmp_path / "thumos14"
    classes = [*miniatures.UCF_CLASSES]
    classes[4] = "CliffDiving"  # Diving is 3
    monkeypatch.setattr(miniatures, "UCF_CLASSES", classes)
    ucf101_folder(root, clip, UCF[:1])
    videos = [f"video_validation_000000{i}" for i in (1, 2)]
    for video in videos:
        clip(root / "validation" / f"{video}.mp4", 8)
    rows = [(videos[0], 5, [4], "NO"), (videos[1], 4, [], "NO")]
    validation = root / "validation_set.mat"
    miniatures.thumos14_mat(validation, "validation_videos", rows)
    miniatures.thumos14_mat(root / "test_set_meta.mat", "test_videos", rows)
    windows = {
        "CliffDiving": ["1.5 2.5", "1.5 2.5", "7.0 7.0"],
        "Diving": ["1.5 2.5", "4 5", "3.0 2.0", "-1 2", "nan 2", "0 inf"],
        "Ambiguous": ["2 2.2"],
    }
    for name, times in windows.items():
        text = "".join(f"{videos[0]}  {time}\n" for time in times)
        miniatures.write(root / f"{name}_val.txt", text)
    report = prepare("thumos14", root, out)
    assert lines(out / "thumos14_trainval_windows.txt")[1:] == [
        f"validation/{videos[0]}.mp4 1.5 2.5 4",
        f"validation/{videos[0]}.mp4 4 5 3",
    ]
    assert lines(out / "thumos14_val_videos.txt")[0].endswith(".mp4 4 3")
    notes = "\n".join(report["notes"])
    for note in (
        "1 windows of a class are left out, as they are annotated with its subclass",
        "CliffDiving_val.txt: 1 windows are repeated",
        "CliffDiving_val.txt: 1 windows end before they start",
        "\nDiving_val.txt: 4 windows end before they start",
        "1 windows of Ambiguous_val.txt",
        "1 of 2 validation videos have no window",
    ):
        assert note in notes, notes


def test_quirks_of_activitynet(tmp_path, clip, lines):
    root, out = tmp_path / "root", tmp_path / "activitynet12"
    for name in "ab":
        clip(root / f"v_{name * 11}.mp4", 8)
    actions = [(0, 0.0, 0.0), (1, 5.0, 3.0), (2, 1.0, 9.0), (2, 1.0, 9.0), (3, 1, 9)]
    actions += [(4, float("nan"), 1.0), (4, 0, float("inf")), (4, 1, None)]
    videos = {"a" * 11: ("training", actions), "b" * 11: ("training", [])}
    path = root / "activity_net.v1-2.min.json"
    miniatures.activitynet_json(path, videos, 100)
    text = path.read_text()
    path.write_text(text.replace('"subset"', '"part"'))
    with pytest.raises(PreparationError, match=r"KeyError.*subset"):
        prepare("activitynet12", root, out)
    path.write_text(text)
    report = prepare("activitynet12", root, out)
    file = f"v_{'a' * 11}.mp4"
    assert file in lines(out / "activitynet_train_videos.txt")[0]
    own = [x for x in lines(out / "activitynet_train_windows.txt") if file in x]
    assert own == [f"{file} 1 9 2", f"{file} 1 9 3"]
    assert not [x for x in lines(out / "activitynet_train_videos.txt") if "bbb" in x]
    notes = str(report["notes"])
    for note in ("5 actions without duration", "1 repeated", "1 videos without an"):
        assert note in notes, notes


@pytest.mark.parametrize(
    ("old", "new"), [("v_HandStand", "v_Handstand"), (".avi", ".mp4"), (".avi", ".AVI")]
)
def test_renamed_videos_of_ucf101(tmp_path, clip, lines, old, new):
    root, out = tmp_path / "root", tmp_path / "ucf101"
    name = "v_HandStandPushups_g{:02d}_c01.avi"
    videos = [f"HandstandPushups/{name.format(i)}" for i in (1, 2, 3)]
    for video in videos:
        clip(root / video.replace(old, new))
    miniatures.ucf101_splits(root, videos)
    report = prepare("ucf101", root, out)
    assert report["videos"] == dict(found=3, missing=0, broken=0)
    expected = [f"{v.replace(old, new)} 1" for v in videos]
    assert lines(out / "ucf101_train_split_1_videos.txt") == expected[1:]


def test_names_with_accents_and_spaces(tmp_path, clip, lines):
    """A file system may store an accent as a character of its own."""
    root, out = tmp_path / "root", tmp_path / "hmdb51"
    names = ["Große Übung 1 2.avi", "手を振る clap.avi"]
    miniatures.hmdb51_splits(root, {"clap": dict.fromkeys(names, "1")})
    for name in names:
        clip(root / "my clips" / unicodedata.normalize("NFD", name))
    prepare("hmdb51", root, out, decode=True, jobs=1)
    dataset = dataset_of("hidden2s_vgg16_hmdb51", "train")
    assert len(dataset) == 2
    for i in range(2):
        assert Path(dataset.get_data_info(i)["filename"]).is_file()
    shutil.move(root / "my clips", root / " clips\n")
    with pytest.raises(PreparationError, match="has a line break"):
        prepare("hmdb51", root, out, force=True)


def test_nothing_is_overwritten(tmp_path, clip):
    root, out = tmp_path / "root", tmp_path / "out"
    ucf101_folder(root, clip)
    prepare("ucf101", root, out)
    before = {path: path.read_bytes() for path in out.glob("*.*")}
    (root / "UCF-101" / UCF[0]).unlink()
    with pytest.raises(PreparationError, match=r"classes\.txt.*would be overwritten"):
        prepare("ucf101", root, out)
    for name in ("classes.txt", "report.json", "report.txt"):
        (out / name).unlink()
    with pytest.raises(PreparationError, match=r"ucf101_train_split_1_videos\.txt"):
        prepare("ucf101", root, out)
    assert all(before[path] == path.read_bytes() for path in out.glob("*.*"))
    prepare("ucf101", root, out, force=True)
    changed = out / "ucf101_val_split_1_videos.txt"
    assert len(changed.read_bytes()) < len(before[changed])
    other = tmp_path / "other"
    ucf101_folder(other, clip)
    with pytest.raises(PreparationError, match="exists and is another folder"):
        prepare("ucf101", other, out, force=True)


def test_a_folder_that_is_prepared_in_place(tmp_path, clip, lines):
    for name, root in (("a", "a"), ("b", "b/videos")):
        root = tmp_path / root
        ucf101_folder(root, clip)
        for _ in range(2):
            prepare("ucf101", root, tmp_path / name, force=True)
            first = lines(tmp_path / name / "ucf101_val_split_1_videos.txt")[0]
            assert first == f"UCF-101/{UCF[0]} 0"


def test_errors_say_what_to_do(tmp_path, clip):
    root, out = tmp_path / "root", tmp_path / "out"
    with pytest.raises(PreparationError, match="--root is the folder"):
        prepare("ucf101", root, out)
    root.mkdir()
    with pytest.raises(PreparationError, match=r"no classInd\.txt.*docs/data\.md"):
        prepare("ucf101", root, out)
    miniatures.ucf101_splits(root, UCF)
    with pytest.raises(PreparationError, match=r"none of the videos.*v_ApplyEye"):
        prepare("ucf101", root, out)
    ucf101_folder(root, clip)
    with pytest.raises(PreparationError, match="number the classes"):
        prepare("ucf101", root, out, class_list=root / "x")
    copy = root / "copy" / "testlist01.txt"
    miniatures.write(copy, "another release")
    with pytest.raises(PreparationError, match="several files that may be testlist01"):
        prepare("ucf101", root, out)
    copy.unlink()
    path = root / "ucfTrainTestlist" / "trainlist02.txt"
    path.write_text(f"{UCF[0]} 7\n")
    with pytest.raises(PreparationError, match="should be of one release"):
        prepare("ucf101", root, out)
    assert not list(out.glob("*.txt"))


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
def test_damaged_archive(tmp_path, mode):
    """Python takes what follows the head of a damaged file for the archive's end."""
    folder, target = tmp_path / "videos", tmp_path / "unpacked"
    for name in "abc":
        miniatures.write(folder / f"{name}.avi", name * 2000)
    archive = tmp_path / f"videos.tar.{mode}".rstrip(".")
    miniatures.tar_folder(folder, archive, f"w:{mode}")
    whole = archive.read_bytes()
    middle = whole.index(b"b.avi") if not mode else len(whole) // 2
    for damaged in (
        whole[:middle] + b"XXXX" + whole[middle + 4 :],
        whole[: middle + 100],
    ):
        archive.write_bytes(damaged)
        with pytest.raises(PreparationError, match=r"cannot unpack .*videos\.tar"):
            unpack(archive, target)
        assert not target.exists()
    archive.write_bytes(whole)
    unpack(archive, target)
    assert len(list(target.rglob("*.avi"))) == 3


def test_encrypted_archive(tmp_path):
    root = tmp_path / "root"
    miniatures.ucf101_splits(root, UCF)
    archive = root / "UCF101.zip"
    miniatures.zip_folder(root / "ucfTrainTestlist", archive)
    content = bytearray(archive.read_bytes())
    entry = content.find(b"PK\x01\x02")
    content[entry + 8] |= 1  # the flag of the first file in the list of contents
    archive.write_bytes(content)
    with pytest.raises(PreparationError, match=r"is encrypted\. Unpack it by hand"):
        prepare("ucf101", root, tmp_path / "out")


def test_real_clips(tmp_path, real_videos, lines):
    """A part of UCF101 as a user has it who copied some clips."""
    chosen = sorted((real_videos / "ucf101_100clips").glob("v_Diving_*.avi"))[:2]
    if not chosen:
        pytest.skip("no clips of UCF101")
    root, out = tmp_path / "root", tmp_path / "ucf101"
    names = [f"Diving/{path.name}" for path in chosen]
    miniatures.ucf101_splits(root, [*names, UCF[0]])
    for path in chosen:
        shutil.copy(path, root)
    report = prepare("ucf101", root, out, decode=True, jobs=1)
    assert report["missing"] == [UCF[0]] and not report["broken"]
    dataset = dataset_of("hidden2s_vgg16_ucf101", "train")
    assert dataset[0]["inputs"].shape == (1, 3, 11, 224, 224)
