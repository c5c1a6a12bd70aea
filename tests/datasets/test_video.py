import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config
from torch.utils.data import DataLoader

from flowzoo.config_lookup import find_config
from flowzoo.datasets import CheckedVideoDataset, MotionShapesDataset
from flowzoo.datasets import video as video_module
from flowzoo.datasets.motionshapes.files import prepare
from flowzoo.datasets.transforms import VideoError
from flowzoo.io.write_video import write_video

PIPELINE = [
    dict(type="OpenVideo"),
    dict(type="SampleFrames", clip_len=2),
    dict(type="DecodeFrames"),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]


@pytest.fixture
def folder(tmp_path):
    """Five small videos, the second of them unreadable, and their list."""
    for i in range(5):
        frames = np.full((4, 32, 32, 3), 40 * i, np.uint8)
        write_video(tmp_path / f"{i}.mp4", frames)
    (tmp_path / "1.mp4").write_bytes(b"not a video")
    annotate(tmp_path, [f"{i}.mp4 {i % 2}" for i in range(5)])
    return tmp_path


@pytest.fixture
def warnings(monkeypatch):
    """What is logged by this process."""
    messages = []
    monkeypatch.setattr(
        video_module, "print_log", lambda message, **_: messages.append(message)
    )
    return messages


def annotate(folder, lines):
    (folder / "list.txt").write_text("".join(f"{line}\n" for line in lines))


def make(folder, **options):
    options = dict(data_prefix=dict(video=str(folder))) | options
    return CheckedVideoDataset(str(folder / "list.txt"), PIPELINE, **options)


def test_missing_annotation_file(tmp_path):
    hint = "make-the-list writes it."
    with pytest.raises(FileNotFoundError) as error:
        make(tmp_path, download_hint=hint)
    message = str(error.value)
    assert f"annotation file not found: {tmp_path / 'list.txt'}" in message
    assert "ann_file of the CheckedVideoDataset in train_dataloader" in message
    assert message.endswith(hint)
    with pytest.raises(FileNotFoundError, match="val_dataloader or test_dataloader"):
        make(tmp_path, test_mode=True)


def test_missing_split(tmp_path):
    """Named with those that are there; others may have to be made, as features."""
    names = [f"x_train_split_{n}_videos.txt" for n in (1, 2, 10)]
    for name in [*names, "x_val_split_3_videos.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "x_train_split_4_videos.txt").symlink_to("nothing")
    found = r"the folder has these splits: 1, 2, 10\. make-the-list writes it"
    for name, message in (
        ("x_train_split_99_videos.txt", f"SPLIT is 99, but {found}"),
        ("x_train_split_4_videos.txt", f"SPLIT is 4, but {found}"),
        ("x_train_split_two_videos.txt", f"SPLIT is two, but {found}"),
        ("y_train_split_99_videos.txt", "make-the-list writes it"),
    ):
        with pytest.raises(FileNotFoundError, match=message):
            CheckedVideoDataset(
                str(tmp_path / name), [], download_hint="make-the-list writes it"
            )


def test_missing_folder_of_videos(folder):
    absent = str(folder / "absent")
    with pytest.raises(
        FileNotFoundError, match=r"folder of videos not found: .*absent"
    ):
        make(folder, data_prefix=dict(video=absent), download_hint="x")


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("a.mp4 one", {}, "line 3: 'a.mp4 one' should be 'path label'"),
        ("a.mp4 1_0", {}, "line 3: 'a.mp4 1_0' should be 'path label'"),
        ("a.mp4", {}, "line 3: 'a.mp4' has no label"),
        ("my clip.mp4", {}, "line 3: .* should be 'path label'"),
        ("a.mp4 2", dict(num_classes=2), r"line 3: label 2 is outside 0\.\.1"),
        ("a.mp4 -1", {}, "line 3: label -1 is negative"),
        (
            "a.mp4 1 5",
            dict(multi_class=True, num_classes=4),
            r"line 3: label 5 is outside 0\.\.3",
        ),
    ],
)
def test_malformed_annotations(folder, line, options, message):
    annotate(folder, ["0.mp4 0", "", line])
    with pytest.raises(ValueError, match=rf"list\.txt, {message}"):
        make(folder, **options)


def test_empty_annotation_file(folder):
    annotate(folder, [" ", ""])
    with pytest.raises(ValueError, match=r"list\.txt is empty"):
        make(folder)


def test_annotations_of_all_kinds(folder):
    annotate(folder, ["my clip.mp4 0", "", "0.mp4 7"])
    dataset = make(folder)
    assert len(dataset) == 2 and dataset.max_label == 7
    assert dataset.get_data_info(0)["filename"] == str(folder / "my clip.mp4")
    annotate(folder, ["0.mp4 0 3", "2.mp4 1"])
    dataset = make(folder, multi_class=True, num_classes=4)
    assert dataset.get_data_info(0)["label"].tolist() == [1, 0, 0, 1]
    assert dataset.max_label == 3
    annotate(folder, ["0.mp4"])
    assert make(folder, test_mode=True)[0]["data_samples"].gt_label == -1


