#!/usr/bin/env bash
# Install FlowZoo into .venv, train RepFlow-ResNet-18 on MotionShapes and test it.
# usage: bash tools/quickstart.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/venv.sh
python tools/train.py configs/repflow_r18_motionshapes.py
python tools/test.py configs/repflow_r18_motionshapes.py \
    "$(cat work_dirs/repflow_r18_motionshapes/last_checkpoint)"
