#!/usr/bin/env bash
# The whole suite on SQLite, then the tests that touch the database again on PostgreSQL.
set -uo pipefail
pytest=(.venv/bin/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow")
"${pytest[@]}" "$@"
status=$?
if [ $status -ne 0 ]; then exit $status; fi
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  echo "== PostgreSQL"
  ESSAIM_TEST_DATABASE=postgres .venv/bin/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "database and not slow and not browser" \
    tests/foundation tests/territories tests/equipment tests/evaluation tests/portal "$@"
else
  echo "== PostgreSQL sauté : initdb introuvable (apt-get install postgresql)"
fi
