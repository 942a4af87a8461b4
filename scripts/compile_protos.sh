#!/usr/bin/env bash
# Generate the gRPC stubs from the protocol; a test fails when they are stale.
# Usage: scripts/compile_protos.sh [OUTPUT_FOLDER]   (src by default: beside the protocol)
set -euo pipefail
cd "$(dirname "$0")/.."

OUTPUT=${1:-src}
PYTHON=${PYTHON:-.venv/bin/python}

mkdir -p "$OUTPUT"
"$PYTHON" -m grpc_tools.protoc --proto_path=src \
    --python_out="$OUTPUT" --pyi_out="$OUTPUT" --grpc_python_out="$OUTPUT" \
    src/morphml/engines/remote/proto/worker.proto
