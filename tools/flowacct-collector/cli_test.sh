#!/bin/bash
# The collector as a person meets it: its flags, what it says when something is wrong, how it ends.
# Arguments: the program, a capture of exports.
set -u
collector=$1 capture=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  sed 's/^/  err: /' "$work/err" | head -5
  failures=$((failures + 1))
}
# expect EXIT-CODE TEXT-ON-STDERR ARGUMENT...: what is wrong is told in one line.
expect() {
  local want_code=$1 want_text=$2 code=0
  shift 2
  "$collector" "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
  [[ $code -eq $want_code ]] || fail "$*: exit code $code, wanted $want_code"
  if [[ -n $want_text ]]; then
    grep -qF -- "$want_text" "$work/err" || fail "$*: wanted on standard error: $want_text"
    [[ $(wc -l <"$work/err") -eq 1 ]] || fail "$*: more than one line"
  fi
}
printed() { grep -qF -- "$1" "$work/out" || fail "wanted on standard output: $1"; }

expect 0 "" --version
printed "flowacct-collector 0."
expect 0 "" --help
printed "Examples:"
expect 2 "give --config FILE"
expect 2 "--nosuch" --nosuch
expect 2 "/nosuch.conf: No such file or directory" --config /nosuch.conf
expect 2 "exclude one another" --config /dev/null --listen udp://127.0.0.1:0
expect 2 "did you mean src_addr or" --listen udp://127.0.0.1:0 --by src_adr --check
expect 0 "" --listen udp://127.0.0.1:0 --by src_as --every 5m --check
expect 0 "" --listen udp://127.0.0.1:0 --by src_as --every 5m --print-config
printed 'by: "src_as"'
cp "$work/out" "$work/printed.conf"
expect 0 "" --config "$work/printed.conf" --check

cat >"$work/wrong.conf" <<'CONF'
input { name: "in" udp { listen: "127.0.0.1:0" } }
pipeline { name: "p" bye: "src_as" }
CONF
expect 2 "wrong.conf:2:22: " --config "$work/wrong.conf" --check

# Captures to their end, and the sums of them.
cat >"$work/captures.conf" <<CONF
input { name: "files" captures { path: "$PWD/$capture" exit_at_end: true } }
pipeline { name: "p" by: "dst_as" every: "1h" sink { print { format: CSV output: "$work/out.csv" } } }
admin { http: "" }
CONF
expect 0 "" --config "$work/captures.conf"
sums=$(awk -F, 'NR > 1 { packets += $(NF - 2); flows += $NF } END { printf "%d %d", packets, flows }' "$work/out.csv")
[[ $sums == "20335741 3336" ]] || fail "captures: sums are $sums"

# A signal ends it, and what was open is written.
"$collector" --listen udp://127.0.0.1:0 --print csv --http "" >"$work/out" 2>"$work/err" &
pid=$!
for ((i = 0; i < 200; ++i)); do
  if grep -q "msg=listens" "$work/err"; then break; fi
  sleep 0.05
done
grep -q "kind=input msg=listens input=udp at=udp://127.0.0.1:" "$work/err" || fail "it does not say where it listens"
grep -q "kind=admin" "$work/err" && fail "--http \"\" does not mean none"
kill -TERM $pid
wait $pid || fail "SIGTERM: exit code $?"

[[ $failures -eq 0 ]] || { echo "$failures failed"; exit 1; }
echo "all as expected"
