"""The model zoo: index, flowzoo:// checkpoints, converters of published weights."""
