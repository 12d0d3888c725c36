# Shared by the scripts beside it; sourced, never run.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# shellcheck disable=SC2034 # used by the scripts that source this
RUST_MIN=1.95 NODE_MIN=20
# shellcheck disable=SC2034
WASM=wasm32-unknown-unknown
# What is expensive to build and does not depend on Natter's own sources. It may lie outside the
# checkout, so that several checkouts share it.
CACHE=${NATTER_CACHE:-$ROOT/.cache}
mkdir -p "$CACHE" "$ROOT/target/natter"
CACHE=$(cd "$CACHE" && pwd)
# The scripts promise target/release/natter, whatever the user's own configuration says.
export CARGO_TARGET_DIR="$ROOT/target"
# Leptos would bake another name for the bundle's files into the pages.
unset LEPTOS_OUTPUT_NAME

say() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
# die WHAT [WHAT TO DO]...: what was missing, then what to do about it.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

since() { printf '%d.%01d s' $((($(date +%s%N) - $1) / 1000000000)) $((($(date +%s%N) - $1) / 100000000 % 10)); }
now() { date +%s%N; }

# at_least 1.95 1.100.2: is the second version at least the first?
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# The folder of PostgreSQL's server programs, newest first where there are several.
postgres_bin() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) $(pg_config --bindir 2>/dev/null); do
    [ ! -x "$folder/initdb" ] || { echo "$folder"; return; }
  done
  return 1
}

# Hashes files (and folders' files, without node_modules) by name and content.
hash_of() {
  find "$@" -name node_modules -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}

# apt_install WHY PACKAGE...: installs what is missing of them, or says how.
apt_install() {
  local why=$1 missing=() package
  shift
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local install=(install -y --no-install-recommends "${missing[@]}")
  local sudo=()
  command -v apt-get >/dev/null || die "$why needs ${missing[*]} (Debian's names), and this system has no apt-get." \
    "Install what corresponds to them and run this again."
  if [ "$(id -u)" -ne 0 ]; then
    sudo=(sudo -n)
    sudo -n true 2>/dev/null || die "$why needs packages that only root can install." \
      "Run this, then try again:" "  sudo apt-get update && sudo apt-get ${install[*]}"
  fi
  say "Installing ${missing[*]} with apt-get ($why)"
  local options=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  # --no-remove: never trade a package of the user's for ours.
  { "${sudo[@]}" apt-get "${options[@]}" -qq update &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" -qq --no-remove "${install[@]}"; } ||
    die "apt-get could not install ${missing[*]}." "See its message above. By hand it would be:" "  sudo apt-get ${install[*]}"
}

# npm_install FOLDER: brings FOLDER/node_modules to what its lock file says.
npm_install() {
  local stamp=$1/node_modules/.natter-stamp want
  want="$(sha256sum <"$1/package-lock.json") $(node --version)"
  [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || return 0
  say "Installing $1/node_modules (npm)"
  # No package here needs its install script; without them nothing of the network's runs.
  npm ci --prefix "$1" --ignore-scripts --no-audit --no-fund --loglevel=error ||
    die "npm could not install the packages of $1/package-lock.json." \
      "Check that the npm registry can be reached (npm ping) and run this again."
  printf '%s' "$want" >"$stamp"
}
