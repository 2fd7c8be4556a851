#!/bin/sh
# Set up and check everything: sh tests/run.sh [pytest arguments]
# With arguments pytest runs once, as it is told to; without, in three stages that together run all.
# Needs git and a Python of 3.11 or newer that can make a venv ($PYTHON, if set, is the one taken).
# Makes .venv once, installs again only when the lock or pyproject.toml changed. Stops at the first
# stage that fails.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv
PROBE='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

stage() {
    printf '\n== %s ==\n' "$*"
}

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if "$candidate" -c "$PROBE" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "tests/run.sh: no Python of 3.11 or newer with venv found; name one with PYTHON=..." >&2
    return 69
}

pip_install() {
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

if ! "$VENV/bin/python" -c "$PROBE" >/dev/null 2>&1; then
    python=$(find_python)
    stage "venv with $python"
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
fi

# The stamps are copies of what was installed from, made after it succeeded.
if ! cmp -s requirements-dev.lock "$VENV/installed.lock"; then
    stage "install requirements-dev.lock"
    pip_install --require-hashes -r requirements-dev.lock
    cp requirements-dev.lock "$VENV/installed.lock"
    rm -f "$VENV/installed.toml"
fi
if ! cmp -s pyproject.toml "$VENV/installed.toml"; then
    stage "install payrail, editable"
    pip_install --no-deps --no-build-isolation -e .
    cp pyproject.toml "$VENV/installed.toml"
fi

PATH="$PWD/$VENV/bin:$PATH"
export PATH

stage "locks name no host"
if grep -n '://' requirements.lock requirements-dev.lock; then
    echo "A lock names a host: compile it again as pyproject.toml says." >&2
    exit 1
fi

stage "ruff check"
ruff check .

stage "ruff format"
ruff format --check .

stage "mypy"
mypy

stage "import contracts"
lint-imports --no-logo

if [ $# -gt 0 ]; then
    stage "pytest $*"
    python -m pytest "$@"
    exit
fi

# Two at a time where nothing is waited for but the processor; houses of real processes by the file,
# since the tests of one share it; alone what kills, starves or cuts the power of a house.
stage "pytest: rules, actors, simulated houses"
python -m pytest -q -n 2 --dist worksteal -m "not scenario and not chaos"

stage "pytest: houses of real processes"
python -m pytest -q -n 2 --dist loadfile -m "scenario and not chaos"

stage "pytest: houses under fire"
python -m pytest -m chaos
