#!/bin/bash
# The program as a person meets it: what it prints, what it says when something is wrong, and how it exits.
# Arguments: the program, a capture of exports.
set -u
flowacct=$1 capture=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect EXIT-CODE TEXT-ON-STDERR COMMAND...: TEXT may be empty. Whatever goes wrong is told in one line first.
expect() {
  local want_code=$1 want_text=$2 code=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
  if [[ $code -ne $want_code ]] || { [[ -n $want_text ]] && ! grep -qF -- "$want_text" "$work/err"; }; then
    echo "FAILED: $*: exit code $code (wanted $want_code), wanted on standard error: $want_text"
    sed 's/^/  err: /' "$work/err" | head -5
    failures=$((failures + 1))
  fi
}
printed() {
  grep -qF -- "$1" "$work/out" || {
    echo "FAILED: wanted on standard output: $1"
    head -5 "$work/out" | sed 's/^/  out: /'
    failures=$((failures + 1))
  }
}
not_printed() {
  if grep -qF -- "$1" "$work/out"; then
    echo "FAILED: not wanted on standard output: $1"
    failures=$((failures + 1))
  fi
}

# It works.
expect 0 "accounted" "$flowacct" replay "$capture" --by src_as,dst_as --top 3
printed src_as
expect 0 "" "$flowacct" replay "$capture" --by src_as,dst_as --format csv --quiet
printed "src_as,dst_as,packets,bytes,flows"
[[ ! -s $work/err ]] || { echo "FAILED: --quiet was not quiet"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" replay "$capture" --by src_host,dst_host --format csv --naming pmacct --quiet
printed "SRC_IP,DST_IP"
expect 0 "" "$flowacct" replay "$capture" --by src_as --format json --every 5m
printed '"bin_start"'
printf 'prefix,name\n0.0.0.0/0,everything\n' >"$work/networks.csv"
printf 'set tag 7, label seen where src_net_name = everything\nlist rest\ndrop where dst_port < 2000\n' >"$work/rules"
expect 0 "dropped by rules" "$flowacct" replay "$capture" --by tag,label --format csv --networks "$work/networks.csv" \
  --rules "$work/rules"
printed "7,seen,"
expect 0 "rules:3: nothing of this condition" "$flowacct" replay "$capture" --by tag --rules "$work/rules"
printf 'https 443/tcp\n' >"$work/services"
expect 0 "" "$flowacct" replay "$capture" --by dst_service --services "$work/services" --format csv --quiet
printf '\nset tga 1\n' >"$work/wrong"
expect 2 'wrong:2:5: no field is called "tga"; did you mean tag?' "$flowacct" replay "$capture" --rules "$work/wrong"
expect 1 "none.mmdb: cannot be opened" "$flowacct" replay "$capture" --geoip "$work/none.mmdb"
expect 0 "" "$flowacct" decode "$capture"
printed '"kind":"flow"'
expect 0 "" "$flowacct" inspect "$capture"
printed "exporter"
expect 0 "" "$flowacct" inspect "$capture" --format json
printed '"exporters":['

# Where each field of a record comes from.
expect 0 "" "$flowacct" explain "$capture" --record 17
printed "record 17: datagram 4 of"
printed "sourceIPv4Address (8), field 1 of 19, at octet 24, 4 octets: cb007135"
expect 0 "" "$flowacct" explain "$capture" --where 'dst_port > 40000' --limit 2 --networks "$work/networks.csv" \
  --rules "$work/rules" --fields label,src_net_name,as_path --format json
printed '"by":"rules","from":"'"$work/rules:1: set tag 7, label seen where src_net_name = everything"
printed '"value":"everything","by":"networks"'
printed '"as_path":[{"value":null,"why":"template 256 has none of bgpDestinationAsPathList (512)"}]'
expect 0 "" "$flowacct" explain "$capture" --record 1 --networks "$work/networks.csv" --rules "$work/rules"
expect 1 "there is no record 1000000, only 3336 records" "$flowacct" explain "$capture" --record 1000000
expect 1 "none of 3336 records is selected" "$flowacct" explain "$capture" --where 'dst_port = 1 and src_port = 1'
[[ $(wc -l <"$work/err") -eq 1 ]] || { echo "FAILED: more than one line on standard error"; failures=$((failures + 1)); }
expect 2 "--fields: no field is called" "$flowacct" explain "$capture" --fields dst_ass
expect 2 "^" "$flowacct" explain "$capture" --where 'dst_port ='
head -c 2000 "$capture" >"$work/cut.pcap"
expect 0 "" "$flowacct" explain "$work/cut.pcap" --record 1
expect 1 "cut.pcap" "$flowacct" explain "$work/cut.pcap" --record 1000

# Into a store, and asked.
expect 0 "" "$flowacct" replay "$capture" --by src_as,dst_as,protocol --every 1m --store "sqlite:$work/flows.db"
expect 0 "" "$flowacct" query "top 3 dst_as by bytes with others total" --store "sqlite:$work/flows.db"
printed others
expect 0 "" "$flowacct" replay "$capture" --by protocol --every 1m --format csv --sum bytes --quiet
want=$(awk -F, 'NR > 1 {sum += $NF} END {printf "%.0f", sum}' "$work/out")
expect 0 "" "$flowacct" query "by bytes" --store "sqlite:$work/flows.db" --format json
printed "\"bytes\":$want"
expect 0 "" "$flowacct" query "dst_as by bps every 1m" --store "sqlite:$work/flows.db" --output "$work/x.svg"
grep -q "^<svg" "$work/x.svg" || { echo "FAILED: no picture"; failures=$((failures + 1)); }
expect 2 'did you mean dst_as' "$flowacct" query "dst_ass by bytes" --store "sqlite:$work/flows.db"
expect 2 'is no store' "$flowacct" query "dst_as by bytes" --store "mysql:x"
expect 1 "none.db" "$flowacct" query "dst_as by bytes" --store "sqlite:$work/none.db"
cat >"$work/stores.conf" <<END
input { name: "exports" udp { listen: "127.0.0.1:0" } }
question { name: "peering" ask: "top 3 dst_as by bytes with others total" }
pipeline { name: "flows" by: "src_as,dst_as" sink { memory {} } sink { sqlite { path: "$work/flows.db" table: "flows" } } }
END
expect 0 "" "$flowacct" query "top 3 dst_as by bytes with others total" --store "sqlite:$work/flows.db" --format csv
cp "$work/out" "$work/want"
for how in "--sink flows" "--sink flows/2" "--store sqlite:$work/flows.db"; do
  # shellcheck disable=SC2086
  expect 0 "" "$flowacct" query --saved peering --config "$work/stores.conf" $how --format csv
  cmp -s "$work/out" "$work/want" || { echo "FAILED: $how answers otherwise"; failures=$((failures + 1)); }
done
expect 0 "" "$flowacct" query "by bytes" --config "$work/stores.conf" --sink sqlite --format csv
printed "$want"
expect 1 "there are peering" "$flowacct" query --saved transit --config "$work/stores.conf" --sink flows
expect 2 "memory is in a running collector" "$flowacct" query --saved peering --config "$work/stores.conf"
expect 1 "there are memory, flows/sqlite" "$flowacct" query --saved peering --config "$work/stores.conf" --sink other
expect 2 "give the --config" "$flowacct" query --saved peering --store "sqlite:$work/flows.db"
expect 1 "missing.conf" "$flowacct" query --saved peering --config "$work/missing.conf"

# Stores as a whole.
expect 0 "" "$flowacct" store init --config "$work/stores.conf"
printed "sqlite: table flows is there and fits"
expect 0 "" "$flowacct" store check --config "$work/stores.conf"
printed "fits"
expect 0 "" "$flowacct" store check --store "sqlite:$work/flows.db" --format json
printed '"table":"flows"'
printed '"verdict":"can be read"'
sed 's/every: "1m"//; s/by: "src_as,dst_as"/by: "src_as,dst_as,src_port" every: "5m"/' "$work/stores.conf" >"$work/other.conf"
"$flowacct" store check --config "$work/other.conf" >"$work/out" 2>"$work/err" && { echo "FAILED: a table that does not fit"; failures=$((failures + 1)); }
printed "does not fit"
for text in 'ALTER TABLE "flows" RENAME TO "flows_old"' "has no column src_port"; do
  grep -qF "$text" "$work/err" || { echo "FAILED: what does not fit: $(cat "$work/err")"; failures=$((failures + 1)); }
done
expect 0 "" "$flowacct" store init --store "sqlite:$work/made.db" --table made --by src_as,dst_as --every 5m
expect 0 "" "$flowacct" store check --store "sqlite:$work/made.db" --table made --format csv
printed "made,,300,0,0,"
expect 2 "or give a --config" "$flowacct" store init --store "sqlite:$work/made.db" --table made
expect 2 "give --store STORE, or the --config" "$flowacct" store check
expect 1 "no table other" "$flowacct" store check --store "sqlite:$work/made.db" --table other
expect 0 "" "$flowacct" store export --store "sqlite:$work/flows.db" --table flows
[[ $(awk -F, 'NR > 1 {sum += $(NF - 1)} END {printf "%.0f", sum}' "$work/out") == "$want" ]] ||
  { echo "FAILED: the export has other sums"; failures=$((failures + 1)); }
expect 0 "bins" "$flowacct" store export --store "sqlite:$work/flows.db" --format json --from @0 --to now --in Europe/Berlin --where 'dst_as > 0' --output "$work/rows.json"
head -1 "$work/rows.json" | grep -qF '{"bin_start":"' || { echo "FAILED: no JSON lines"; failures=$((failures + 1)); }
expect 2 "--from: question" "$flowacct" store export --store "sqlite:$work/flows.db" --from soon
expect 2 "--where: question" "$flowacct" store export --store "sqlite:$work/flows.db" --where 'dst_ass = 1'
expect 1 "has no table other; there are flows" "$flowacct" store export --store "sqlite:$work/flows.db" --table other
expect 0 "the totals are the same: packets" "$flowacct" store copy --store "sqlite:$work/flows.db" --into "sqlite:$work/copy.db"
expect 0 "of which were there already; the totals are the same" "$flowacct" store copy --store "sqlite:$work/./flows.db" --into "sqlite:$work/copy.db"
expect 0 "" "$flowacct" query "top 3 dst_as by bytes with others total" --store "sqlite:$work/copy.db" --format csv
cmp -s "$work/out" "$work/want" || { echo "FAILED: a copy answers otherwise"; failures=$((failures + 1)); }
expect 1 "the totals differ: packets" "$flowacct" store copy --store "sqlite:$work/flows.db" --into "sqlite:$work/copy.db" --run again
expect 2 "where it comes from" "$flowacct" store copy --store "sqlite:$work/flows.db" --into "sqlite:$work/flows.db"
expect 2 "--into STORE" "$flowacct" store copy --store "sqlite:$work/flows.db"
expect 0 "" "$flowacct" store retain --store "sqlite:$work/copy.db" --keep 1d
printed "sqlite: table flows: "
expect 0 "" "$flowacct" store check --store "sqlite:$work/copy.db" --format csv
printed "flows,,60,0,0,,,can be read"
expect 2 "how long" "$flowacct" store retain --store "sqlite:$work/copy.db"
expect 1 "there is no table" "$flowacct" store retain --store "sqlite:$work/copy.db" --table other --keep 1d
expect 0 "" "$flowacct" store retain --config "$work/stores.conf"
printed "sqlite: table flows: 0 rows of 0 bins removed"
expect 2 'give --every' "$flowacct" replay "$capture" --store "sqlite:$work/flows.db"
expect 0 "" "$flowacct" fields
printed src_addr
expect 0 "" "$flowacct" completion bash
printed "complete -F _flowacct flowacct"
bash -n "$work/out" || { echo "FAILED: the completion script is no bash"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" --help
printed "Examples:"
expect 0 "" "$flowacct" replay --help
printed "--where"
expect 0 "" "$flowacct" --version

# A configuration of pmacct becomes ours.
printf '%s\n' 'nfacctd_port: 2055' 'nfacctd_prot: 1' 'plugins: print[a]' 'aggregate[a]: src_as' >"$work/nfacctd.conf"
expect 0 "did you mean nfacctd_port" "$flowacct" config import "$work/nfacctd.conf"
printed 'listen: "[::]:2055"'
expect 0 "" "$flowacct" config import "$work/nfacctd.conf" --output "$work/ours.conf"
grep -qF 'by: "src_as"' "$work/ours.conf" || { echo "FAILED: config import --output"; failures=$((failures + 1)); }
echo 'set_tag=1 ip=192.0.2.1' >"$work/tags.map"
echo "pre_tag_map: $work/tags.map" >>"$work/nfacctd.conf"
expect 2 "give --output" "$flowacct" config import "$work/nfacctd.conf"
not_printed listen
expect 0 "" "$flowacct" config import "$work/nfacctd.conf" --output "$work/ours.conf"
grep -qF 'set tag 1 where exporter = 192.0.2.1' "$work/ours-pre_tag_map.rules" || { echo "FAILED: rules of config import"; failures=$((failures + 1)); }
expect 1 "cannot be written" "$flowacct" config import "$work/nfacctd.conf" --output /nonexistent/ours.conf
expect 2 "is the file that is imported" "$flowacct" config import "$work/nfacctd.conf" --output "$work/./nfacctd.conf"
expect 1 "missing.conf" "$flowacct" config import "$work/missing.conf"
expect 2 "nfcapd" "$flowacct" config import "$work/nfacctd.conf" --daemon nfcapd
echo 'nfacctd_port 1' >"$work/wrong.conf"
expect 2 "wrong.conf:1: no ':'" "$flowacct" config import "$work/wrong.conf"
expect 2 "did you mean import" "$flowacct" config imprt "$work/nfacctd.conf"
expect 0 "" "$flowacct" config keys
printed nfacctd_port

# Standard input and generated captures; the totals are those of the truth.
for kind in v5 v9 ipfix sflow packets; do
  expect 0 "" "$flowacct" generate "$kind" --records 5000 --distinct-keys 1000 --output "$work/$kind.pcap" --truth "$work/truth"
  code=0
  "$flowacct" replay - --sum packets,bytes --by protocol,src_addr,dst_addr,src_port,dst_port --format csv --no-scale --quiet <"$work/$kind.pcap" >"$work/csv" || code=$?
  got=$(awk -F, 'NR > 1 { packets += $6; bytes += $7; rows++ } END { printf "\"packets\":%d,\"bytes\":%d,\"distinct_five_tuples\":%d", packets, bytes, rows }' "$work/csv")
  grep -qF "$got" "$work/truth" || { echo "FAILED: $kind: $got is not the truth: $(cat "$work/truth") (exit code $code)"; failures=$((failures + 1)); }
done

# A mobile network: as many rows of truth as user packets, and one seed one capture.
expect 0 '"user_packets"' "$flowacct" generate gtp --packets 5000 --subscribers 100 --output "$work/gtp.pcap" --truth "$work/gtp.csv" --truth-sessions "$work/sessions.csv"
rows=$(($(wc -l <"$work/gtp.csv") - 1))
grep -qF "\"user_packets\":$rows," "$work/err" || { echo "FAILED: generate gtp: $rows rows of truth are not as many as there are user packets: $(cat "$work/err")"; failures=$((failures + 1)); }
expect 0 "" "$flowacct" generate gtp --packets 5000 --subscribers 100 --output "$work/gtp2.pcap"
cmp "$work/gtp.pcap" "$work/gtp2.pcap" || { echo "FAILED: generate gtp: one seed gave two captures"; failures=$((failures + 1)); }
expect 2 "no tap 's9'" "$flowacct" generate gtp --taps s9 --output "$work/gtp2.pcap"

# What was charged is what was seen, and what was changed of it is found.
expect 0 '"user_packets"' "$flowacct" generate gtp --packets 20000 --subscribers 300 --percent-5g 0 --percent-inbound 30 --output "$work/s8.pcap" --truth-sessions "$work/charged.csv"
expect 0 " sessions, " "$flowacct" gtp roaming --capture "$work/s8.pcap"
printed "visited_plmn"
expect 0 "" "$flowacct" gtp roaming --capture "$work/s8.pcap" --charged "$work/charged.csv" --all --tolerance 0 --format csv
printed "different,0,0,0,0,0,0,0.0000"
printed ",100.0000"
awk -F, -v OFS=, 'NR > 1 && $17 > 100 && !n { $17 += 100000; n = 1 } 1' "$work/charged.csv" >"$work/tap.csv"
expect 0 "" "$flowacct" gtp roaming --capture "$work/s8.pcap" --charged "$work/tap.csv" --all --differences --format csv
printed ",100000,0,"
awk -F, -v OFS=, 'NR == 3 { $2 = "nobody" } 1' "$work/charged.csv" >"$work/tap.csv"
expect 2 "tap.csv:3: imsi: " "$flowacct" gtp roaming --capture "$work/s8.pcap" --charged "$work/tap.csv"
expect 2 "give --capture or --store" "$flowacct" gtp roaming
expect 2 "--own-network" "$flowacct" gtp roaming --capture "$work/s8.pcap" --own-network 26
expect 2 "KIND" "$flowacct" generate

# A probe: what is metered and exported is read again with the same sums.
for format in ipfix v9 sflow; do
  expect 0 "datagram" "$flowacct" meter "$work/packets.pcap" --export "$format" --output "$work/exports.pcap"
  expect 0 "" "$flowacct" replay "$work/exports.pcap" --sum packets,bytes --by protocol --format csv --quiet
  exported=$(sort "$work/out")
  expect 0 "" "$flowacct" replay "$work/packets.pcap" --sum packets,bytes --by protocol --format csv --quiet
  [[ "$exported" == "$(sort "$work/out")" ]] || { echo "FAILED: $format: exports differ from their packets"; failures=$((failures + 1)); }
done
expect 0 "passed over" "$flowacct" meter "$work/packets.pcap" --sample 10 --output "$work/exports.pcap"
expect 0 "not exported" "$flowacct" meter "$work/packets.pcap" --export v5 --output "$work/exports.pcap"
expect 2 '--output' "$flowacct" meter "$work/packets.pcap"
expect 2 'v5, v9, ipfix, sflow' "$flowacct" meter "$work/packets.pcap" --export netflow --output "$work/x"
expect 2 '--idle-timeout' "$flowacct" meter "$work/packets.pcap" --idle-timeout 5x --output "$work/x"
expect 2 'did you mean src_addr' "$flowacct" meter "$work/packets.pcap" --key src_adr --output "$work/x"
expect 2 'no information element' "$flowacct" meter "$work/packets.pcap" --fields local_pref --output "$work/x"
expect 2 'has no port' "$flowacct" meter "$work/packets.pcap" --output udp://nowhere
expect 1 "$work/missing" "$flowacct" meter "$work/missing" --output "$work/exports.pcap"

# Wrong words: one line, what and what to do, exit code 2, nothing printed.
expect 2 'did you mean src_addr' "$flowacct" replay "$capture" --by src_adr
expect 2 'column 15' "$flowacct" replay "$capture" --where 'proto tcp and dst_prt = 80'
expect 2 'did you mean --where' "$flowacct" replay "$capture" --wher 'proto tcp'
expect 2 'did you mean replay' "$flowacct" repaly "$capture"
expect 2 '--every' "$flowacct" replay "$capture" --every 5x
expect 2 'json' "$flowacct" replay "$capture" --format jsno
expect 2 'FILE' "$flowacct" replay
expect 2 'time-zone' "$flowacct" replay "$capture" --time-zone Mars/Olympus
expect 2 'bytse' "$flowacct" replay "$capture" --order bytse
expect 1 'nowhere.csv' "$flowacct" replay "$capture" --networks "$work/nowhere.csv"
echo "64496;10.0.0.0/8" >"$work/networks"
expect 2 'networks:1' "$flowacct" replay "$capture" --networks "$work/networks"

expect 2 'leave it out of' "$flowacct" replay "$capture" --by packets --sum bytes,packets
expect 2 'lateness' "$flowacct" replay "$capture" --lateness 1h
for wrong in -1 18446744073709551616 1e3 "''"; do
  expect 2 'whole number' "$flowacct" replay "$capture" --top="$wrong"
  expect 2 'whole number' "$flowacct" replay "$capture" --sampling-rate="$wrong"
  expect 2 'whole number' "$flowacct" inspect "$capture" --max-errors="$wrong"
done
expect 2 'whole number' "$flowacct" replay "$capture" --max-groups 0
expect 1 "$work" "$flowacct" replay "$capture" --networks "$work"
expect 1 'larger than' "$flowacct" replay "$capture" --networks /dev/zero
expect 1 "a?b" "$flowacct" replay $'a\nb'

# Files that cannot be read, or not to their end: what was counted is printed, marked incomplete; exit code 1.
expect 1 "$work/missing" "$flowacct" replay "$work/missing"
not_printed src_addr
expect 1 "$work" "$flowacct" replay "$work"
echo "this is a text file, not a capture" >"$work/text"
expect 1 "$work/text" "$flowacct" replay "$work/text"
: >"$work/empty"
expect 1 "$work/empty" "$flowacct" replay "$work/empty"
head -c $(($(stat -c %s "$work/v9.pcap") - 100)) "$work/v9.pcap" >"$work/cut.pcap"
expect 1 "cut.pcap" "$flowacct" replay "$work/cut.pcap" --by protocol
printed incomplete
expect 1 "missing" "$flowacct" replay "$work/v9.pcap" "$work/missing" --by protocol
printed incomplete
expect 1 "cut.pcap" "$flowacct" decode "$work/cut.pcap"
printed '"kind":"flow"'

# Output that cannot be written.
expect 1 "/nonexistent/x.csv" "$flowacct" replay "$capture" --format csv --output /nonexistent/x.csv
if [[ -e /dev/full ]]; then
  "$flowacct" replay "$capture" --format csv --quiet >/dev/full 2>"$work/err" && { echo "FAILED: a full disk went unnoticed"; failures=$((failures + 1)); }
  "$flowacct" decode "$capture" >/dev/full 2>"$work/err" && { echo "FAILED: decode: a full disk went unnoticed"; failures=$((failures + 1)); }
fi

# Ctrl-C and SIGTERM end even a wait for input that does not come; what was counted is printed, marked incomplete.
for signal in INT TERM; do
  rm -f "$work/fifo" && mkfifo "$work/fifo" && exec 9<>"$work/fifo"
  # A shell makes its background jobs deaf to SIGINT; env gives them their ears back.
  env --default-signal=INT "$flowacct" replay "$work/fifo" --by protocol >"$work/out" 2>"$work/err" &
  waiting=$!
  cat "$work/v9.pcap" >&9
  sleep 0.5
  kill -"$signal" "$waiting"
  for ((i = 0; i < 100; ++i)); do kill -0 "$waiting" 2>/dev/null && sleep 0.1; done
  kill -KILL "$waiting" 2>/dev/null
  code=0
  wait "$waiting" || code=$?
  exec 9>&-
  [[ $code -eq 130 ]] || { echo "FAILED: SIG$signal while waiting: exit code $code"; failures=$((failures + 1)); }
  printed incomplete
  printed tcp
done

# Files by time bin appear whole.
expect 0 "" "$flowacct" replay "$capture" --by src_as --every 5m --format csv --output "$work/bin-%Y%m%d-%H%M.csv"
ls "$work"/bin-2*.csv >/dev/null || failures=$((failures + 1))

# Routes of MRT files: one peer with one prefix; with a default route behind it.
printf '\x65\x53\xf1\x00\x00\x0d\x00\x01\x00\x00\x00\x15\x0a\x00\x00\x01\x00\x00\x00\x01\x02\xc0\x00\x02\x01'\
'\xc0\x00\x02\x01\x00\x00\xfb\xf5\x65\x53\xf1\x00\x00\x0d\x00\x02\x00\x00\x00\x2a\x00\x00\x00\x00\x18'\
'\xc6\x33\x64\x00\x01\x00\x00\x65\x53\xf1\x00\x00\x18\x40\x01\x01\x00\x40\x02\x0a\x02\x02\x00\x00\xfb'\
'\xf5\x00\x00\xfb\xfe\x40\x03\x04\xc0\x00\x02\x01' >"$work/one.mrt"
{
  cat "$work/one.mrt"
  printf '\x65\x53\xf1\x00\x00\x0d\x00\x02\x00\x00\x00\x27\x00\x00\x00\x01\x00\x00\x01\x00\x00\x65\x53\xf1\x00'\
'\x00\x18\x40\x01\x01\x00\x40\x02\x0a\x02\x02\x00\x00\xfb\xf5\x00\x00\xfb\xfe\x40\x03\x04\xc0\x00\x02'\
'\x01'
} >"$work/two.mrt"
expect 0 "" "$flowacct" rib routes --mrt "$work/one.mrt" --format csv
printed "198.51.100.0/24,192.0.2.1,192.0.2.1,64501 64510,igp,"
expect 0 "" "$flowacct" rib routes --mrt "$work/one.mrt" --as 1
printed "no such route"
expect 2 "as: \"x\" is no AS number" "$flowacct" rib routes --mrt "$work/one.mrt" --as x
expect 0 "" "$flowacct" rib peers --mrt "$work/two.mrt" --format json
printed '{"peer":"192.0.2.1","as":64501,"router_id":"192.0.2.1","ipv4":2,"ipv6":0,"tables":1,"refused":0}'
expect 0 "" "$flowacct" rib lookup 10.0.0.1 --mrt "$work/two.mrt"
printed "0.0.0.0/0"
expect 0 "all: 1 added, 0 withdrawn, 0 changed, 1 the same" "$flowacct" rib diff "$work/one.mrt" "$work/two.mrt"
printed added
expect 1 "cannot be opened" "$flowacct" rib diff "$work/one.mrt" "$work/nothing"
expect 1 "cannot be opened" "$flowacct" rib diff "$work/one.mrt" nothing.zst
expect 0 "" "$flowacct" rib history 198.51.100.0/24 --mrt "$work/one.mrt"
printed "2023-11-14T22:13:20Z"
expect 0 "routes: 2 routes of 1 peer from 3 MRT records" "$flowacct" replay "$capture" --routes "$work/two.mrt" \
  --by dst_as,as_path,route_source --format csv
printed '64510,64501 64510,mrt,'
expect 1 "no peer of the MRT files has" "$flowacct" replay "$capture" --routes "$work/two.mrt" --routes-peer 192.0.2.9
expect 2 "there are no routes" "$flowacct" replay "$capture" --routes-peer 192.0.2.9
expect 2 "is no MRT file" "$flowacct" rib peers --mrt "$capture"

# The inside of the network joined to flows: what is told of links is all that was exported, and what the IGP's own
# command lays on them.
cat >"$work/net.topology" <<'END'
node ams id 0000.0000.0001 router-id 192.0.2.1
node fra id 0000.0000.0002 router-id 192.0.2.2
node par id 0000.0000.0003 router-id 192.0.2.3
node lon id 0000.0000.0004 router-id 192.0.2.4
link ams fra metric 10 address 172.16.0.0 172.16.0.1
link fra par metric 10
link ams lon metric 15
link fra lon metric 10
prefix par 0.0.0.0/1
prefix lon 128.0.0.0/2
prefix ams 192.0.0.0/2
END
printf '# all of them\n0.0.0.0/0,ams\n' >"$work/exporters"
expect 0 "" "$flowacct" generate v5 --records 5000 --distinct-keys 1000 --exporters 3 --output "$work/v5.pcap" --truth "$work/truth"
igp=(--igp "$work/net.topology" --igp-exporters "$work/exporters")
expect 0 "igp: " "$flowacct" replay "$work/v5.pcap" "${igp[@]}" --by igp_ingress,igp_egress,igp_path,igp_metric,igp_protection --sum bytes --format csv
printed "ams,par,ams fra par,20,"
printed "ams,lon,ams lon,15,"
printed "ams,ams,ams,0,local,"
expect 0 "" "$flowacct" replay "$work/v5.pcap" "${igp[@]}" --by igp_links,igp_ecmp_shares --sum bytes --format csv --no-scale --quiet
cp "$work/out" "$work/links.csv"
got=$(awk -F, 'NR > 1 { bytes += $3 } END { printf "\"bytes\":%d,", bytes }' "$work/links.csv")
grep -qF "$got" "$work/truth" || { echo "FAILED: igp_links: $got is not the truth: $(cat "$work/truth")"; failures=$((failures + 1)); }
"$flowacct" replay "$work/v5.pcap" "${igp[@]}" --by igp_ingress,igp_dst_net --sum bytes --format csv --no-scale --quiet |
  sed '1s/igp_ingress/from/; 1s/igp_dst_net/to/' >"$work/traffic.csv"
expect 0 "" "$flowacct" igp traffic --from "$work/net.topology" --traffic "$work/traffic.csv" --format csv
for link in ams-fra fra-par ams-lon; do
  by_flows=$(awk -F, -v link="$link" 'NR > 1 && $2 == 100 && (" " $1 " ") ~ (" " link " ") { bytes += $3 } END { printf "%d", bytes }' "$work/links.csv")
  [[ $by_flows -gt 0 ]] || { echo "FAILED: nothing of the flows on $link"; failures=$((failures + 1)); }
  grep -q "^2,${link/-/,},.*,$by_flows," "$work/out" || { echo "FAILED: $by_flows octets of flows on $link, but: $(cat "$work/out")"; failures=$((failures + 1)); }
done
first=$(awk -F, 'NR > 1 && $1 != "" { bytes += $3 } END { printf "%d", bytes }' "$work/links.csv")
sent=$(awk -F, 'NR > 1 && $2 != "192.0.0.0/2" { bytes += $3 } END { printf "%d", bytes }' "$work/traffic.csv")
[[ $first -eq $sent ]] || { echo "FAILED: $first octets on first links, of $sent that leave ams"; failures=$((failures + 1)); }
# Networks are filled where the IGP's are longer.
"$flowacct" replay "$work/v5.pcap" --by dst_net --format csv --quiet >"$work/nets"
net=$(grep -o '^[0-9.]*/24' "$work/nets" | head -1)
printf 'prefix par %s/25\nprefix par %s.128/25\n' "${net%/24}" "${net%.0/24}" >>"$work/net.topology"
expect 0 "" "$flowacct" replay "$work/v5.pcap" "${igp[@]}" --by dst_net --format csv --quiet
printed "${net%.0/24}."
not_printed "$net,"
expect 0 "" "$flowacct" replay "$work/v5.pcap" "${igp[@]}" --igp-keep-networks --by dst_net --format csv --quiet
printed "$net,"
printf '10.0.0.1\n' >"$work/exporters"
expect 2 'exporters:1: "10.0.0.1" is neither EXPORTER,ROUTER' "$flowacct" replay "$work/v5.pcap" "${igp[@]}"
expect 2 "--igp-exporters: there is no IGP; give --igp FILE" "$flowacct" replay "$work/v5.pcap" --igp-exporters "$work/exporters"

if [[ $failures -gt 0 ]]; then
  echo "$failures failed"
  exit 1
fi
echo "all fine"
