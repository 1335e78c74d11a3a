#!/usr/bin/env bash
# All checks, in named steps. Run it from anywhere: scripts/ci.sh
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n=== %s\n' "$1"; }

# The tests that are ignored elsewhere run here, so what they need is installed.
need() {
    command -v "$1" >/dev/null && return
    step "install $2"
    if ! command -v apt-get >/dev/null; then
        echo "$1 is missing: install $2" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -qq -y "$2"
}

step "tools"
need python3 python3
need strace strace
need tshark tshark
need tcpdump tcpdump
need cc gcc
need ip iproute2
need tmux tmux
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# What is called python3 can be a shell script that looks for the interpreter. In an
# environment without HOME or SHELL it asks who it is, and the X-ray shows these calls.
PATH="$(dirname "$(python3 -c 'import sys; print(sys.executable)')"):$PATH"

step "format"
cargo fmt --all -- --check

step "lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

# The README's test command, with the tests that need more than Rust. These do not
# wait, they work: so fewer of them at a time.
step "tests"
export RUST_TEST_THREADS=4
cargo test --workspace --locked --no-fail-fast -- --include-ignored
