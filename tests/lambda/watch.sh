#!/usr/bin/env bash
# Every function on this machine, behind a Lambda emulator. Its home begins with what events/fixtures holds.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"
export MLOPS_HOME="${MLOPS_HOME:-$PWD/target/watch}"
export MLOPS_STORE=s3://mlops-store MLOPS_BUCKETS=mlops-fixtures
# The deliveries in events/issue-detector are signed with this.
export MLOPS_SECRET_GITHUB_WEBHOOK_SECRET=secret-of-the-fixtures
# The calls in events/mcp have this key.
export MLOPS_SECRET_MCP_API_KEY=key-of-the-fixtures
unset MLOPS_LANG MLOPS_SECRETS_FILE
mkdir -p "$MLOPS_HOME"
cp -r --no-clobber events/fixtures/. "$MLOPS_HOME/"
exec cargo lambda watch "$@"
