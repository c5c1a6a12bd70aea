# docker build -t flowzoo [--build-arg TORCH_INDEX=URL] .
FROM python:3.11-slim

# Where torch comes from: empty for PyPI, whose wheel brings the CUDA libraries (and
# computes on CPUs too); PyTorch's index of CPU wheels makes a far smaller image.
ARG TORCH_INDEX=

# OpenCV's shared libraries; a C compiler, by which Triton builds its launchers
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home flowzoo

USER flowzoo
WORKDIR /home/flowzoo/flowzoo
ENV VIRTUAL_ENV=/home/flowzoo/venv PATH=/home/flowzoo/venv/bin:$PATH \
    PIP_NO_CACHE_DIR=1 FLOWZOO_DATA=/home/flowzoo/data
COPY --chown=flowzoo . .
RUN mkdir -p "$FLOWZOO_DATA" && python -m venv "$VIRTUAL_ENV" \
    && pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "$(grep '^torch==' constraints.txt)" \
    && pip install -c constraints.txt -e .
CMD ["bash"]
