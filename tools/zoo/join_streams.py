"""Former name of ``merge_streams.py``, until the next release."""

from flowzoo.deprecated import run_tool

run_tool(__file__, "merge_streams.py")
