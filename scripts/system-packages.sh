#!/usr/bin/env bash
# Installs the system programs that tests and benchmarks use, when it may; says plainly what will be skipped otherwise.
# Usage: system-packages.sh chromium postgresql java wrk
set -uo pipefail
missing=()
for need in "$@"; do
  case $need in
    chromium) command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null || missing+=(chromium-headless-shell) ;;
    postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql) ;;
    java) command -v java >/dev/null || missing+=(default-jre-headless) ;;
    wrk) command -v wrk >/dev/null || missing+=(wrk) ;;
  esac
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installation de : ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  put() { apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
  apt-get update -qq >/dev/null 2>&1
  # Debian has the browser without its windows, which costs a third less, since 2024; Ubuntu and older ones have the whole.
  put "${missing[@]}" || put "${missing[@]/#chromium-headless-shell/chromium}" && exit 0
fi
echo "ATTENTION : ${missing[*]} absent(s) ; les vérifications qui en dépendent seront sautées, avec leur motif." >&2
exit 0
