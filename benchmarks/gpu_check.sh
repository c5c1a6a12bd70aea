#!/bin/sh
# Everything that needs a GPU, in three steps, each within ten minutes on a fast one:
#   sh benchmarks/gpu_check.sh tests           every kernel against its reference
#   sh benchmarks/gpu_check.sh bench           times, memory, results in benchmarks/results
#   sh benchmarks/gpu_check.sh train [FOLDER]  models on MotionShapes at full size
set -e
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python}
case ${1:-} in
tests)
    "$PYTHON" -m pytest tests/gpu -x -ra
    ;;
bench)
    "$PYTHON" benchmarks/bench_repflow.py --device cuda
    "$PYTHON" benchmarks/bench_motion_loss.py --device cuda --compile --rounds 30
    ;;
train)
    out=${2:-work_dirs/gpu}
    # ResNet-18 as published, not a quarter of its width
    "$PYTHON" tools/train.py configs/repflow_r18_motionshapes.py \
        --work-dir "$out/repflow_r18_motionshapes_full" --cfg-options \
        model.backbone.base_channels=64 model.cls_head.in_channels=512 \
        model.backbone.flow_cfg.bottleneck_channels=32 train_dataloader.num_workers=8 \
        default_hooks.checkpoint.max_keep_ckpts=2
    "$PYTHON" tools/train.py configs/motionnet/motionnet_motionshapes.py \
        --work-dir "$out/motionnet_motionshapes" --cfg-options \
        train_dataloader.num_workers=8 default_hooks.checkpoint.max_keep_ckpts=2
    ;;
*)
    sed -n '2,5s/^# *//p' "$0"
    exit 2
    ;;
esac
