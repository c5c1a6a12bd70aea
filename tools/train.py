"""Train a recognizer: python tools/train.py CONFIG [--help for the options]."""

from mmaction_tool import run_mmaction_tool

if __name__ == "__main__":
    run_mmaction_tool("train.py", "--resume continues from the last checkpoint")