def test_training_goes_on_without_an_unreadable_video(folder, warnings):
    dataset = make(folder)
    for _ in range(3):
        assert dataset[1]["inputs"].shape == (1, 3, 2, 32, 32)
    assert len(warnings) == 1
    assert str(folder / "1.mp4") in warnings[0] and "Invalid data" in warnings[0]
    assert dataset.unreadable_mask.tolist() == [False, True, False, False, False]


def test_workers_of_the_data_loader_mark_unreadable_videos(folder):
    dataset = make(folder)
    loader = DataLoader(
        dataset,
        2,
        num_workers=2,
        persistent_workers=True,
        collate_fn=list,
        multiprocessing_context="fork",
    )
    for _ in range(2):
        assert sum(map(len, loader)) == 5
    assert dataset.unreadable_mask.tolist() == [False, True, False, False, False]


def test_testing_stops_at_an_unreadable_video(folder):
    dataset = make(folder, test_mode=True)
    dataset[0]
    with pytest.raises(VideoError, match=r"cannot open video .*1\.mp4"):
        dataset[1]


def test_nothing_but_unreadable_videos(folder, warnings):
    annotate(folder, [f"absent{i}.mp4 0" for i in range(3)])
    dataset = make(folder, max_refetch=4)
    with pytest.raises(RuntimeError, match=r"5 videos in a row.*list\.txt"):
        dataset[0]


def test_other_errors_are_not_hidden(folder):
    pipeline = [dict(type="OpenVideo"), dict(type="DecodeFrames")]
    prefix = dict(video=str(folder))
    dataset = CheckedVideoDataset(
        str(folder / "list.txt"), pipeline, data_prefix=prefix
    )
    with pytest.raises(KeyError, match="frame_inds"):
        dataset[0]


def test_a_pipeline_that_returns_nothing(folder):
    pipeline = [lambda results: None]
    dataset = make(folder)
    dataset.pipeline = pipeline[0]
    with pytest.raises(RuntimeError, match="in a row"):
        dataset[0]
    dataset.test_mode = True
    with pytest.raises(RuntimeError, match=r"returned None for .*0\.mp4"):
        dataset[0]


def test_motionshapes_is_generated_on_first_use(tmp_path, tiny):
    spec = dict(num_train=16, num_val=8, num_test=8, num_frames=10, size=32)
    dataset = MotionShapesDataset("val", PIPELINE, root=str(tmp_path), spec=spec)
    assert (tmp_path / tiny.folder_name / "manifest.json").is_file()
    assert len(dataset) == 8 and dataset.num_classes == 8
    assert dataset.metainfo["classes"][0] == "right"
    data = dataset[3]
    assert data["inputs"].shape == (1, 3, 2, 32, 32)
    assert data["data_samples"].gt_label == 3
    with pytest.raises(ValueError, match="splits"):
        MotionShapesDataset("training", PIPELINE, root=str(tmp_path), spec=spec)


def test_motionshapes_config(tmp_path, tiny, monkeypatch):
    prepare(tiny, tmp_path)
    path = find_config("repflow_r18_motionshapes.py")
    config = Config.fromfile(path)
    # A run that is resumed reads the text of its config.
    config = Config.fromstring(config.pretty_text, ".py")
    monkeypatch.setenv("FLOWZOO_DATA", str(tmp_path))
    spec = dict(num_train=16, num_val=8, num_test=8, num_frames=10, size=32)
    for split in ("train", "val", "test"):
        loader = config[f"{split}_dataloader"]
        dataset = DATASETS.build(loader.dataset | dict(spec=spec))
        size = 32 if split == "train" else 64
        assert dataset[0]["inputs"].shape == (1, 3, 9, size, size)
        assert dataset.test_mode == (split != "train")
    assert config.test_pipeline == config.test_dataloader.dataset.pipeline


def test_flipping_motionshapes_exchanges_the_labels(tmp_path, tiny):
    path = find_config("repflow_r18_motionshapes.py")
    flip = next(s for s in Config.fromfile(path).train_pipeline if s.type == "Flip")
    spec = dict(num_train=16, num_val=8, num_test=8, num_frames=10, size=32)

    def load(ratio):
        steps = [
            PIPELINE[0],
            dict(type="SampleFrames", clip_len=10),
            PIPELINE[2],
            flip | dict(flip_ratio=ratio),
            *PIPELINE[3:],
        ]
        return MotionShapesDataset("train", steps, root=str(tmp_path), spec=spec)

    classes, exchanged = load(0).metainfo["classes"], {}
    for plain, flipped in zip(load(0), load(1), strict=True):
        assert (plain["inputs"].flip(-1) == flipped["inputs"]).all()
        old, new = (classes[d["data_samples"].gt_label] for d in (plain, flipped))
        exchanged[old] = new
    assert exchanged == dict(
        zip(classes, classes, strict=True),
        right="left",
        left="right",
        clockwise="counterclockwise",
        counterclockwise="clockwise",
    )


