"""List the model zoo and download checkpoints from it.

usage: python tools/zoo/download.py NAME [NAME ...] | --all | --list | --search TEXT

A checkpoint is fetched once, compared with its SHA-256, and kept in FlowZoo's cache.
`flowzoo://NAME` in a config (load_from, init_cfg) or as tools/test.py's CHECKPOINT
fetches it too. FLOWZOO_ZOO_URL names other places to look, FLOWZOO_DATA the cache.
"""

import argparse

from flowzoo.interrupts import run_tool
from flowzoo.zoo import Model, download, models
from flowzoo.zoo.index import find_checkpoint


def describe(model: Model) -> str:
    weights = "no weights"
    if model.checkpoint:
        weights = f"{model.checkpoint.size / 2**20:.1f} MB"
    return f"{model.name:<44} {model.dataset:<16} {weights}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every trained model")
    parser.add_argument("--list", action="store_true", help="list all models")
    parser.add_argument("--search", metavar="TEXT", help="list those that match TEXT")
    args = parser.parse_args()
    if not (args.names or args.all or args.list or args.search):
        parser.error("name a model, or give --all, --list or --search TEXT")

    if args.list or args.search:
        text = (args.search or "").lower()
        found = [
            model
            for model in models().values()
            if text in f"{model.name} {model.dataset} {model.family}".lower()
        ]
        if not found:
            raise SystemExit(f"no model's name, dataset or family has {args.search!r}")
        print("\n".join(map(describe, found)))
    names = [m.name for m in models().values() if m.checkpoint] if args.all else []
    names += args.names
    try:
        for name in names:  # all of them before the first download
            find_checkpoint(name)
        for name in names:
            print(download(name))
    except LookupError as error:
        raise SystemExit(error.args[0]) from None
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    run_tool(main)
