#!/usr/bin/env bash
# Measures the release build with natter-load and prints what came of it; the figures are in target/bench
# as JSON. Wants a machine that does nothing else. Named parts run alone: scripts/bench.sh fanout idle
. "$(dirname "$0")/lib.sh"
parts=("$@")
[ $# -gt 0 ] || parts=(start disk commit fanout idle reconnect history)
[ -x target/release/natter ] || die "there is no release build." "Run: make build"
cargo build --release -p natter-load
load=target/release/natter-load
out=target/bench
dir=$(mktemp -d)
mkdir -p "$out"
ulimit -n "$(ulimit -Hn)"
export NATTER_RATE_LIMITS=off NATTER_LOG=error

server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; server=; } || true; }
trap 'stop; rm -rf "$dir"' EXIT

# serve NAME [OPTION...]: a server with data of its own; sets $url and $server.
serve() {
  stop
  local name=$1
  shift
  : >"$dir/$name.out"
  target/release/natter serve --listen 127.0.0.1:0 --data-dir "$dir/$name" "$@" >"$dir/$name.out" 2>"$dir/$name.err" &
  server=$!
  until grep -q 'listening on' "$dir/$name.out"; do
    kill -0 "$server" 2>/dev/null || die "the server ended." "$(tail -n 3 "$dir/$name.err")"
    sleep 0.002
  done
  url=$(sed -n 's/.*listening on //p' "$dir/$name.out")
}
# measure NAME MODE [OPTION...]
measure() {
  local name=$1 mode=$2
  shift 2
  say "$name"
  "$load" "$mode" --server "$url" --pid "$server" --json "$out/$name.json" "$@"
}

start() {
  say "From start to accepting (the first time it makes the database), and idle"
  local began line
  for round in 1 2 3 4 5; do
    stop
    began=$(now)
    exec 3< <(exec target/release/natter serve --listen 127.0.0.1:0 --data-dir "$dir/start" 2>/dev/null)
    server=$!
    read -r line <&3
    note "$(since_ms "$began") ms: $line"
  done
  sleep 5
  note "$(awk '/^Rss/ {print $2 / 1024}' "/proc/$server/smaps_rollup") MiB resident after 5 s," \
    "$(awk '/^Private_Dirty/ {print $2 / 1024}' "/proc/$server/smaps_rollup") of them its own"
}
since_ms() { echo $((($(date +%s%N) - $1) / 1000000)); }
disk() {
  say "The disk"
  "$load" disk --dir "$dir" --json "$out/disk.json"
}
commit() {
  for senders in 1 4 16 64 256; do
    serve "commit-$senders"
    measure "commit-sqlite-$senders" commit --connections "$senders" --channels 16 --seconds 8
  done
  [ -n "${NATTER_TEST_POSTGRES_URL:-}" ] || { note "PostgreSQL: run through scripts/with-services.sh"; return; }
  for senders in 1 4 16 64 256; do
    serve postgres --database-url "$NATTER_TEST_POSTGRES_URL"
    measure "commit-postgres-$senders" commit --connections "$senders" --channels 16 --seconds 8 --prefix "pg$senders"
  done
}
fanout() {
  for members in 100 500 1000 5000; do
    say "floor-$members"
    "$load" floor --connections "$members" --rate 20 --seconds 10 --json "$out/floor-$members.json"
    serve "fanout-$members"
    measure "fanout-$members" fanout --connections "$members" --rate 20 --seconds 10
  done
  serve burst
  measure burst-500 fanout --connections 500 --in-flight 64 --seconds 8
}
idle() {
  serve idle
  measure idle-10000 idle --connections 10000 --users 100
}
reconnect() {
  serve reconnect
  measure reconnect-2000 reconnect --connections 2000
}
history() {
  for size in 1000 100000 1000000; do
    serve history
    measure "history-$size" history --fill "$size" --prefix history
  done
}

for part in "${parts[@]}"; do "$part"; done
