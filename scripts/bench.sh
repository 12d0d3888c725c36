#!/usr/bin/env bash
# Measures the release build with natter-load and prints what came of it; the figures are in target/bench
# as JSON. Wants a machine that does nothing else. Named parts run alone: scripts/bench.sh fanout idle
. "$(dirname "$0")/lib.sh"
parts=("$@")
[ $# -gt 0 ] || parts=(start disk commit inserts fanout reading fastapi channels idle reconnect history search)
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
# Everyone looks at the channel, and so moves their read mark at each message.
reading() {
  for members in 100 500; do
    serve "reading-$members"
    measure "reading-$members" fanout --connections "$members" --rate 4 --seconds 10 --looking "$members"
  done
}
# PostgreSQL itself, 256 rows of a message's size in one statement and one commit.
inserts() {
  [ -n "${NATTER_TEST_POSTGRES_URL:-}" ] || { note "rows in PostgreSQL: run through scripts/with-services.sh"; return; }
  local bin sql=$dir/inserts.sql
  bin=$(postgres_bin) || die "PostgreSQL's programs are missing."
  [ -x "$bin/pgbench" ] || die "pgbench is missing." "Install PostgreSQL's server package, of which it is a part."
  "$bin/psql" -q "$NATTER_TEST_POSTGRES_URL" -c "CREATE TABLE IF NOT EXISTS plain_rows
    (id uuid PRIMARY KEY, channel uuid NOT NULL, seq bigint NOT NULL, sender uuid NOT NULL, text text NOT NULL, UNIQUE (channel, seq))"
  {
    echo "\set first random(1, 1000000000000)"
    echo "INSERT INTO plain_rows SELECT gen_random_uuid(), gen_random_uuid(), :first::bigint + n, gen_random_uuid(), repeat('x', 64) FROM generate_series(1, 256) n;"
  } >"$sql"
  say "Rows a second in PostgreSQL, 256 in one statement and one commit"
  "$bin/pgbench" -n -M prepared -c 1 -T 8 -f "$sql" "$NATTER_TEST_POSTGRES_URL" | tee "$dir/inserts.out"
  note "$(awk '/^tps/ {printf "%d rows a second", $3 * 256}' "$dir/inserts.out")"
}
# The same broadcast by FastAPI, measured by the same readers.
fastapi() {
  local venv=target/bench/fastapi port=$((20000 + RANDOM % 20000))
  if ! cmp -s end2end/load/fastapi/requirements.txt "$venv/installed.txt"; then
    python3 -m venv --clear "$venv" || die "python3 can't make a virtual environment." "Install: python3 python3-venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r end2end/load/fastapi/requirements.txt
    cp end2end/load/fastapi/requirements.txt "$venv/installed.txt"
  fi
  for members in 100 500 1000; do
    say "fastapi-$members"
    stop
    "$venv/bin/python" end2end/load/fastapi/broadcast.py "$port" 20 400 &
    server=$!
    until curl -s -o "$dir/probe" "http://127.0.0.1:$port/" || ! kill -0 "$server"; do sleep 0.1; done
    "$load" floor --server "http://127.0.0.1:$port" --pid "$server" --connections "$members" --seconds 10 \
      --json "$out/fastapi-$members.json"
  done
}
# The same load on 100 channels of five members each, and then beside 100,000 more: the same people in
# a thousand each.
channels() {
  serve channels
  measure channels-100 fanout --connections 500 --users 500 --channels 100 --senders 100 --rate 2000 --seconds 10
  stop
  say "Adding 100,000 channels"
  python3 end2end/load/fill.py channels "$dir/channels/natter.db" 100000 5
  serve channels
  measure channels-100000 fanout --connections 500 --users 500 --as-they-are --senders 100 --rate 2000 --seconds 10
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
  stop
  say "Adding up to 10,000,000 messages"
  python3 end2end/load/fill.py history "$dir/history/natter.db" history-0 10000000
  serve history
  measure history-10000000 history --fill 10000000 --prefix history
}
search() {
  say "Searches among a million messages, SQLite"
  cargo bench --quiet -p natter-server --bench search -- 1000000 | tee "$out/search-sqlite.txt"
  [ -n "${NATTER_TEST_POSTGRES_URL:-}" ] || { note "in PostgreSQL: run through scripts/with-services.sh"; return; }
  say "Searches among a million messages, PostgreSQL"
  cargo bench --quiet -p natter-server --bench search -- 1000000 "$NATTER_TEST_POSTGRES_URL" | tee "$out/search-postgres.txt"
}

for part in "${parts[@]}"; do "$part"; done
