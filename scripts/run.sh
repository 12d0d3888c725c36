#!/usr/bin/env bash
# Builds what changed and serves. Arguments go to `natter serve`; see `target/release/natter serve --help`.
. "$(dirname "$0")/lib.sh"

scripts/build.sh
say "Starting Natter"
exec target/release/natter serve "$@"
