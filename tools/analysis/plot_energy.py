"""Plot how the energy of representation flow falls with the iterations.

usage: python tools/analysis/plot_energy.py VIDEO --out energy.png
       python tools/analysis/plot_energy.py VIDEO CONFIG CHECKPOINT --out energy.png

Without a model, the flow is that of the video's gray frames, in the variants asked for,
with the parameters that training starts from. With one, there is a curve for each
representation-flow layer of the model, on the features that reach it. The energy is
Eq. 7 of the paper (flowzoo.visualization.flow_energy), as a share of that of no flow.
The numbers go to a JSON file beside the plot. See docs/flow_images.md.
"""

import argparse
import json
from pathlib import Path

import matplotlib
import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint

from flowzoo.interrupts import run_tool
from flowzoo.progress import Progress
from flowzoo.visualization import FlowRecorder, energy_by_iteration, read_clip
from flowzoo_kernels import RepresentationFlow

matplotlib.use("Agg")

import matplotlib.pyplot as plt

GRAY = (0.299, 0.587, 0.114)  # of red, green and blue, as in ITU-R BT.601


def gray_frames(video: Path, num_frames: int) -> torch.Tensor:
    """Consecutive frames in the middle of a video, (1, 1, T, H, W) in [0, 255]."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        pipeline = Compose(
            [
                dict(type="OpenVideo", min_frames=num_frames),
                dict(type="SampleFrames", clip_len=num_frames, test_mode=True),
                dict(type="DecodeFrames"),
            ]
        )
    results = pipeline(dict(filename=str(video), start_index=0, modality="RGB"))
    frames = torch.stack([torch.from_numpy(image) for image in results["imgs"]])
    return (frames.float() @ torch.tensor(GRAY))[None, None]


def layers_of_model(
    config: str, checkpoint: str, video: Path
) -> dict[str, tuple[RepresentationFlow, torch.Tensor]]:
    """The flow layers of a model, and the features that reach them."""
    model = init_recognizer(Config.fromfile(config), device="cpu")
    load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
    with FlowRecorder(model) as recorder, torch.no_grad():
        model.test_step(read_clip(model.cfg, video))
    return {
        name: (recorder.layers[name], features)
        for name, features in recorder.inputs.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("config", nargs="?", metavar="CONFIG")
    parser.add_argument("checkpoint", nargs="?", metavar="CHECKPOINT")
    parser.add_argument("--out", type=Path, default=Path("energy.png"))
    parser.add_argument("--n-iters", type=int, default=50)
    parser.add_argument(
        "--variants", nargs="+", default=["tvl1"], help="without CONFIG"
    )
    parser.add_argument("--num-frames", type=int, default=9, help="without CONFIG")
    args = parser.parse_args()
    if args.config and not args.checkpoint:
        parser.error("CONFIG needs a CHECKPOINT")
    if args.n_iters < 1 or args.num_frames < 2:
        parser.error("--n-iters must be at least 1, --num-frames at least 2")

    try:
        if args.config:
            layers = layers_of_model(args.config, args.checkpoint, args.video)
        else:
            frames = gray_frames(args.video, args.num_frames)
            layers = {
                variant: (RepresentationFlow(1, variant=variant), frames)
                for variant in args.variants
            }
        curves = {}
        figure, axis = plt.subplots(figsize=(7, 4))
        for name, (layer, features) in Progress(layers.items(), unit="layer"):
            energies, _ = energy_by_iteration(layer, features, args.n_iters)
            energies = energies.flatten(1).mean(1)
            if energies[0] == 0:
                raise ValueError(f"nothing moves in {args.video}: the energy is 0")
            energies = (energies / energies[0]).tolist()
            curves[name] = [round(energy, 4) for energy in energies]
            (line,) = axis.plot(energies, label=name)
            if layer.n_iters <= args.n_iters:
                value = energies[layer.n_iters]
                axis.plot(layer.n_iters, value, "o", color=line.get_color())
                Progress.write(
                    f"{name}: {value:.3f} after its {layer.n_iters} iterations"
                )
            Progress.write(
                f"{name}: {energies[-1]:.3f} after {args.n_iters} iterations"
            )
        axis.set_xlabel("iterations")
        axis.set_ylabel("energy, as a share of no flow's")
        axis.set_ylim(bottom=0)
        axis.legend()
        figure.tight_layout()
        figure.savefig(args.out, dpi=150)
        args.out.with_suffix(".json").write_text(json.dumps(curves) + "\n")
    except (OSError, RuntimeError, ValueError) as error:  # also VideoError
        parser.error(str(error))
    print(args.out)


if __name__ == "__main__":
    run_tool(main)
