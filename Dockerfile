# syntax=docker/dockerfile:1.7
# The MCP endpoint as a container, for ECS or any other place that runs one: `docker build -t mlops .`
# For a fleet on AWS: `docker build --target aws --build-arg BINARY=mcp -t mlops-mcp .`; cdk/ runs that image.
#   docker run -p 8080:8080 -e MLOPS_SECRET_MCP_API_KEY -e MLOPS_MCP_HOSTS=mlops.example.org -v mlops:/home/mlops mlops
FROM rust:1.95-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY . .
# mlops: the fleet on one machine. mcp: the endpoint alone, over the services of AWS.
ARG BINARY=mlops
# One file that needs no library: the image has nothing else that could be out of date.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    target="$(rustc -vV | sed -n 's/^host: //p')" \
    && if [ "$BINARY" = mcp ]; then \
         cargo build --release --locked --package mcp-endpoint --no-default-features --features aws --target "$target"; \
       else \
         cargo build --release --locked --package mlops --target "$target"; \
       fi \
    && mkdir -p /image/home/mlops /image/tmp \
    && cp "target/$target/release/$BINARY" "/image/$BINARY"

FROM busybox:1.37-musl AS busybox

FROM scratch AS base
COPY --from=build --chown=65532:65532 /image/ /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# For the health check alone.
COPY --from=busybox /bin/busybox /bin/wget
USER 65532:65532
WORKDIR /home/mlops
EXPOSE 8080
# The process ends open requests itself when it is told to.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]

FROM base AS aws
ENTRYPOINT ["/mcp"]
CMD ["--http", "0.0.0.0:8080"]

FROM base AS local
ENV MLOPS_HOME=/home/mlops
VOLUME /home/mlops
ENTRYPOINT ["/mlops"]
CMD ["mcp", "--http", "0.0.0.0:8080"]
