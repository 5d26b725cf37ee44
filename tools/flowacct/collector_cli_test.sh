#!/bin/bash
# The commands that ask a running collector, as a person meets them. Arguments: the program, a fake collector.
set -u
flowacct=$1 collector=$2
work=$(mktemp -d)
failures=0
collector_pid=
stop_collector() {
  [[ -n $collector_pid ]] || return 0
  exec 8>&-
  wait "$collector_pid" 2>/dev/null
  collector_pid=
}
trap 'stop_collector; rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8

# expect EXIT-CODE TEXT-ON-STDERR COMMAND...
expect() {
  local want_code=$1 want_text=$2 code=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
  if [[ $code -ne $want_code ]] || { [[ -n $want_text ]] && ! grep -qF -- "$want_text" "$work/err"; } ||
    [[ $(wc -l <"$work/err") -gt 1 ]]; then
    echo "FAILED: $*: exit code $code (wanted $want_code), wanted on standard error, in one line: $want_text"
    sed 's/^/  err: /' "$work/err" | head -5
    failures=$((failures + 1))
  fi
}
printed() {
  grep -qF -- "$1" "$work/out" || {
    echo "FAILED: wanted on standard output: $1"
    head -30 "$work/out" | sed 's/^/  out: /'
    failures=$((failures + 1))
  }
}

# A fake collector on a port of its own and on a UNIX socket; it ends with its standard input.
start_collector() { # ADDRESS
  rm -f "$work/address"
  mkfifo "$work/stdin.$1" && exec 8<>"$work/stdin.$1"
  "$collector" "$2" <"$work/stdin.$1" >"$work/address" 8>&- &
  collector_pid=$!
  for ((i = 0; i < 200; ++i)); do [[ -s $work/address ]] || sleep 0.05; done
  address=$(cat "$work/address")
}
start_collector tcp 127.0.0.1:0

expect 0 "" "$flowacct" status "$address"
printed "flowacct-collector 0.1.0"
printed "the accounting identity holds: 8 equations"
expect 0 "" "$flowacct" status "$address" --format json
printed '{"version":"0.1.0"'
expect 0 "" "$flowacct" status "http://$address/"
expect 0 "" "$flowacct" exporters "$address"
printed "2001:db8::7"
expect 0 "" "$flowacct" exporters "$address" --exporter 192.0.2.30 --format json
printed '"protocol":"sflow5"'
expect 0 "" "$flowacct" templates "$address" --exporter 192.0.2.10
printed "sourceIPv4Address(4)"
expect 0 "" "$flowacct" reload "$address"
printed "configuration"

expect 0 "" "$flowacct" rib routes "$address" --origin-as 64500 --longer --prefix 198.51.0.0/16
printed "198.51.100.0/24"
printed "and 6 more"
expect 2 'prefix: "bad" is no prefix' "$flowacct" rib routes "$address" --prefix bad
expect 0 "" "$flowacct" rib dump "$address" --peer 192.0.2.1 --out "$work/dump.mrt"
[[ $(cat "$work/dump.mrt") == "MRT of 192.0.2.1" ]] || { echo "FAILED: the dump is another one"; failures=$((failures + 1)); }
expect 1 "cannot be written" "$flowacct" rib dump "$address" --out "$work/no/where.mrt"

expect 0 "" "$flowacct" query "$address"
printed "src_as  dst_as"
printed "and 180 more"
expect 0 "" "$flowacct" query "$address" --pipeline as --by src_as,dst_as --top 2 --format csv --since 1d --reset
printed "src_as,dst_as,packets,bytes"
[[ $(wc -l <"$work/out") -eq 3 ]] || { echo "FAILED: --top 2 is not two rows"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" query --format json "$address"
printed '{"src_as":64496,"dst_as":64511,'
[[ $(wc -l <"$work/out") -eq 200 ]] || { echo "FAILED: JSON has not all rows"; failures=$((failures + 1)); }
expect 1 'no pipeline' "$flowacct" query "$address" --pipeline nowhere
expect 2 'is no duration' "$flowacct" query "$address" --since soon
expect 2 'did you mean --pipeline' "$flowacct" query "$address" --pipelin as

# Questions in their language.
expect 0 "" "$flowacct" query "top 5 dst_as by bytes from 2026-03-29T12:00" --collector "$address"
printed "asked top 5 dst_as by bytes from 2026-03-29T12:00 of any as table"
expect 0 "" "$flowacct" query dst_as --collector "$address" --sink as/sqlite --format chart
printed "asked dst_as of as/sqlite as chart"
expect 0 "" "$flowacct" query --saved peering --collector "http://$address" --output "$work/x.svg"
grep -qF "asked saved peering of any as svg" "$work/x.svg" || { echo "FAILED: no picture"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" query --saved peering "$address" --format csv
printed "asked saved peering of any as csv"
expect 2 "no such field" "$flowacct" query dst_ass --collector "$address"
expect 2 "leave out --pipeline" "$flowacct" query "by bytes" --collector "$address" --by src_as
expect 2 "leave one of them out" "$flowacct" query "by bytes" --saved peering --collector "$address"
expect 2 "are for questions" "$flowacct" query "$address" --format chart
expect 2 "a store is asked without a collector" "$flowacct" query "$address" --store sqlite:x.db

expect 0 "" "$flowacct" top "$address" --once --interval 1100ms
printed "PIPELINE"
printed "records/s 10"
grep -q $'\x1b' "$work/out" && { echo "FAILED: escapes without a terminal"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" top "$address" --once --interval 200ms --view exporters
printed "coverage"
expect 0 "" "$flowacct" top "$address" --once --interval 200ms --view groups --pipeline as --top 3
printed "and 197 more groups"
expect 1 'no pipeline that answers queries is called "nowhere"; there are as' "$flowacct" top "$address" --once --view groups --pipeline nowhere
expect 2 'from 100ms on' "$flowacct" top "$address" --interval 1ms
# Without a terminal a frame each interval, until it is told to end.
code=0
timeout --signal=INT 2 "$flowacct" top "$address" --interval 300ms >"$work/out" 2>"$work/err" </dev/null || code=$?
[[ $(grep -c PIPELINE "$work/out") -ge 2 ]] || { echo "FAILED: not a frame each interval"; failures=$((failures + 1)); }
[[ $code -eq 124 || $code -eq 130 ]] || { echo "FAILED: top ended with $code"; failures=$((failures + 1)); }
stop_collector

# Over a UNIX socket.
start_collector unix "unix:$work/admin.sock"
expect 0 "" "$flowacct" status "unix:$work/admin.sock"
printed "flowacct-collector 0.1.0"
expect 0 "" "$flowacct" reload "unix:$work/admin.sock"
stop_collector

# Nobody there, and what is no address.
for command in status exporters templates reload query top; do
  expect 1 "no collector answers at $address" "$flowacct" "$command" "$address"
  expect 1 "no collector answers at unix:$work/admin.sock" "$flowacct" "$command" "unix:$work/admin.sock"
  [[ $command == query ]] || expect 2 "such as 127.0.0.1:2112" "$flowacct" "$command" here
done

expect 2 "such as 127.0.0.1:2112" "$flowacct" query here:
expect 2 "such as 127.0.0.1:2112" "$flowacct" query "by bytes" --collector here
expect 1 "no collector answers at $address" "$flowacct" query "by bytes" --collector "$address"

# The shell knows the new words.
expect 0 "" "$flowacct" completion bash
printed " status exporters templates reload query store top "
printed "--pipeline"

if [[ $failures -gt 0 ]]; then
  echo "$failures failed"
  exit 1
fi
echo "all fine"
