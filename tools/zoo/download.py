"""List the model zoo and download checkpoints from it.

usage: python tools/zoo/download.py NAME [NAME ...] | --all | --list | --search TEXT

A checkpoint is fetched once, compared with its SHA-256, and kept in FlowZoo's cache.
`flowzoo://NAME` in a config (load_from, init_cfg) or as tools/test.py's CHECKPOINT does
the same by itself. FLOWZOO_ZOO_URL names other places to look, FLOWZOO_DATA the cache.
"""

import argparse

from flowzoo.zoo import DownloadError, Model, download, models


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
        for model in models().values():
            if text in f"{model.name} {model.dataset} {model.family}".lower():
                print(describe(model))
    names = [m.name for m in models().values() if m.checkpoint] if args.all else []
    for name in names + args.names:
        try:
            print(download(name))
        except (LookupError, DownloadError) as error:
            raise SystemExit(error.args[0]) from None


if __name__ == "__main__":
    main()
