# Sourced by quickstart.sh and run_tests.sh: makes the virtual environment (VENV,
# default .venv) with PYTHON (default python3), installs FlowZoo as the README says.
# CONSTRAINTS and EXTRAS are others than constraints.txt and test for test_matrix.sh and CI.
VENV=${VENV:-.venv}
CONSTRAINTS=${CONSTRAINTS:-constraints.txt}
[ -d "$VENV" ] || "${PYTHON:-python3}" -m venv "$VENV"
. "$VENV/bin/activate"
python -m pip install -c "$CONSTRAINTS" -e ".[${EXTRAS:-test}]"
# Three of the packages above bring an OpenCV each; the one that wins needs libGL, which
# slim images and servers lack. The headless build of the same version does without.
python -c "import cv2" 2>/dev/null || python -m pip install -c "$CONSTRAINTS" \
    --force-reinstall --no-deps opencv-contrib-python-headless
