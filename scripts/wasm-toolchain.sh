# Which compiler builds the browser bundle; sourced after lib.sh.
# shellcheck shell=bash
#
# Normally it is the user's, with the wasm32-unknown-unknown target that rustup adds. Where rustup's
# server can't be reached, it is Debian's compiler with a standard library that is built here from
# Debian's sources, in a sysroot of our own: parts of one compiler are never mixed into another.
# NATTER_WASM_TOOLCHAIN=debian forces the latter.

DEBIAN_PACKAGES=(rustc-web cargo-web rust-web-src lld-22)
DEBIAN_RUSTC=/usr/bin/rustc
DEBIAN_CARGO=/usr/bin/cargo
DEBIAN_LINKER=/usr/bin/wasm-ld-22

# Is this Debian 12, of whose packages the fallback is made?
on_bookworm() { grep -qx 'VERSION_CODENAME=bookworm' /etc/os-release 2>/dev/null; }

# Has the user's compiler the target? (However it came there.)
has_wasm_target() {
  local libraries
  libraries=$(rustc --print target-libdir --target "$WASM" 2>/dev/null) && compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

# Where the sysroot for the installed Debian compiler is, or will be. The hash lets an upgrade of the
# compiler lead to a new one, and keeps cargo from reusing what an older one compiled.
debian_sysroot() {
  local key
  key=$({ "$DEBIAN_RUSTC" -vV; dpkg-query -W rust-web-src; echo "recipe 1"; } | sha256sum | cut -c1-12)
  printf '%s' "$CACHE/sysroot-$key"
}

# Makes sure that a toolchain is there, and sets WASM_TOOLCHAIN to "rustup" or "debian".
ensure_wasm_toolchain() {
  if [ "${NATTER_WASM_TOOLCHAIN:-}" = debian ]; then
    WASM_TOOLCHAIN=debian
  elif has_wasm_target; then
    WASM_TOOLCHAIN=rustup
  elif [ -n "$(find "$CACHE/rustup-failed" -mtime -1 2>/dev/null)" ]; then
    # Its server was out of reach within the last day; don't wait for it at every build.
    WASM_TOOLCHAIN=debian
  else
    WASM_TOOLCHAIN=debian
    if command -v rustup >/dev/null; then
      say "Adding the $WASM target to the Rust toolchain (rustup)"
      if timeout 120 rustup target add "$WASM"; then WASM_TOOLCHAIN=rustup; fi
    fi
    if [ "$WASM_TOOLCHAIN" = debian ]; then
      note "rustup cannot add $WASM here; going on with Debian's compiler."
      note "If its server was only away for a moment, run: rustup target add $WASM"
      touch "$CACHE/rustup-failed"
    else
      rm -f "$CACHE/rustup-failed"
    fi
  fi
  if [ "$WASM_TOOLCHAIN" = debian ]; then ensure_debian_toolchain; fi
}

ensure_debian_toolchain() {
  apt_install "compiling for the browser without rustup's $WASM target" "${DEBIAN_PACKAGES[@]}"
  local version
  version=$("$DEBIAN_RUSTC" --version) || die "$DEBIAN_RUSTC does not run." "Reinstall it: sudo apt-get install --reinstall rustc-web"
  version=${version#rustc }
  at_least "$RUST_MIN" "${version%% *}" || die "$DEBIAN_RUSTC is ${version%% *}, older than $RUST_MIN." \
    "The fallback is made for Debian 12 with its security updates: sudo apt-get update && sudo apt-get install rustc-web"
  [ -x "$DEBIAN_LINKER" ] || die "$DEBIAN_LINKER is missing." "Reinstall it: sudo apt-get install --reinstall lld-22"

  local sysroot work start
  sysroot=$(debian_sysroot)
  [[ $sysroot != *" "* ]] || die "the path $CACHE contains a space, which a compiler option cannot." \
    "Set NATTER_CACHE to a folder without one."
  [ ! -e "$sysroot/complete" ] || return 0
  say "Building the standard library for $WASM with Debian's Rust ${version%% *} (once, about 1 minute)"
  start=$(now)
  work=$CACHE/build-std
  rm -rf "$work" "$sysroot"
  # Cargo builds std for the sake of a crate that needs nothing of it.
  mkdir -p "$work/src"
  printf '#![no_std]\n' >"$work/src/lib.rs"
  printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[profile.release]\npanic = "abort"\n' >"$work/Cargo.toml"
  # RUSTC_BOOTSTRAP: -Z build-std is not stable. embed-bitcode: without it fat LTO fails at the end.
  (cd "$work" && env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u RUSTUP_TOOLCHAIN \
    RUSTC="$DEBIAN_RUSTC" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target" \
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=-Cembed-bitcode=yes \
    "$DEBIAN_CARGO" build --release --target "$WASM" -Z build-std=std,panic_abort) ||
    die "Debian's compiler could not build the standard library for $WASM." "See cargo's message above."
  mkdir -p "$sysroot/lib/rustlib/$WASM/lib"
  cp "$work/target/$WASM/release/deps/"*.rlib "$sysroot/lib/rustlib/$WASM/lib/"
  rm -f "$sysroot/lib/rustlib/$WASM/lib/libnothing-"*.rlib
  touch "$sysroot/complete"
  rm -rf "$work"
  note "took $(since "$start")"
}

# use_wasm_toolchain: lets cargo, as Trunk calls it, compile with the chosen toolchain.
use_wasm_toolchain() {
  # Flags meant for the server's processor don't suit the browser, and would hide those below.
  unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
  # Panic messages name source files: nobody's home directory belongs into the bundle, nor its length.
  local folder flags=()
  # Leptos then hides views' types behind pointers: a sixth less to download, and no type too deep.
  flags+=(--cfg erase_components)
  for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/index.crates.io-* "$ROOT"; do
    # The variable below is split at spaces.
    [ ! -d "$folder" ] || [[ $folder == *" "* ]] || flags+=("--remap-path-prefix=$folder=")
  done
  if [ "$WASM_TOOLCHAIN" = debian ]; then
    export RUSTC="$DEBIAN_RUSTC"
    flags+=(--sysroot "$(debian_sysroot)")
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$DEBIAN_LINKER"
    # Two compilers in one target directory would undo each other's work.
    export CARGO_TARGET_DIR="$ROOT/target/debian"
  fi
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="${flags[*]}"
}
