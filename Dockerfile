# Both variants from one file: `docker build --build-arg VARIANT=cpu .`, or cuda. CUDA's libraries come as wheels, so both
# stand on the same base; a cluster's NVIDIA runtime brings the driver. Pin the base by its digest where you build.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG VARIANT=cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source

# An environment without pip; the one outside fills it with exactly what the lock file names, by hash. First, since it
# changes less often than the code.
COPY locks/ locks/
RUN python -m venv --without-pip /opt/sluicegate \
    && pip --python /opt/sluicegate install --require-hashes --only-binary :all: --requirement "locks/${VARIANT}.txt" \
    && pip install --require-hashes --only-binary :all: --requirement locks/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY consumer/ consumer/
COPY producer/ producer/
COPY schemas/ schemas/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/sluicegate install --no-deps --no-index /wheels/*.whl

FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.title="sluicegate" \
      org.opencontainers.image.description="Image moderation on your own hardware" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed here any more, by anybody.
RUN python -m pip uninstall --yes pip setuptools wheel && rm -rf /usr/local/lib/python3.11/ensurepip
COPY --from=build /opt/sluicegate /opt/sluicegate
# The root file system may be read-only: all that is ever written goes to /tmp.
ENV PATH=/opt/sluicegate/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["sluicegate"]
CMD ["--help"]
