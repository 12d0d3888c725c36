#!/usr/bin/env bash
# Runs the fault tests in their long form: more clients, more rounds, against a server that checks itself.
#   scripts/torture.sh [TIMES] [part of a test's name]
# NATTER_BIN names another server than this checkout's debug build.
. "$(dirname "$0")/lib.sh"

times=1
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  times=$1
  shift
fi
scripts/setup.sh test
# Thousands of clients and the server's side of each.
ulimit -n "$(ulimit -Hn)" || note "open files stay at $(ulimit -n)"
[ -n "${NATTER_BIN:-}" ] || cargo build --bin natter
for ((round = 1; round <= times; round++)); do
  say "Round $round of $times"
  # Not nextest, which ends what takes long.
  NATTER_TORTURE=1 scripts/with-services.sh \
    cargo test -p natter-load --test faults --no-fail-fast -- --test-threads 1 --nocapture "$@"
done
