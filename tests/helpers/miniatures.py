"""Miniature datasets in the layouts of the official files."""

import csv
import json
import shutil
import struct
import tarfile
import zipfile
import zlib

import av
import numpy as np
from scipy.io import savemat

UCF_CLASSES = ["ApplyEyeMakeup", "HandstandPushups", "BaseballPitch", "Diving"]
UCF_CLASSES += [f"Class{i:03d}" for i in range(5, 102)]


def write_clip(path, frames=6, codec="mpeg4", rate=25):
    """A video of 32 x 32 pixels, each frame brighter than the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = dict(movflags="faststart") if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            image = np.full((32, 32, 3), 20 + 2 * i, np.uint8)
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
            )
        container.mux(stream.encode())


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def zip_folder(folder, archive):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(folder.rglob("*")):
            content.write(path, path.relative_to(folder))


def tar_folder(folder, archive, mode="w:gz"):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, mode) as content:
        content.add(folder, ".")


def fake_rar(folder, archive):
    """A .rar file for :func:`fake_unrar`: a .tar inside."""
    tar_folder(folder, archive, "w")


def fake_unrar(folder):
    """A program unrar in a folder, for PATH, that unpacks :func:`fake_rar`'s files."""
    folder.mkdir()
    program = folder / "unrar"
    program.write_text(
        '#!/bin/sh\nfor last; do archive="$target"; target="$last"; done\n'
        f'{shutil.which("tar")} -xf "$archive" -C "$target"\n'
    )
    program.chmod(0o755)


def real_rar(folder, archive):
    """A .rar file as version 4 of the format has it, with nothing compressed."""

    def block(kind, flags, body):
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

    content = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        name = str(path.relative_to(folder)).replace("/", "\\").encode()
        sizes = (len(data), len(data), 3, zlib.crc32(data))  # 3: Unix
        day = 1 << 25 | 1 << 21 | 1 << 16  # 1981-01-01
        body = struct.pack("<IIBI", *sizes)
        body += struct.pack("<IBBHI", day, 20, 0x30, len(name), 0o100644) + name
        content += block(0x74, 0x8000, body) + data
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(content + block(0x7B, 0x4000, b""))


def ucf101_splits(folder, videos):
    """ucfTrainTestlist: each of the videos is for training in two of three splits."""
    lines = "".join(f"{i} {name}\n" for i, name in enumerate(UCF_CLASSES, 1))
    write(folder / "ucfTrainTestlist" / "classInd.txt", lines)
    for split in (1, 2, 3):
        train = [v for k, v in enumerate(videos) if k % 3 + 1 != split]
        test = [v for k, v in enumerate(videos) if k % 3 + 1 == split]
        numbers = {v: UCF_CLASSES.index(v.split("/")[0]) + 1 for v in videos}
        for part, lines in (
            ("train", [f"{video} {numbers[video]}" for video in train]),
            ("test", test),
        ):
            path = folder / "ucfTrainTestlist" / f"{part}list{split:02d}.txt"
            write(path, "\r\n".join(lines) + "\r\n")


def hmdb51_splits(folder, parts):
    """parts: {class: {video: '0', '1' or '2'}}; the other classes are empty."""
    names = [*parts, *(f"zz{i:02d}" for i in range(51 - len(parts)))]
    for split in (1, 2, 3):
        for name in names:
            lines = (f"{v} {part} \n" for v, part in parts.get(name, {}).items())
            path = folder / "testTrainMulti_7030_splits"
            write(path / f"{name}_test_split{split}.txt", "".join(lines))


def kinetics_csv(path, rows, label=True):
    """rows: (class, video, start, end)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = "validate" if path.stem.startswith("val") else path.stem
    with path.open("w", newline="") as file:
        out = csv.writer(file, quoting=csv.QUOTE_MINIMAL)
        header = ["youtube_id", "time_start", "time_end", "split"]
        out.writerow(["label", *header] if label else header)
        for name, *times in rows:
            out.writerow([name, *times, part] if label else [*times, part])


def activitynet_json(path, videos, num_classes):
    """videos: {id: (subset, [(class number, start, end)])}."""
    names = [f"Class number {i:03d}" for i in range(num_classes)]
    # one video with all classes, as the official file names each
    videos = videos | {"everything0": ("training", [(i, 0, 1) for i in range(100)])}
    if num_classes > 100:
        others = [(i, 0, 1) for i in range(100, num_classes)]
        videos |= {"everything1": ("training", others)}
    database = {
        name: dict(
            duration=10.0,
            subset=subset,
            url=f"https://www.youtube.com/watch?v={name}",
            resolution="32x32",
            annotations=[dict(label=names[i], segment=[s, e]) for i, s, e in actions],
        )
        for name, (subset, actions) in videos.items()
    }
    content = dict(version="VERSION", taxonomy=[], database=database)
    write(path, json.dumps(content))


def thumos14_mat(path, key, videos):
    """videos: (name, primary, secondary, 'YES' for background or 'NO')."""
    dtype = [
        ("video_name", object),
        ("primary_action_index", object),
        ("secondary_actions_indices", object),
        ("background_video", object),
    ]
    table = np.zeros((1, len(videos)), dtype)
    for i, (name, primary, secondary, background) in enumerate(videos):
        table[0, i] = (name, primary, np.array(secondary, np.float64), background)
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {key: table})
