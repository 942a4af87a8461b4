#!/usr/bin/env bash
# Lint the protocol, and compare it with the last release: old workers must understand new masters.
# Uses `buf` where it is installed; else takes it from npm into node_modules (ignored by git).
set -euo pipefail
cd "$(dirname "$0")/.."

BUF=$(command -v buf || true)
if [ -z "$BUF" ]; then
    BUF=node_modules/.bin/buf
    if [ ! -x "$BUF" ]; then
        if ! command -v npm >/dev/null; then
            echo "SKIPPED: the protocol is not checked, since neither buf nor npm is installed" >&2
            exit 0
        fi
        npm install --no-save --no-package-lock --silent @bufbuild/buf
    fi
fi

"$BUF" lint
LAST=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)
if [ -z "$LAST" ] || ! git cat-file -e "$LAST:src/morphml/engines/remote/proto/worker.proto" 2>/dev/null; then
    echo "lint passed; no release has the protocol yet, so there is nothing that could break"
else
    "$BUF" breaking --against ".git#tag=$LAST"
    echo "lint passed; nothing that $LAST understands was broken"
fi
