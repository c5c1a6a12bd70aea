#!/bin/sh
# See gpu_check.py beside this file.
exec "${PYTHON:-python3}" "$(dirname "$0")/gpu_check.py" "$@"
