#!/bin/sh
# make_venv.sh PYTHON FOLDER: a virtual environment, also where Debian ships Python without venv.
set -e
"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Glute Coach needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …" >&2
  exit 1
}
"$1" -m venv "$2" 2>/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq python3-venv && rm -rf "$2" && exec "$1" -m venv "$2"
fi
echo "Python's venv module is missing; install it first: sudo apt-get install python3-venv" >&2
exit 1
