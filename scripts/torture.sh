#!/usr/bin/env bash
# Runs the fault tests in their long form: more clients, more rounds, against a server that checks itself.
#   scripts/torture.sh [TIMES] [what nextest takes, such as -E 'test(disk)']
# NATTER_BIN names another server than this checkout's debug build.
. "$(dirname "$0")/lib.sh"

times=1
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  times=$1
  shift
fi
cargo nextest --version >/dev/null 2>&1 || die "cargo-nextest is not installed." "Run: cargo install cargo-nextest"
scripts/setup.sh test
# Thousands of clients and the server's side of each.
ulimit -n "$(ulimit -Hn)" || note "open files stay at $(ulimit -n)"
[ -n "${NATTER_BIN:-}" ] || cargo build --bin natter
for ((round = 1; round <= times; round++)); do
  say "Round $round of $times"
  NATTER_TORTURE=1 scripts/with-services.sh \
    cargo nextest run -p natter-load --test faults --test-threads 1 --no-fail-fast --success-output immediate "$@"
done
