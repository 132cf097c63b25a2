#!/usr/bin/env bash
# The whole suite on SQLite and, at the same time, the tests that touch the database again on PostgreSQL: each waits where the other works.
set -uom pipefail  # -m: what runs beside hears an interruption, and stops its server
# Four processes share two processors: each computes on one thread, none waits turning.
export POLARS_MAX_THREADS=1 RAYON_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
pytest=(.venv/bin/python -m pytest -q)
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  told=$(mktemp)
  ESSAIM_TEST_DATABASE=postgres "${pytest[@]}" -m "database and not slow and not browser" \
    tests/foundation tests/territories tests/equipment tests/evaluation tests/portal "$@" >"$told" 2>&1 &
  again=$!
  trap 'kill -INT $again 2>/dev/null; wait $again; rm -f "$told"' EXIT
fi
"${pytest[@]}" -n 3 --dist loadfile --no-loadscope-reorder -m "not slow" "$@"
status=$?
if [ -z "${again:-}" ]; then
  echo "== PostgreSQL sauté : initdb introuvable (apt-get install postgresql)"
elif [ $status -eq 0 ]; then
  wait $again
  status=$?
  echo "== PostgreSQL"
  cat "$told"
fi
exit $status
