"""The three training modes of the hidden temporal stream, small, on MotionShapes.

    python benchmarks/hidden_two_stream_motionshapes.py MOTIONNET.pth [--seeds N] ...

MOTIONNET.pth is a checkpoint of configs/tinymotionnet_motionshapes.py, trained without
labels: flowzoo://tinymotionnet_motionshapes, or a file. For each seed:

1. `fixed`: mode (a), the classifier of hidden2s_r18_motionshapes_fixed.py
   on the flow of MotionNet as it is (computed once, at --starts places of each clip);
2. from there, for --finetune epochs with the rates of
   configs/hidden2s_r18_motionshapes.py, `fixed_longer`: mode (a) still; `action`: mode
   (b); `all`: mode (c);
3. `tsn`: the control, configs/tsn_r18_motionshapes.py, one frame of each clip;
4. `fusion`: the scores of tsn and all, 1 : 1.5; `fusion_chosen`: with the weights that
   are best on the validation split, as tools/analysis/fuse_scores.py --sweep chooses
   them.

Writes the accuracy on the test split to
benchmarks/results/hidden_two_stream_motionshapes.json, after every step.
"""

import argparse
import copy
import json
import math
import os
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from flowzoo.config_lookup import find_config
from flowzoo.score_fusion import fuse_scores, rank_weights, weight_grid

ROOT = Path(__file__).parents[1]
OUT = ROOT / "benchmarks" / "results" / "hidden_two_stream_motionshapes.json"
MIRRORED = {0: 1, 1: 0, 4: 5, 5: 4}  # classes, as in the configs' Flip
FRAMES, BATCH = 11, 16


def config_of(name: str) -> Config:
    return Config.fromfile(find_config(f"{name}.py"))


