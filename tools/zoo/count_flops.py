"""Count parameters and multiply-adds of the zoo's models, into their metafiles.

usage: python tools/zoo/count_flops.py [NAME ...]      (default: every model)

Run it after adding a config to a metafile or changing a model, then
tools/zoo/build_model_zoo.py. A test compares the parameters with the built models.
"""

import argparse
from pathlib import Path

from mmengine.config import Config
from tqdm import tqdm

from flowzoo.config_lookup import current_model_name, find_config
from flowzoo.interrupts import run_tool
from flowzoo.zoo.complexity import complexity
from flowzoo.zoo.metafiles import read_metafiles, write_metafile
from flowzoo.zoo.protocol import counted_input


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    names = [current_model_name(name) for name in args.names]
    metafiles = list(read_metafiles())
    known = {Path(m["config"]).stem for _, file in metafiles for m in file["models"]}
    if unknown := sorted(set(names) - known):
        parser.error(f"no metafile has {', '.join(unknown)}")

    for path, metafile in metafiles:
        chosen = [
            entry
            for entry in metafile["models"]
            if not names or Path(entry["config"]).stem in names
        ]
        if not chosen:
            continue
        for entry in tqdm(chosen, desc=path.parent.name):
            config = Config.fromfile(find_config(entry["config"]))
            parameters, count = complexity(config, counted_input(config))
            entry["parameters"] = parameters
            if count is not None:
                entry["multiply_adds"] = int(count)
        write_metafile(path, metafile)


if __name__ == "__main__":
    run_tool(main)
