#!/usr/bin/env bash
# Installs what `make check` and `make coverage` need beyond Rust. Run again it does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
# The tools are no crates of this workspace.
unset RUSTC_WORKSPACE_WRAPPER

if ! command -v cargo-nextest >/dev/null; then cargo install --locked cargo-nextest; fi
# Not optimised: it looks at a few hundred crates in three seconds then, and is compiled in a minute instead of five.
if ! command -v cargo-deny >/dev/null; then cargo install --locked --debug cargo-deny; fi

wanted=()
command -v chromium >/dev/null || wanted+=(chromium)
command -v valgrind >/dev/null || wanted+=(valgrind)
[ -x /usr/bin/llvm-cov-22 ] || wanted+=(llvm-22)
if [ ${#wanted[@]} -gt 0 ]; then
  sudo=$(command -v sudo || true)
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${wanted[@]}" >/dev/null
fi

stamp=.venv/.requirements
if ! cmp -s tests/requirements.txt "$stamp"; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
  cp tests/requirements.txt "$stamp"
fi

mkdir -p target/node-tools
if ! cmp -s tests/package.json target/node-tools/package.json; then
  cp tests/package.json target/node-tools/package.json
  npm install --silent --no-audit --no-fund --prefix target/node-tools
fi
