"""Former name of ``convert.py i3d``, until the next release."""

from flowzoo.deprecated import run_tool

run_tool(__file__, "convert.py", "i3d")
