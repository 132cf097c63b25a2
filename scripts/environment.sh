#!/usr/bin/env bash
# Creates the Python environment and puts uv in it. Usage: environment.sh PYTHON VENV
set -euo pipefail
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Essaim demande Python 3.11 ou plus récent ; « $python » est plus ancien. Essayez : make run PYTHON=python3.11" >&2
  exit 1
}
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
  else
    echo "Il manque le module venv de Python. Sur Debian : sudo apt-get install python3-venv" >&2
    exit 1
  fi
fi
[ -x "$venv/bin/python" ] || { echo "Préparation de l'environnement Python…"; "$python" -m venv "$venv"; }
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r requirements/uv.txt 2> >(grep -v '^WARNING' >&2)
