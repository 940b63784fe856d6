#!/usr/bin/env bash
# The ClickHouse line of SEARCH.md, with a real server: a private one in a temporary folder. Run by
# hand after `apt-get install clickhouse-server clickhouse-client`:
#
#     cargo build -p correlation-trail && correlation-trail/tests/clickhouse.sh target/debug/trail
set -euo pipefail
trail=${1:?the path of trail}
id=5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11
port=19876
home=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
    rm -rf "$home"
}
trap clean_up EXIT

cat >"$home/config.xml" <<XML
<yandex>
    <logger><level>warning</level><console>1</console></logger>
    <listen_host>127.0.0.1</listen_host>
    <tcp_port>$port</tcp_port>
    <path>$home/data/</path>
    <tmp_path>$home/tmp/</tmp_path>
    <timezone>Europe/Berlin</timezone>
    <mark_cache_size>1048576</mark_cache_size>
    <users_config>users.xml</users_config>
    <default_profile>default</default_profile>
    <default_database>default</default_database>
</yandex>
XML
cat >"$home/users.xml" <<'XML'
<yandex>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users><default>
        <password/>
        <networks><ip>127.0.0.1</ip></networks>
        <profile>default</profile>
        <quota>default</quota>
    </default></users>
</yandex>
XML

client() { clickhouse-client --host 127.0.0.1 --port "$port" "$@"; }

clickhouse-server --config-file="$home/config.xml" >"$home/log" 2>&1 &
server=$!
until client --query 'SELECT 1' >"$home/answer" 2>&1; do
    kill -0 "$server" || { cat "$home/log"; exit 1; }
    sleep 0.1
done
client --query 'SELECT version()'

client --query 'CREATE TABLE logs (timestamp DateTime, level String, service String,
    message String, correlation_id String) ENGINE = MergeTree ORDER BY timestamp'
client --query 'INSERT INTO logs FORMAT TabSeparated' <<ROWS
2026-11-22 15:15:50	INFO	gateway	order placed	$id
2026-11-22 15:15:51	WARN	orders	a "quoted" \\\\ message	$id
2026-11-22 15:15:52	INFO	gateway	of another	$id-2
2026-11-22 15:15:53	ERROR	orders	payment failed	$id
ROWS

# Older servers have no `iso`: they write the time of the server's zone.
iso=(--date_time_output_format iso)
client "${iso[@]}" --query 'SELECT 1' >/dev/null 2>&1 || iso=()
query="SELECT * FROM logs WHERE correlation_id LIKE '$id%' ORDER BY message"
client "${iso[@]}" --format JSONEachRow --query "$query" | tee "$home/rows"
told=$("$trail" --json "$id" - <"$home/rows" |
    sed -E 's/.*"service":"([^"]*)","level":"([^"]*)".*"message":"(.*)","fields".*/\1 \2 \3/')
diff - <(printf '%s\n' "$told") <<'EXPECTED'
gateway INFO order placed
orders WARN a \"quoted\" \\ message
orders ERROR payment failed
EXPECTED
echo "trail tells ClickHouse's rows as it should"
