"""Ctrl-C ends a tool with one line instead of a traceback."""

import sys
from collections.abc import Callable

INTERRUPTED = 130  # the exit status of a shell's command that SIGINT ended


def run_tool(main: Callable[[], None], advice: str = "") -> None:
    """Run the main function of a command-line tool.

    Args:
        main: takes its arguments from ``sys.argv``.
        advice: how to continue after Ctrl-C.
    """
    try:
        main()
    except KeyboardInterrupt:
        print("\ninterrupted" + (f"; {advice}" if advice else ""), file=sys.stderr)
        sys.exit(INTERRUPTED)
