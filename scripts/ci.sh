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

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

# The oldest Rust that the manifests promise, where a machine has it.
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
step "Rust $oldest"
if rustup run "$oldest" rustc --version 2>/dev/null; then
    rustup run "$oldest" cargo check --workspace --locked --target-dir "target/$oldest"
else
    echo "$oldest not tried: this machine has $(rustc --version)"
fi

# The README's test command, with the tests that need more than Rust. These do not
# wait, they work: so fewer of them at a time.
step "tests"
export RUST_TEST_THREADS=4
cargo test --workspace --locked --no-fail-fast -- --include-ignored

# What the script makes passes all tests, and every house rule, from the first minute.
step "a new lesson"
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
git clone --quiet . "$new/course"
target=$PWD/target
(
    cd "$new/course"
    export CARGO_TARGET_DIR=$target CARGO_NET_OFFLINE=true
    scripts/new-lesson.sh 99 throw-away
    DIALTONE_UPDATE=1 cargo test --quiet --package lesson-99 readme
    cargo test --package lesson-99 --package house
)
