#!/usr/bin/env bash
# Installs what the tests need, runs all of them and sums up; fails when anything failed.
# Named steps run alone: scripts/test.sh format clippy
. "$(dirname "$0")/lib.sh"
. scripts/wasm-toolchain.sh
all=(format bundle clippy clippy-wasm tests faults build browser fallback)
steps=("$@")
[ $# -gt 0 ] || steps=("${all[@]}")

locked=(${CI:+--locked})
began=$(now)
summary=()
failed=()

format() { cargo fmt --all --check || { note "Run: make fmt"; return 1; }; }
bundle() { scripts/bundle.sh; }
clippy() { cargo clippy "${locked[@]}" --all-targets -- -D warnings; }
clippy-wasm() {
  # Clippy belongs to the user's compiler, so it cannot use the library of Debian's.
  has_wasm_target || { skip="the Rust toolchain has no $WASM target; the bundle step compiled it"; return 0; }
  cargo clippy "${locked[@]}" -p natter-frontend --target "$WASM" -- -D warnings
}
# With a PostgreSQL and a NATS of their own; the suite runs on SQLite first, then on those.
tests() {
  if cargo nextest --version >/dev/null 2>&1; then
    # nextest leaves out the examples in the documentation.
    scripts/with-services.sh cargo nextest run "${locked[@]}" --no-fail-fast &&
      scripts/with-services.sh env NATTER_TEST_ENGINE=postgres \
        cargo nextest run "${locked[@]}" --no-fail-fast -p natter-server --test suite &&
      cargo test "${locked[@]}" --doc --quiet
  else
    scripts/with-services.sh cargo test "${locked[@]}" --no-fail-fast &&
      scripts/with-services.sh env NATTER_TEST_ENGINE=postgres \
        cargo test "${locked[@]}" --no-fail-fast -p natter-server --test suite
  fi
}
# One after the other: they measure time, and each has servers of its own.
faults() {
  cargo clippy "${locked[@]}" -p natter-load --test faults -- -D warnings &&
    cargo build "${locked[@]}" --bin natter || return 1
  if cargo nextest --version >/dev/null 2>&1; then
    scripts/with-services.sh cargo nextest run "${locked[@]}" -p natter-load --test faults --no-fail-fast --test-threads 1
  else
    scripts/with-services.sh cargo test "${locked[@]}" -p natter-load --test faults --no-fail-fast -- --test-threads 1
  fi
}
build() { scripts/build.sh; }
browser() {
  [[ " ${failed[*]} " != *" build "* ]] || { skip="the release was not built"; return 0; }
  (cd end2end && node_modules/.bin/playwright test)
}
fallback() { scripts/test-fallback.sh; }

describe() {
  case $1 in
    format) echo "Checking the formatting (rustfmt)" ;;
    bundle) echo "Building the browser bundle" ;;
    clippy) echo "Linting the server and the shared crates (clippy)" ;;
    clippy-wasm) echo "Linting the browser's side (clippy, $WASM)" ;;
    tests) echo "Running unit and integration tests" ;;
    faults) echo "Killing, cutting off and filling up the server under load" ;;
    build) echo "Building the release" ;;
    browser) echo "Running the browser tests (Playwright, Chromium)" ;;
    fallback) echo "Compiling for the browser with Debian's compiler" ;;
    *) die "there is no step called $1." "The steps are: ${all[*]}" ;;
  esac
}

for step in "${steps[@]}"; do describe "$step" >/dev/null; done
say "Preparing the tests"
scripts/setup.sh test
for step in "${steps[@]}"; do
  say "$(describe "$step")"
  start=$(now)
  skip=
  # `|| status` keeps a failing step from ending the script; each step is one command or checks its own.
  status=0
  "$step" || status=$?
  took=$(since "$start")
  if [ "$status" -ne 0 ]; then
    failed+=("$step")
    result=FAILED
  elif [ -n "$skip" ]; then
    result=skipped
  else
    result=ok
  fi
  summary+=("$(printf '%-12s %-8s %10s  %s' "$step" "$result" "$took" "$skip")")
  note "$step: $result, $took"
done

say "Summary"
for line in "${summary[@]}"; do note "$line"; done
note "in all $(since "$began")"
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}" "One step alone: scripts/test.sh ${failed[0]}"
say "All is well"
