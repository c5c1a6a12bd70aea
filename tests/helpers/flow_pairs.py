"""Small pairs of frames with true flow, in the folders of the published archives."""

import cv2
import numpy as np


def scene(dx, dy, size=64):
    """Two frames of a texture that moves by (dx, dy)."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.random((128, 128, 3)).astype(np.float32), (0, 0), 3)
    noise = ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)
    places = [(32, 32), (32 - dy, 32 - dx)]
    return [noise[y : y + size, x : x + size] for y, x in places]


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def middlebury(root, name, dx, dy, size=64):
    """A pair of Middlebury whose flow is (dx, dy), unknown in the first four rows."""
    for number, frame in zip((10, 11), scene(dx, dy, size), strict=True):
        write(root / "other-data" / name / f"frame{number}.png", frame)
    flow = np.full((size, size, 2), (dx, dy), np.float32)
    flow[:4] = 1e10
    folder = root / "other-gt-flow" / name
    folder.mkdir(parents=True)
    cv2.writeOpticalFlow(str(folder / "flow10.flo"), flow)
