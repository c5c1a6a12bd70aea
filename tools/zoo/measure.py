"""Former name of ``count_flops.py``, until the next release."""

from flowzoo.deprecated import run_tool

run_tool(__file__, "count_flops.py")
