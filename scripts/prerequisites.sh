#!/usr/bin/env bash
# Checks the four things that Natter expects to find: Rust, a C compiler, make, and Node with npm.
# Everything else the other scripts install themselves.
. "$(dirname "$0")/lib.sh"

missing=()
lack() { missing+=("$@"); }

if ! rust=$(rustc --version 2>/dev/null) || ! cargo --version >/dev/null 2>&1; then
  lack "- Rust $RUST_MIN or newer: there is no working rustc and cargo on PATH." \
    "  Get it from https://rustup.rs, then open a new shell (or: . ~/.cargo/env)."
elif rust=${rust#rustc } && ! at_least "$RUST_MIN" "${rust%% *}"; then
  lack "- Rust $RUST_MIN or newer: $(command -v rustc) is ${rust%% *}."
  if command -v rustup >/dev/null; then
    lack "  Bring it up to date with: rustup update stable && rustup default stable"
  else
    lack "  Get a newer one from https://rustup.rs, then open a new shell (or: . ~/.cargo/env)."
  fi
fi
if ! printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | cc -x c - -o /dev/null 2>/dev/null; then
  lack "- A C compiler: cc cannot compile a small program." \
    "  On Debian: sudo apt-get install -y build-essential"
fi
command -v make >/dev/null || lack "- make." "  On Debian: sudo apt-get install -y make"
if ! node=$(node --version 2>/dev/null); then
  lack "- Node $NODE_MIN or newer with npm: there is no node on PATH." \
    "  Get it from https://nodejs.org or https://github.com/nodesource/distributions"
elif ! at_least "$NODE_MIN" "${node#v}"; then
  lack "- Node $NODE_MIN or newer: $(command -v node) is ${node#v}." \
    "  Get a newer one from https://nodejs.org or https://github.com/nodesource/distributions"
elif ! command -v npm >/dev/null; then
  lack "- npm: Node is there, but npm is not on PATH." "  On Debian: sudo apt-get install -y npm"
fi

[ ${#missing[@]} -eq 0 ] || die "this machine lacks what Natter is built with:" "${missing[@]}"
