"""Does TV-L1 flow in the data pipeline starve a training step?

    python benchmarks/bench_flow_pipeline.py VIDEOS [--workers 1] [--steps 12]

Trains the flow network of tvl1_r34_minikinetics.py (ResNet-34, 16 frames of 112 x 112)
on the CPU, in one thread, while workers decode videos and, in the second run, compute
`TVL1Flow` on the frames of 128 pixels' height. Reported are the time of a step, how
long it waited for its batch, the first steps left out, and what a clip costs a worker.
Written to benchmarks/results/flow_pipeline_cpu.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import timing
import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader, Dataset

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config

RESULTS = timing.RESULTS / "flow_pipeline_cpu.json"
LEFT_OUT = 2  # steps, while workers start and kernels are loaded


class Clips(Dataset):
    def __init__(self, videos: list[Path], count: int, pipeline: list[dict]) -> None:
        self.videos, self.count = videos, count
        with DefaultScope.overwrite_default_scope("mmaction"):
            self.pipeline = Compose([TRANSFORMS.build(step) for step in pipeline])

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        video = self.videos[index % len(self.videos)]
        sample = dict(filename=str(video), label=0, start_index=0, modality="RGB")
        torch.set_num_threads(1)
        return self.pipeline(sample)


def pipelines(config: Config) -> dict[str, list[dict]]:
    """The config's own for RGB, and the same with flow before it crops."""
    rgb = [dict(step) for step in config.train_dataloader.dataset.pipeline]
    resize = next(i for i, step in enumerate(rgb) if step["type"] == "Resize") + 1
    crops = [
        step if step["type"] in ("FormatShape", "PackActionInputs")
        else dict(type="TransformWithFlow", transform=step)
        for step in rgb[resize:]
    ]  # fmt: skip
    crops.insert(-2, dict(type="FlowAsFrames"))
    flow = [*rgb[:resize], dict(type="TVL1Flow", preset="fast"), *crops]
    return {"frames": rgb, "flow": flow}


def measure(model, optimizer, loader: DataLoader, channels: int) -> dict[str, float]:
    waits, steps = [], []
    batches = iter(loader)
    while True:
        start = time.perf_counter()
        try:
            batch = next(batches)
        except StopIteration:
            break
        ready = time.perf_counter()
        clips = torch.stack([sample["inputs"] for sample in batch]).float()
        samples = [ActionDataSample().set_gt_label(0) for _ in batch]
        losses = model(clips[:, :, :channels] / 255, samples, mode="loss")
        optimizer.zero_grad()
        losses["loss_cls"].backward()
        optimizer.step()
        waits.append(ready - start)
        steps.append(time.perf_counter() - ready)
    waits, steps = waits[LEFT_OUT:], steps[LEFT_OUT:]
    return {
        "seconds of a step": round(sum(steps) / len(steps), 3),
        "seconds waited for its batch": round(sum(waits) / len(waits), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = Config.fromfile(find_config("tvl1_r34_minikinetics.py"))
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    videos = sorted(path for path in args.videos.iterdir() if path.is_file())
    report = timing.environment("cpu", "numba") | {
        "workers": args.workers,
        "batch size": args.batch_size,
    }
    for name, pipeline in pipelines(config).items():
        data = Clips(videos, args.steps * args.batch_size, pipeline)
        loader = DataLoader(
            data, args.batch_size, num_workers=args.workers, collate_fn=list
        )
        data[0]  # loads what is compiled
        start = time.process_time()
        for index in range(1, 5):
            data[index]
        alone = (time.process_time() - start) / 4
        report[name] = measure(model, optimizer, loader, 2) | {
            "CPU seconds of a clip in a worker": round(alone, 3),
            "load": timing.load(),
        }
        print(name, report[name], flush=True)
    print(json.dumps(report, indent=1))
    timing.write(args.out, report)


if __name__ == "__main__":
    main()
