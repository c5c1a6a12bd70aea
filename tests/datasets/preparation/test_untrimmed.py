"""ActivityNet and THUMOS14 from miniatures of their official files."""

import pytest
from helpers import miniatures
from helpers.prepared import UCF, dataset_of, ucf101_folder

from flowzoo.datasets.preparation import PreparationError, prepare

pytestmark = pytest.mark.usefixtures("data_folder")


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
