#!/usr/bin/env bash
# Everything that can be said of the code without running it. Stops at the first kind of fault.
set -euo pipefail
bin=.venv/bin
$bin/ruff check .
$bin/mypy
$bin/lint-imports --no-cache
$bin/django-admin makemigrations --check --dry-run --settings essaim.config.settings >/dev/null \
  || { echo "Des migrations manquent : django-admin makemigrations" >&2; exit 1; }
$bin/essaim docs --check
# Vulnerabilities need the network: told, never blocking, when it cannot be reached.
timeout 60 $bin/pip-audit --disable-pip --require-hashes -r requirements/core.txt --progress-spinner off 2>/tmp/essaim-audit.log \
  || { if grep -qiE 'connection|resolve|timed out|unreachable|max retries|HTTPError|ServiceError' /tmp/essaim-audit.log; then echo "pip-audit : réseau indisponible, vérification sautée"; else cat /tmp/essaim-audit.log; exit 1; fi; }
echo "check : tout est en ordre"
