#!/usr/bin/env bash
# Install FlowZoo with its test tools into .venv and run the tests.
# usage: bash tools/run_tests.sh [options of pytest]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/venv.sh
# A worker for each core; each computes in one thread, and a waiting thread sleeps.
# Files are tested in the order of tests/conftest.py.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"
python -m pytest -n auto --dist loadfile --no-loadscope-reorder "$@"
