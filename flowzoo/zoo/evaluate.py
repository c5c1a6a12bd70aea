"""Testing a checkpoint, as the numbers of the zoo were measured."""

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

DIGITS = 4


def evaluate(config: Path, checkpoint: str, work_dir: Path) -> dict[str, float]:
    """Metrics of a checkpoint on the test split of its config."""
    config = Config.fromfile(config)
    config.load_from = checkpoint
    config.work_dir = str(work_dir)
    metrics = Runner.from_cfg(config).test()
    return {key: round(float(value), DIGITS) for key, value in metrics.items()}
