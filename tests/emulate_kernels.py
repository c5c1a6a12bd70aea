"""Run the Triton kernels on an emulator of Nvidia GPUs, and compare with float64.

    python tests/emulate_kernels.py [--operator warp] [--minutes 30] [--missing]

Needs no GPU. Every case runs in order and in a random order of warps and blocks, with
memory and races checked; see helpers/ptx_emulator. Results of each version of
Triton are kept in benchmarks/results/emulator.json.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
import triton

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import timing
from helpers.emulated_cases import Case, all_cases, outcome

PATH = timing.OUTPUT / "emulator.json"
CHECKS = [
    "result as exact as eager's: at most twice its error, and a tolerance of the type",
    "every element of new tensors is written: they are full of NaN",
    "no access out of bounds, between a tensor's elements, or misaligned",
    "no read of shared memory that nobody has written",
    "no race in shared memory and in global memory",
    "no shuffle of a part of a warp, no barrier that some threads do not reach",
    "the same in a random order of warps and blocks, and with approximations off",
]


def run(case: Case) -> dict:
    start = time.perf_counter()
    in_order, random = outcome(case), outcome(case, seed=0)
    outcomes = in_order, random
    worst = max(in_order["errors"], key=lambda name: in_order["errors"][name]["error"])
    return {
        "case": case.name,
        "launches": in_order["launches"],
        "worst": worst,
        "error": float(f"{in_order['errors'][worst]['error']:.2g}"),
        "eager's error": float(f"{in_order['errors'][worst]['eager']:.2g}"),
        "error, random order": float(f"{random['errors'][worst]['error']:.2g}"),
        "wrong": sorted(
            {n for o in outcomes for n, e in o["errors"].items() if e["wrong"]}
        ),
        "findings": sorted({finding for o in outcomes for finding in o["findings"]}),
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--operator", help="the cases of one operator only")
    parser.add_argument(
        "--minutes", type=float, default=1e9, help="start no case later"
    )
    parser.add_argument(
        "--missing", action="store_true", help="only cases that have no result"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    end = time.time() + 60 * arguments.minutes
    report = json.loads(PATH.read_text()) if PATH.exists() else {"checks": CHECKS}
    rows = report.setdefault("triton", {}).setdefault(triton.__version__, {})
    cases = [c for c in all_cases() if arguments.operator in (None, c.operator)]
    for operator in {case.operator for case in cases}:
        if not (arguments.missing and operator in rows):
            rows[operator] = []
    done = {(operator, row["case"]) for operator in rows for row in rows[operator]}
    for case in cases:
        if (case.operator, case.name) in done:
            continue
        if time.time() > end:
            sys.exit(f"out of time before {case}")
        row = run(case)
        bad = row["wrong"] or row["findings"]
        print("BAD" if bad else "ok ", case, row, flush=True)
        rows[case.operator].append(row)
        timing.write(PATH, report)
    if any(r["wrong"] or r["findings"] for rs in rows.values() for r in rs):
        sys.exit("some cases are wrong")


if __name__ == "__main__":
    main()
