"""Can representation flow tell the sense of a rotation, and on how small a map?

For rotating MotionShapes clips, the curl of the layer's flow on the gray frames,
averaged over the shape, should have the sign of the rotation. Prints for how many clips
it has.
"""

import cv2
import numpy as np
import torch

from flowzoo.datasets.motionshapes.clip import CLASSES
from flowzoo.datasets.motionshapes.files import MotionShapesSpec
from flowzoo_kernels import RepresentationFlow

SENSE = {"clockwise": 1, "counterclockwise": -1}
SIZES = (64, 32, 16)
CLIPS = 50
FRAME = 5


def mean_curl(flow: np.ndarray, mask: np.ndarray) -> float:
    """Mean of dv/dx - du/dy over a mask; flow (2, H, W), positive for clockwise."""
    u, v = flow
    return (np.gradient(v, axis=1) - np.gradient(u, axis=0))[mask].mean()


def resize(image: np.ndarray, size: int) -> np.ndarray:
    image = image.astype(np.float32)
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


@torch.no_grad()
def main() -> None:
    spec = MotionShapesSpec()
    layers = {v: RepresentationFlow(1, variant=v) for v in ("tvl1", "paper")}
    right = {(variant, size): [] for variant in layers for size in SIZES}
    rotating = (
        i for i in range(spec.num_clips("train")) if CLASSES[i % len(CLASSES)] in SENSE
    )
    for index, _ in zip(rotating, range(CLIPS), strict=False):
        clip = spec.render("train", index)
        sense = SENSE[CLASSES[clip.label]]
        gray = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in clip.frames[FRAME:][:2]]
        for size in SIZES:
            x = torch.from_numpy(np.stack([resize(g, size) for g in gray]))[None, None]
            mask = resize(clip.foreground[FRAME], size) > 0.5
            if not mask.any():
                continue
            for variant, layer in layers.items():
                flow = layer(x)[0, :, 0].numpy()
                right[variant, size].append(sense * mean_curl(flow, mask) > 0)
    for (variant, size), hits in right.items():
        print(f"{variant:6} {size}x{size}: {np.mean(hits):.0%} of {len(hits)} clips")


if __name__ == "__main__":
    main()
