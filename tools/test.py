"""Test a recognizer: python tools/test.py CONFIG CHECKPOINT [--help for options]."""

from mmaction_tool import run_mmaction_tool

if __name__ == "__main__":
    run_mmaction_tool("test.py")
