#!/bin/sh
# Everything that needs a GPU, in two steps: the tests, then the benchmarks.
#   sh benchmarks/gpu_check.sh [tests|bench]
set -e
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python}
if [ "${1:-tests}" = tests ]; then
    "$PYTHON" -m pytest tests/gpu -x -ra
fi
if [ "${1:-bench}" = bench ]; then
    "$PYTHON" benchmarks/bench_repflow.py --device cuda
    "$PYTHON" benchmarks/bench_motion_loss.py --device cuda --compile --rounds 30
fi
