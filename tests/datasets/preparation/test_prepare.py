"""Datasets from miniatures of their official files, and what can be wrong."""

import json
import shutil
import unicodedata
from pathlib import Path

import pytest
from helpers import miniatures
from helpers.prepared import UCF, dataset_of, ucf101_folder

from flowzoo.datasets.preparation import PreparationError, prepare
from flowzoo.datasets.preparation.archives import unpack

pytestmark = pytest.mark.usefixtures("data_folder")


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