def test_kinetics_config(monkeypatch, tmp_path):
    path = find_config("repflow_r50_kinetics.py")
    config = Config.fromfile(path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"kinetics400_train_list.*prepare\.py"):
        DATASETS.build(config.train_dataloader.dataset)
    write_video(tmp_path / "0.mp4", np.zeros((40, 270, 360, 3), np.uint8))
    (tmp_path / "list.txt").write_text("0.mp4 5\n")
    shapes = dict(
        train=(1, 3, 32, 224, 224), val=(1, 3, 32, 224, 224), test=(30, 3, 32, 224, 224)
    )
    for split, shape in shapes.items():
        settings = config[f"{split}_dataloader"].dataset
        settings.update(ann_file="list.txt", data_prefix=dict(video=""))
        assert DATASETS.build(settings)[0]["inputs"].shape == shape


def test_windows(folder):
    annotate(folder, ["0.mp4 0.04 0.12 1", "my 1.5 2.mp4 2", "2.mp4 3"])
    dataset = make(folder, windows=True, num_classes=4)
    infos = [dataset.get_data_info(i) for i in range(3)]
    assert [info["label"] for info in infos] == [1, 2, 3]
    assert [info.get("window") for info in infos] == [(0.04, 0.12), None, None]
    assert infos[1]["filename"] == str(folder / "my 1.5 2.mp4")
    assert dataset[0]["inputs"].shape == (1, 3, 2, 32, 32)
    annotate(folder, ["0.mp4 0.12 0.04 1"])
    with pytest.raises(ValueError, match=r"line 1: the window from 0\.12 to"):
        make(folder, windows=True)
    with pytest.raises(ValueError, match="windows excludes multi_class"):
        make(folder, windows=True, multi_class=True, num_classes=4)


def test_several_labels_and_spaces(folder):
    annotate(folder, ["my 3 clips.mp4 1 2", "of no class.mp4", "0.mp4 3"])
    dataset = make(folder, multi_class=True, num_classes=4, test_mode=True)
    infos = [dataset.get_data_info(i) for i in range(3)]
    names = ["my 3 clips.mp4", "of no class.mp4", "0.mp4"]
    assert [info["filename"] for info in infos] == [str(folder / n) for n in names]
    labels = [info["label"].tolist() for info in infos]
    assert labels == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    with pytest.raises(ValueError, match=r"line 2: .*should be 'path label'"):
        make(folder, multi_class=True, num_classes=4)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfmy clip.mp4 0\nb.mp4 1\n",
        "my clip.mp4 0\r\nb.mp4 1\r\n".encode("utf-16"),
        b"my clip.mp4\t0\nb.mp4\t1\n",
        b"my clip.mp4   0\n b.mp4 \t 1 \n",
        b"my clip.mp4 0\rb.mp4 1",
        b"\"my clip.mp4\" 0\n'b.mp4' 1\n",
    ],
)
@pytest.mark.parametrize("test_mode", [False, True])
def test_lists_of_other_editors(tmp_path, data, test_mode):
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    dataset = CheckedVideoDataset(str(path), [], test_mode=test_mode)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [(i["filename"], i["label"]) for i in infos] == [
        ("my clip.mp4", 0),
        ("b.mp4", 1),
    ]


def test_backslashes_and_files_that_are_named_so(tmp_path):
    (tmp_path / r"odd\name.mp4").touch()
    annotate(tmp_path, [r"class a\b.mp4 0", r'"class a\b.mp4" 0', r"odd\name.mp4 1"])
    dataset = make(tmp_path)
    names = [dataset.get_data_info(i)["filename"] for i in range(3)]
    inside = str(tmp_path / "class a" / "b.mp4")
    assert names == [inside, inside, str(tmp_path / r"odd\name.mp4")]


def test_windows_and_several_classes_in_columns(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"my clip.mp4\t0.5\t2  3\n")
    info = CheckedVideoDataset(str(path), [], windows=True).get_data_info(0)
    assert (info["filename"], info["window"], info["label"]) == (
        "my clip.mp4",
        (0.5, 2.0),
        3,
    )
    path.write_bytes(b"my clip.mp4\t0  3\n")
    many = CheckedVideoDataset(str(path), [], multi_class=True, num_classes=4)
    assert many.get_cat_ids(0) == [0, 3]
    assert many.get_data_info(0)["filename"] == "my clip.mp4"
