#!/usr/bin/env bash
# Builds the browser bundle into dist/, which the server embeds. `bundle.sh --dev` builds it
# unoptimised. When nothing changed since the last time it returns at once and leaves dist/ alone.
. "$(dirname "$0")/lib.sh"
. scripts/wasm-toolchain.sh
mode=release
[ "${1:-}" != --dev ] || mode=dev

exec 9>target/natter/bundle.lock
flock 9 # two at a time would write over each other

# The stamp names what went in and what came out, so that a file missing from dist/ is noticed too.
inputs=(src app frontend style tools Cargo.toml Cargo.lock Trunk.toml
  scripts/lib.sh scripts/wasm-toolchain.sh scripts/bundle.sh scripts/finish-bundle.mjs)
stamp=target/natter/bundle.stamp
state() {
  printf '%s %s %s %s\n' "$mode" "$1" "${NATTER_WASM_TOOLCHAIN:-}" "$(rustc --version 2>/dev/null)"
  find dist -type f -printf '%P %s\n' 2>/dev/null | LC_ALL=C sort
}
hash=$(hash_of "${inputs[@]}")
if [ -e "$stamp" ] && [ "$(state "$hash")" = "$(cat "$stamp")" ]; then
  say "The browser bundle is up to date"
  exit 0
fi
rm -f "$stamp"

scripts/setup.sh
ensure_wasm_toolchain
start=$(now)
fetch=(cargo fetch --quiet --target "$WASM" --target "$(rustc -vV | sed -n 's/^host: //p')")
# Trunk itself is kept off the network. Offline machines with all crates at hand may go on.
"${fetch[@]}" ${CI:+--locked} || "${fetch[@]}" --offline --locked ||
  die "the crates of Cargo.lock could not be fetched." "See cargo's message above; most often crates.io could not be reached."

if [ "$mode" = release ]; then
  say "Building the browser bundle (Trunk, optimised for size, $WASM_TOOLCHAIN's compiler)"
  # Only for the browser: the server's release profile is for speed.
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
  export CARGO_PROFILE_RELEASE_PANIC=abort CARGO_PROFILE_RELEASE_STRIP=debuginfo
else
  say "Building the browser bundle (Trunk, unoptimised, $WASM_TOOLCHAIN's compiler)"
fi
use_wasm_toolchain
export PATH="$CACHE/tools/bin:$ROOT/style/node_modules/.bin:$PATH"
arguments=(build --log warn)
[ "$mode" = dev ] || arguments+=(--release)
# NO_COLOR must be true or false for Trunk, where everyone else only asks whether it is set.
env RUST_BACKTRACE=0 ${NO_COLOR+NO_COLOR=true} trunk "${arguments[@]}" ||
  die "the browser bundle could not be built." "See the message above: it is cargo's, Tailwind's or wasm-opt's."
node scripts/finish-bundle.mjs "$mode"
state "$hash" >"$stamp"
note "took $(since "$start")"
