#!/usr/bin/env bash
# Runs a command with a PostgreSQL and a NATS of its own, on free ports and empty, and stops them:
#   scripts/with-services.sh cargo nextest run
# The tests find them by NATTER_TEST_POSTGRES_URL and NATTER_TEST_NATS_URL.
. "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || die "no command given." "For example: scripts/with-services.sh cargo nextest run"

postgres=$(postgres_bin) || die "PostgreSQL's server is not installed." "Run: scripts/setup.sh test"
command -v nats-server >/dev/null || die "nats-server is not installed." "Run: scripts/setup.sh test"

# Not below the checkout: another user may not be able to reach that.
dir=$(mktemp -d "${TMPDIR:-/tmp}/natter-services.XXXXXX")
pids=()
stop() {
  # SIGINT makes PostgreSQL end without waiting for its clients; both end at it.
  for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$dir"
}
trap stop EXIT

# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
  user=$(id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody)
  as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
  chown "$user" "$dir"
fi

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

(cd "$dir" && "${as[@]}" "$postgres/initdb" -D "$dir/pg" -U natter -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1) ||
  die "initdb failed." "$(tail -n 5 "$dir/initdb.log")"
pg_port=$(free_port)
# Durable as in service: the tests also kill it.
(cd "$dir" && exec "${as[@]}" "$postgres/postgres" -D "$dir/pg" -p "$pg_port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories="$dir" -c max_connections=300 -c shared_buffers=64MB >"$dir/pg.log" 2>&1) &
pids+=($!)
nats_port=$(free_port)
nats-server -a 127.0.0.1 -p "$nats_port" >"$dir/nats.log" 2>&1 &
pids+=($!)

# ready NAME PORT LOG: until something listens there.
ready() {
  local tries=0
  until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || die "$1 did not start." "$(tail -n 5 "$3")"
    sleep 0.1
  done
}
ready PostgreSQL "$pg_port" "$dir/pg.log"
ready NATS "$nats_port" "$dir/nats.log"
until "${as[@]}" "$postgres/pg_isready" -q -h 127.0.0.1 -p "$pg_port"; do sleep 0.1; done

export NATTER_TEST_POSTGRES_URL="postgres://natter@127.0.0.1:$pg_port/postgres"
export NATTER_TEST_NATS_URL="nats://127.0.0.1:$nats_port"
"$@"