def load_clips(split: str, number: int | None) -> tuple[Tensor, list[int]]:
    """Videos (N, 3, T, H, W) uint8, and their labels."""
    pipeline = [
        dict(type="OpenVideo"),
        dict(type="SampleFrames", clip_len=16, test_mode=True),
        dict(type="DecodeFrames"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs"),
    ]
    dataset = DATASETS.build(
        dict(type="MotionShapesDataset", split=split, pipeline=pipeline, test_mode=True)
    )
    rows = [dataset[i] for i in range(min(number or len(dataset), len(dataset)))]
    clips = torch.stack([row["inputs"][0] for row in rows])
    return clips, [row["data_samples"].gt_label.item() for row in rows]


def mirror(clips: Tensor, labels: list[int]) -> tuple[Tensor, list[int]]:
    return clips.flip(-1), [MIRRORED.get(label, label) for label in labels]


def samples_of(labels: list[int]) -> list[ActionDataSample]:
    return [ActionDataSample().set_gt_label(label) for label in labels]


def set_rate(optimizer, base: list[float], step: int, steps: int, warmup: int) -> None:
    factor = min(1, (step + 1) / warmup) if warmup else 1
    factor *= (1 + math.cos(math.pi * step / steps)) / 2
    for group, rate in zip(optimizer.param_groups, base, strict=True):
        group["lr"] = rate * factor


class Experiment:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.train, self.labels = load_clips("train", args.clips)
        self.held_out = {split: load_clips(split, None) for split in ("val", "test")}
        last = self.train.shape[2] - FRAMES
        self.starts = (np.arange(args.starts) + 0.5) * last / args.starts
        self.middle = (self.train.shape[2] - FRAMES) // 2
        self.stream = self.new_stream("hidden2s_r18_motionshapes_fixed", 0)
        self.flows = self.cache_flows()

    def new_stream(self, name: str, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        cfg = config_of(name).model
        cfg.backbone.motion_net.init_cfg.checkpoint = self.args.motionnet
        model = MODELS.build(cfg)
        model.init_weights()
        return model

    def windows(self, clips: Tensor, start: int) -> Tensor:
        """Normalized clips of 11 frames, (N, 1, 3, 11, H, W)."""
        views = list(clips[:, None, :, start : start + FRAMES])
        return self.stream.data_preprocessor.preprocess(views, [])[0]

    @torch.no_grad()
    def flow_of(self, clips: Tensor, start: int) -> Tensor:
        motion_net = self.stream.backbone.motion_net.eval()
        return torch.cat(
            [
                motion_net(self.windows(part, start)[:, 0])[0].half()
                for part in clips.split(BATCH)
            ]
        )

    def cache_flows(self) -> dict[str, list[Tensor]]:
        mirrored, _ = mirror(self.train, self.labels)
        starts = self.starts.round().astype(int).tolist()
        return dict(
            plain=[self.flow_of(self.train, start) for start in starts],
            mirrored=[self.flow_of(mirrored, start) for start in starts],
            test=[self.flow_of(self.held_out["test"][0], self.middle)],
        )

    def batches(self, epochs: int, seed: int):
        rng = np.random.default_rng(seed)
        for _ in range(epochs):
            for rows in np.array_split(
                rng.permutation(len(self.train)), len(self.train) // BATCH
            ):
                yield rows, rng.random() < 0.5, rng

    def train_on_flows(self, model: nn.Module, name: str, epochs: int, seed: int):
        """Mode (a): the classifier alone, on the flows of the cache."""
        model.train()
        wrapper = build_optim_wrapper(model, config_of(name).optim_wrapper)
        optimizer = wrapper.optimizer
        base = [group["lr"] for group in optimizer.param_groups]
        steps = epochs * (len(self.train) // BATCH)
        for step, (rows, flip, rng) in enumerate(self.batches(epochs, seed)):
            kind = "mirrored" if flip else "plain"
            flows = self.flows[kind][rng.integers(len(self.starts))][rows].float()
            labels = [self.labels[row] for row in rows]
            if flip:
                labels = mirror(flows, labels)[1]
            warmup = 0 if "fixed" not in name else steps // 12
            set_rate(optimizer, base, step, steps, warmup)
            images = model.backbone.flow_to_image(flows)
            features = model.backbone.temporal(images).unsqueeze(2)
            loss = model.cls_head.loss(features, samples_of(labels))["loss_cls"]
            wrapper.update_params(loss)

    def train_on_clips(self, model: nn.Module, name: str, epochs: int, seed: int, take):
        """train_step of mmaction2; take(clips, start) makes the inputs."""
        model.train()
        wrapper = build_optim_wrapper(model, config_of(name).optim_wrapper)
        optimizer = wrapper.optimizer
        base = [group["lr"] for group in optimizer.param_groups]
        steps, log = epochs * (len(self.train) // BATCH), []
        for step, (rows, flip, rng) in enumerate(self.batches(epochs, seed)):
            clips, labels = self.train[rows], [self.labels[row] for row in rows]
            if flip:
                clips, labels = mirror(clips, labels)
            start = int(rng.integers(self.train.shape[2] - FRAMES + 1))
            set_rate(optimizer, base, step, steps, 0)
            inputs = list(take(clips, start))
            data = dict(inputs=inputs, data_samples=samples_of(labels))
            log.append(float(model.train_step(data, wrapper)["loss"]))
        return log

    @torch.no_grad()
    def scores(self, model: nn.Module, take=None, split: str = "test") -> Tensor:
        """Of the split's clips, or without take of the flows of the cache (test)."""
        model.eval()
        clips, labels = self.held_out[split]
        found = []
        for i in range(0, len(clips), BATCH):
            part = slice(i, i + BATCH)
            samples = samples_of(labels[part])
            if take is None:
                flows = self.flows["test"][0][part].float()
                images = model.backbone.flow_to_image(flows)
                features = model.backbone.temporal(images).unsqueeze(2)
                out = model.cls_head.predict(features, samples)
            else:
                inputs = list(take(clips[part], self.middle))
                out = model.test_step(dict(inputs=inputs, data_samples=samples))
            found += [sample.pred_score for sample in out]
        return torch.stack(found)

    def accuracy(self, scores: Tensor, split: str = "test") -> float:
        right = scores.argmax(1) == torch.tensor(self.held_out[split][1])
        return round(right.float().mean().item(), 4)

    def chosen_weights(self, streams: list[Tensor]) -> tuple[float, ...]:
        """The best on the validation split, as fuse_scores.py chooses them."""
        grid = weight_grid(len(streams))
        found = {w: self.accuracy(fuse_scores(streams, w), "val") for w in grid}
        return rank_weights(found)[0]

    def run(self, seed: int) -> dict:
        def clip(clips: Tensor, start: int) -> Tensor:
            return clips[:, None, :, start : start + FRAMES]

        def frame(clips: Tensor, start: int) -> Tensor:
            return clips[:, None, :, start + FRAMES // 2]

        args, row, began = self.args, dict(seed=seed), time.time()
        fixed = self.new_stream("hidden2s_r18_motionshapes_fixed", seed)
        self.train_on_flows(fixed, "hidden2s_r18_motionshapes_fixed", args.epochs, seed)
        row["fixed"] = self.accuracy(self.scores(fixed))
        longer = copy.deepcopy(fixed)
        self.train_on_flows(
            longer, "hidden2s_r18_motionshapes", args.finetune, seed + 100
        )
        row["fixed_longer"] = self.accuracy(self.scores(longer))
        print(row, flush=True)

        torch.manual_seed(seed)
        tsn = MODELS.build(config_of("tsn_r18_motionshapes").model)
        tsn.init_weights()
        self.train_on_clips(tsn, "tsn_r18_motionshapes", args.epochs, seed, frame)
        spatial = self.scores(tsn, frame)
        row["tsn"] = self.accuracy(spatial)
        for mode, name in (
            ("all", "hidden2s_r18_motionshapes"),
            ("action", "hidden2s_r18_motionshapes_action"),
        ):
            model = self.new_stream(name, seed)
            model.load_state_dict(fixed.state_dict())
            losses = self.train_on_clips(model, name, args.finetune, seed + 100, clip)
            temporal = self.scores(model, clip)
            row[mode] = self.accuracy(temporal)
            row[f"{mode}_loss"] = [round(losses[0], 3), round(losses[-1], 3)]
            if mode == "all":
                streams = [spatial, temporal]
                row["fusion"] = self.accuracy(fuse_scores(streams, (1, 1.5)))
                weights = self.chosen_weights(
                    [self.scores(tsn, frame, "val"), self.scores(model, clip, "val")]
                )
                row["chosen_weights"] = weights
                row["fusion_chosen"] = self.accuracy(fuse_scores(streams, weights))
            print(row, flush=True)
        row["minutes"] = round((time.time() - began) / 60, 1)
        return row


def write(args: argparse.Namespace, rows: list[dict]) -> None:
    names = ("fixed", "fixed_longer", "action", "all", "tsn", "fusion", "fusion_chosen")
    result = dict(
        what="accuracy on the 400 test clips of MotionShapes",
        settings=dict(
            motionnet=args.motionnet.rpartition("/")[2],
            train_clips=args.clips,
            epochs=args.epochs,
            finetune_epochs=args.finetune,
            starts=args.starts,
        ),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        mean={name: round(statistics.mean(r[name] for r in rows), 4) for name in names},
        runs=rows,
    )
    OUT.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("motionnet", metavar="MOTIONNET.pth")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--finetune", type=int, default=1, metavar="EPOCHS")
    parser.add_argument("--starts", type=int, default=1)
    args = parser.parse_args()
    if args.clips < BATCH:
        parser.error(f"--clips must be at least {BATCH}, a batch")
    with DefaultScope.overwrite_default_scope("mmaction"):
        experiment = Experiment(args)
        rows = []
        for seed in range(args.seeds):
            rows.append(experiment.run(seed))
            write(args, rows)
    print(json.loads(OUT.read_text())["mean"])


if __name__ == "__main__":
    main()
