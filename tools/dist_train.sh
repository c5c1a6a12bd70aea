#!/usr/bin/env bash
# Train on several GPUs (or CPU processes) of this machine or, with NNODES, of several.
# usage: tools/dist_train.sh CONFIG PROCESSES [options of train.py]
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
config=$1 processes=$2
shift 2
exec torchrun \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    --nproc_per_node="$processes" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
