"""What is tested here, importing flowzoo brings about."""

import flowzoo  # noqa: F401
