#!/usr/bin/env bash
# Compiles and links a tiny crate for the browser with Debian's compiler, so that the way round
# rustup's server stays true. It uses the standard library and allocates, and node runs the result.
. "$(dirname "$0")/lib.sh"
. scripts/wasm-toolchain.sh

if ! on_bookworm; then
  note "This is not Debian 12, whose packages the fallback is made of: nothing to try here"
  exit 0
fi
NATTER_WASM_TOOLCHAIN=debian
ensure_wasm_toolchain
use_wasm_toolchain

crate=$CACHE/fallback-test
rm -rf "$crate"
mkdir -p "$crate/src"
cat >"$crate/Cargo.toml" <<'TOML'
[package]
name = "fallback-test"
version = "0.0.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[profile.release]
lto = "fat"
panic = "abort"
[workspace]
TOML
cat >"$crate/src/lib.rs" <<'RUST'
#[unsafe(no_mangle)]
pub extern "C" fn digits(number: u32) -> usize {
    let words: std::collections::BTreeMap<u32, String> = (0..=number).map(|n| (n, n.to_string())).collect();
    words.values().map(String::len).sum()
}
RUST
CARGO_TARGET_DIR=$crate/target cargo build --quiet --release --offline --target "$WASM" --manifest-path "$crate/Cargo.toml"
# shellcheck disable=SC2016 # JavaScript's, not the shell's
node -e '
  const bytes = require("node:fs").readFileSync(process.argv[1]);
  WebAssembly.instantiate(bytes).then(({ instance }) => {
    if (instance.exports.digits(10) !== 12) throw new Error("the compiled function gave a wrong answer");
    console.log(`    ${bytes.length} bytes of wasm with the standard library in it, and it runs`);
  });
' "$crate/target/$WASM/release/fallback_test.wasm"
rm -rf "$crate"
