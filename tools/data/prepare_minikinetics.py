"""Pick the 150 classes of Mini-Kinetics out of the annotation files of Kinetics-400.

mmaction2's scripts for Kinetics-400 (preprocess_k400.sh, then
generate_videos_filelist.sh kinetics400) write lines of "CLASS/VIDEO LABEL". Those whose
class is in label_map_minikinetics.txt are kept, with its line number for a label: the
classes and their order are those of the authors of Representation Flow for Action
Recognition (their data/kinetics/minikinetics_cls.json). The videos stay where they are.
"""

import argparse
import sys
from pathlib import Path

CLASSES = Path(__file__).with_name("label_map_minikinetics.txt")


def plain(name: str) -> str:
    """A class name without what scripts change in folder names."""
    return "".join(c for c in name.lower() if c.isalnum())


def pick(lines: list[str], labels: dict[str, int]) -> list[str]:
    """The lines of those classes, with their labels."""
    kept = []
    for line in lines:
        video = line.rsplit(maxsplit=1)[0] if line.strip() else ""
        label = labels.get(plain(Path(video).parent.name))
        if label is not None:
            kept.append(f"{video} {label}")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = Path("data/kinetics400")
    for split in ("train", "val"):
        parser.add_argument(
            f"--{split}",
            type=Path,
            default=folder / f"kinetics400_{split}_list_videos.txt",
            help="default: %(default)s",
        )
    parser.add_argument("--out", type=Path, default=Path("data/minikinetics"))
    args = parser.parse_args()

    names = CLASSES.read_text().splitlines()
    labels = {plain(name): label for label, name in enumerate(names)}
    args.out.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        source = getattr(args, split)
        if not source.is_file():
            parser.error(f"no file {source.resolve()}")
        kept = pick(source.read_text().splitlines(), labels)
        found = {int(line.rsplit(maxsplit=1)[1]) for line in kept}
        if missing := [name for i, name in enumerate(names) if i not in found]:
            sys.exit(
                f"{source} has no videos of {len(missing)} of the {len(names)} classes "
                f"({', '.join(missing[:3])}, ...); lines of 'CLASS/VIDEO LABEL' are "
                "needed"
            )
        out = args.out / f"{split}.txt"
        out.write_text("".join(f"{line}\n" for line in kept))
        print(f"{out}: {len(kept)} videos of {len(found)} classes")


if __name__ == "__main__":
    main()
