# syntax=docker/dockerfile:1
# The suite as an image: not root, nothing written but to /reports. The entry point is the command.
#   docker build -t genstore-conformance:0.1.0 .
#   docker run --rm --read-only -v "$PWD:/target:ro" -v "$PWD/reports:/reports" -e GENSTORE_TOKEN \
#     genstore-conformance:0.1.0 run /target/staging.yaml
FROM python:3.12-slim AS build
WORKDIR /source
COPY ci/requirements.lock ./
RUN python -m venv /opt/conformance \
 && /opt/conformance/bin/python -m pip install --no-cache-dir --no-compile --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY conformance ./conformance
COPY spec ./spec
RUN /opt/conformance/bin/python -m pip install --no-cache-dir --no-compile --no-deps . \
 && /opt/conformance/bin/python -m compileall -q /opt/conformance/lib \
 && /opt/conformance/bin/python -m pip uninstall --yes --quiet pip

FROM python:3.12-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="genstore-conformance" \
      org.opencontainers.image.description="A conformance suite for the Genstore refund API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/conformance/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
COPY --from=build /opt/conformance /opt/conformance
RUN install -d -o 65532 -g 65532 /reports
WORKDIR /reports
VOLUME ["/reports", "/tmp"]
USER 65532:65532
ENTRYPOINT ["genstore-conformance"]
CMD ["run", "--out", "/reports"]
