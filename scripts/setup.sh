#!/usr/bin/env bash
# Installs what is missing. `setup.sh` is for building and running, `setup.sh test` also for the tests.
# Does nothing, quickly, when all is there. Nothing goes into the user's Rust toolchain except
# through rustup: tools live in the cache ($NATTER_CACHE, or .cache in the checkout).
. "$(dirname "$0")/lib.sh"
. scripts/wasm-toolchain.sh
for_what=${1:-build}

scripts/prerequisites.sh

TRUNK=0.21.14 # 0.22 wants a newer Rust than $RUST_MIN

# Tools are only run for seconds: compiling them quickly matters more than their speed.
quick_build=(env -u RUSTFLAGS -u RUSTC CARGO_TARGET_DIR="$CACHE/tools/build" CARGO_PROFILE_RELEASE_LTO=off
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=debuginfo)

install_trunk() {
  [ "$("$CACHE/tools/bin/trunk" --version 2>/dev/null)" != "trunk $TRUNK" ] || return 0
  say "Installing Trunk $TRUNK, which builds the browser bundle (once, about 3 minutes)"
  local start
  start=$(now)
  # --root: not among the user's own programs.
  "${quick_build[@]}" CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install trunk --version "$TRUNK" --locked \
    --no-default-features --root "$CACHE/tools" --force ||
    die "Trunk $TRUNK could not be installed." \
      "See cargo's message above; most often crates.io could not be reached. Run this again to go on."
  rm -rf "$CACHE/tools/build"
  note "took $(since "$start")"
}

# Trunk insists on the very version of wasm-bindgen that Cargo.lock names.
install_wasm_bindgen() {
  local want stamp=$CACHE/tools/wasm-bindgen.stamp
  want="$(hash_of tools/wasm-bindgen) $(grep -A 1 '^name = "wasm-bindgen-cli-support"' Cargo.lock | tail -n 1)"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -x "$CACHE/tools/bin/wasm-bindgen" ]; then return 0; fi
  say "Building the wasm-bindgen command from Cargo.lock (once, about 1 minute)"
  local start
  start=$(now)
  "${quick_build[@]}" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo build --release -p wasm-bindgen-shim ||
    die "tools/wasm-bindgen does not compile." \
      "See cargo's message above. Its version in tools/wasm-bindgen/Cargo.toml must be that of wasm-bindgen in Cargo.toml."
  mkdir -p "$CACHE/tools/bin"
  mv -f "$CACHE/tools/build/release/wasm-bindgen-shim" "$CACHE/tools/bin/wasm-bindgen"
  rm -rf "$CACHE/tools/build"
  printf '%s' "$want" >"$stamp"
  note "took $(since "$start")"
}

install_trunk
install_wasm_bindgen
npm_install style
ensure_wasm_toolchain
# The server embeds this folder; the macro that does so refuses to compile without it.
mkdir -p dist

[ "$for_what" = test ] || exit 0

for component in rustfmt clippy; do
  case $component in rustfmt) probe=fmt ;; *) probe=$component ;; esac
  cargo "$probe" --version >/dev/null 2>&1 && continue
  say "Adding $component to the Rust toolchain (rustup)"
  timeout 120 rustup component add "$component" ||
    die "$component is missing and rustup could not add it." "Run: rustup component add $component"
done

# Debian packages that only the tests need, all in one go.
test_packages=()
command -v nats-server >/dev/null || test_packages+=(nats-server)
type -P kill >/dev/null || test_packages+=(procps) # they send signals
if ! postgres_bin >/dev/null; then
  # The tests start servers of their own: installing it shall not start another.
  if [ "$(id -u)" -eq 0 ] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  fi
  test_packages+=(postgresql)
fi
[ -n "${NATTER_CHROMIUM:-}" ] || command -v chromium >/dev/null || test_packages+=(chromium)
if on_bookworm; then test_packages+=("${DEBIAN_PACKAGES[@]}"); fi # for scripts/test-fallback.sh
[ ${#test_packages[@]} -eq 0 ] || apt_install "testing" "${test_packages[@]}"
npm_install end2end
