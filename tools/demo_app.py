"""Show in a web page what a network makes of a video.

usage: python tools/demo_app.py [--config CONFIG --weights FILE]

Needs Gradio: pip install -c constraints.txt -e ".[app]". The page is on this machine
alone, at http://127.0.0.1:7860, and takes a video file or a recording of the camera.
The models to choose from are those of the zoo that classify videos, and CONFIG.
"""

# ruff: noqa: E402
import argparse
import os
import signal
import tempfile
import threading

from mmaction_tool import wait_passively

wait_passively()  # before torch is loaded

import flowzoo  # noqa: F401
from flowzoo.interrupts import run_tool


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", help="of FlowZoo or mmaction2")
    parser.add_argument("--weights", help="of that config")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0: for all machines")
    parser.add_argument("--port", type=int, default=7860)
    args = parser.parse_args()
    if (args.config is None) != (args.weights is None):
        parser.error("give --config and --weights together")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the same as Ctrl-C
    with tempfile.TemporaryDirectory(prefix="flowzoo_") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # uploads; read when it is imported
        serve(args, parser)


def serve(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Show the page until Ctrl-C."""
    try:
        from flowzoo.app.page import make_page
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        parser.error(
            'the page needs Gradio: pip install -c constraints.txt -e ".[app]"'
        )
    models = {args.config: (args.config, args.weights)} if args.config else {}
    page = make_page(models)
    try:
        _, address, _ = page.launch(
            server_name=args.host,
            server_port=args.port,
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError as error:  # the port is in use
        parser.error(f"{error}; choose another --port")
    print(f"the page is at {address} until you press Ctrl-C", flush=True)
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)


if __name__ == "__main__":
    run_tool(main)
