#!/usr/bin/env bash
# Leaves target/release/natter with all it serves embedded: first the bundle, then the server around it.
. "$(dirname "$0")/lib.sh"

scripts/bundle.sh
say "Building the server (optimised)"
start=$(now)
# Only the server: the bundle's crates have their own profile.
cargo build --release --bin natter ${CI:+--locked} ||
  { scripts/prerequisites.sh; die "the server could not be built." "See cargo's message above."; }
note "took $(since "$start"): target/release/natter, $(($(stat -c %s target/release/natter) / 1000000)) MB"
