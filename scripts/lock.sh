#!/usr/bin/env bash
# Resolves requirements/*.in into locks with hashes, valid on every platform, that name no index.
set -euo pipefail
compile() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --generate-hashes "$@"; }
compile requirements/core.in -o requirements/core.txt
compile requirements/dev.in -c requirements/core.txt -o requirements/dev.txt
compile requirements/peers.in -o requirements/peers.txt
compile requirements/store.in -o requirements/store.txt
