# syntax=docker/dockerfile:1.7
# The MCP endpoint as a container, for ECS or any other place that runs one: `docker build -t mlops .`
#   docker run -p 8080:8080 -e MLOPS_SECRET_MCP_API_KEY -e MLOPS_MCP_HOSTS=mlops.example.org -v mlops:/home/mlops mlops
FROM rust:1.95-slim-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY . .
# One file that needs no library: the image has nothing else that could be out of date.
ENV RUSTFLAGS="-C target-feature=+crt-static"
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    target="$(rustc -vV | sed -n 's/^host: //p')" \
    && cargo build --release --locked --package mlops --target "$target" \
    && mkdir -p /image/home/mlops /image/tmp \
    && cp "target/$target/release/mlops" /image/mlops

FROM busybox:1.37-musl AS busybox

FROM scratch
COPY --from=build --chown=65532:65532 /image/ /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# For the health check alone.
COPY --from=busybox /bin/busybox /bin/wget
USER 65532:65532
WORKDIR /home/mlops
ENV MLOPS_HOME=/home/mlops
VOLUME /home/mlops
EXPOSE 8080
# The process ends open requests itself when it is told to.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 \
    CMD ["/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["/mlops"]
CMD ["mcp", "--http", "0.0.0.0:8080"]
