#!/usr/bin/env bash
# Lint the protocol, and compare it with the last release: old workers must understand new masters.
# Tests run it in CI. Usage: scripts/check_protos.sh   (`make install-dev` brings buf; BUF names another)
set -euo pipefail
cd "$(dirname "$0")/.."

BUF=${BUF:-.venv/bin/buf}

"$BUF" lint
LAST=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [ -z "$LAST" ] || ! git cat-file -e "$LAST:src/morphml/engines/remote/proto/worker.proto" 2>/dev/null; then
    echo "lint passed; no release has the protocol yet, so there is nothing that could break"
else
    "$BUF" breaking --against ".git#tag=$LAST"
    echo "lint passed; nothing that $LAST understands was broken"
fi
