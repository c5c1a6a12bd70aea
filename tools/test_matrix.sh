#!/usr/bin/env bash
# Run the tests with several versions of Python and torch, one environment after another.
# usage: bash tools/test_matrix.sh [--python "3.10 3.13"] [--torch "2.7.* newest"]
#            [--results FILE] [-- options of pytest]
# Each environment is made in a temporary folder ($TMPDIR) and removed afterward; the
# releases of torch for GPUs take several GB. A Python is python3.X on the PATH, or
# pyenv's. Whatever fails, the next one is tried. A line for each is appended to FILE.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
pythons="3.10 3.11 3.12 3.13"
torches="2.7.* 2.9.* newest"
results=benchmarks/results/test_matrix.md
while [ $# -gt 0 ]; do
    case $1 in
        --python) pythons=$2 ;;
        --torch) torches=$2 ;;
        --results) results=$2 ;;
        --) shift; break ;;
        *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
    esac
    shift 2
done

find_python() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        "$candidate" -c "" 2>/dev/null && echo "$candidate" && return
    done
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
[ -f "$results" ] || {
    echo "| date | commit | Python | torch | result | minutes | options of pytest |"
    echo "| --- | --- | --- | --- | --- | --- | --- |"
} > "$results"
first=$(($(wc -l < "$results") + 1))
failures=0
set -f  # a torch of 2.7.* is no pattern of files
for version in $pythons; do
    for torch in $torches; do
        echo "== Python $version, torch $torch"
        begin=$(date +%s)
        commit=$(git rev-parse --short HEAD)
        found=$torch
        if python=$(set +f; find_python "$version"); then
            {
                grep -vE "^(torch|triton|sympy)==" constraints.txt  # torch names them exactly
                [ "$torch" = newest ] || echo "torch==$torch"
            } > "$folder/constraints.txt"
            VENV=$folder/venv PYTHON=$python CONSTRAINTS=$folder/constraints.txt \
                EXTRAS=test,notebook bash tools/run_tests.sh "$@" 2>&1 |
                tee "$folder/log" || failures=$((failures + 1))
            found=$("$folder/venv/bin/python" -c \
                "import torch, platform as p; print(torch.__version__)" 2>/dev/null) ||
                found=$torch
            result=$(grep -E "(passed|failed|error).* in [0-9.]+s" "$folder/log" |
                tail -n 1 | sed -E "s/=//g; s/^ *//; s/ in [0-9.]+s.*//")
            [ -n "$result" ] || result="not installed: $(tail -n 1 "$folder/log")"
        else
            result="no python$version here"
            failures=$((failures + 1))
        fi
        minutes=$((($(date +%s) - begin + 30) / 60))
        echo "| $(date -u +%F) | $commit | $version | $found | ${result//|/ } |" \
            "$minutes | $* |" >> "$results"
        rm -rf "$folder/venv" "$folder/log"
    done
done
head -n 2 "$results"
tail -n "+$first" "$results"
[ "$failures" = 0 ]
