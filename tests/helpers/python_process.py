"""Code in a process of its own."""

import subprocess
import sys


def python(code, cwd=None):
    """Run code; returns the finished process."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)
