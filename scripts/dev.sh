#!/usr/bin/env bash
# Serves a debug build, and rebuilds and restarts it on every change. Arguments go to `natter serve`.
. "$(dirname "$0")/lib.sh"

scripts/setup.sh
exec node scripts/dev.mjs "$@"
