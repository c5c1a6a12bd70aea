"""Former name of ``convert.py hidden_two_stream``, until the next release."""

from flowzoo.deprecated import run_tool

run_tool(__file__, "convert.py", "hidden_two_stream")
