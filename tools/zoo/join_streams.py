"""Former name of ``merge_streams.py``; goes in the next release."""

from flowzoo.deprecated import run_tool

run_tool(__file__, "merge_streams.py")
