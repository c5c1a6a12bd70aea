#!/usr/bin/env bash
# Install FlowZoo with its test tools into .venv and run the tests.
# usage: bash tools/run_tests.sh [options of pytest]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/venv.sh
python -m pytest "$@"
