#!/bin/bash
# What `flowacct meter` exports over UDP is received by nfcapd and by tshark with the same values: each flow in nfdump,
# each value of each field in tshark. Skipped, saying so, where they are not installed (tools/install_packages peers).
# Argument: the program.
set -u
flowacct=$1
for peer in nfcapd nfdump tshark; do
  command -v "$peer" >/dev/null || { echo "SKIPPED: $peer is not installed; tools/install_packages peers does it"; exit 0; }
done
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317  # by trap and by name
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait
  rm -rf "$work"
}
trap cleanup EXIT
failures=0
failed() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
# Until the command succeeds, 20 seconds at most.
eventually() {
  for _ in $(seq 200); do
    "$@" && return 0
    sleep 0.1
  done
  return 1
}
listens() { grep -qi ":$(printf '%04X' "$1") 00000000:0000 07" /proc/net/udp; }
free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)); listens "$port"; do :; done
  echo "$port"
}
# same WHAT A B: two files of lines, compared without their order.
same() {
  if ! cmp -s <(sort "$2") <(sort "$3"); then
    failed "$1: $(wc -l <"$2") and $(wc -l <"$3") lines that differ:"
    diff <(sort "$2") <(sort "$3") | head -6
  fi
}

# IPv4 and IPv6, TCP and UDP.
"$flowacct" generate packets --records 20000 --distinct-keys 3000 --output "$work/packets.pcap" --truth "$work/truth" || exit 1

# What is exported, as this project reads it: addresses, ports, protocol, packets, bytes, begin and end. With "nfdump" as
# nfdump writes it: ports of ICMP as type.code, and what is absent as 0.
ours() {
  "$flowacct" decode "$1" --no-scale | python3 -c '
import json, sys
nfdump = sys.argv[1:] == ["nfdump"]
numbers = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmp6": 58}
def time(text):
    day, _, rest = text.rstrip("Z").partition("T")
    whole, _, part = rest.partition(".")
    return day + whole + "." + part.ljust(3, "0")
for line in sys.stdin:
    flow = json.loads(line)
    if flow["kind"] != "flow":
        continue
    protocol = numbers.get(flow["protocol"], flow["protocol"])
    ports = [flow.get("src_port", ""), flow.get("dst_port", "")]
    if nfdump:
        ports = [port or 0 for port in ports]
        if protocol in (1, 58):
            code = flow.get("icmp_type", ports[1] // 256), flow.get("icmp_code", ports[1] % 256)
            ports = [0, "%d.%d" % code]
    print(flow["src_addr"], flow["dst_addr"], *ports, protocol, flow["packets"], flow["bytes"], time(flow["start_time"]),
          time(flow["end_time"]), sep=",")
' "${@:2}"
}
# Takes what is sent to a port, so that nobody says that nobody is there.
listen() {
  exec python3 -c '
import socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    receiver.recv(65536)
' "$1"
}

for format in v5 v9 ipfix; do
  # ---- nfcapd ----
  port=$(free_port)
  mkdir "$work/$format"
  nfcapd -l "$work/$format" -p "$port" -b 127.0.0.1 -B 4194304 >"$work/nfcapd.log" 2>&1 &
  nfcapd=$!
  pids+=("$nfcapd")
  eventually listens "$port" || { failed "nfcapd does not listen: $(tail -1 "$work/nfcapd.log")"; continue; }
  "$flowacct" meter "$work/packets.pcap" --export "$format" --output "udp://127.0.0.1:$port" --datagrams-per-second 2000 \
    --quiet || failed "$format: meter to nfcapd"
  # The same exports, for our own eyes.
  "$flowacct" meter "$work/packets.pcap" --export "$format" --output "$work/$format.pcap" --quiet
  ours "$work/$format.pcap" nfdump >"$work/ours"
  [[ $(wc -l <"$work/ours") -gt 2000 ]] || failed "$format: $(wc -l <"$work/ours") flows were exported"
  sleep 1
  kill -TERM "$nfcapd"
  wait "$nfcapd"
  TZ=UTC nfdump -R "$work/$format" -q -N -6 -o 'fmt:%sa,%da,%sp,%dp,%pr,%pkt,%byt,%ts,%te' 2>"$work/nfdump.log" |
    tr -d ' ' | grep -v '^$' | sed -E 's/,TCP,/,6,/; s/,UDP,/,17,/' >"$work/nfdump"
  # nfdump reads no type and code of ICMPv6 in NetFlow v9.
  [[ "$format" == v9 ]] && sed -E 's/,0,[0-9.]+,58,/,0,0,58,/' -i "$work/ours" "$work/nfdump"
  same "$format in nfdump" "$work/ours" "$work/nfdump"

  # ---- tshark ----
  port=$(free_port)
  listen "$port" &
  pids+=("$!")
  eventually listens "$port" || failed "nobody listens"
  tshark -i lo -f "udp port $port" -d "udp.port==$port,cflow" -w "$work/lo.pcap" >"$work/tshark.log" 2>&1 &
  tshark=$!
  pids+=("$tshark")
  # shellcheck disable=SC2317
  capturing() { grep -q "Capturing on" "$work/tshark.log"; }
  # shellcheck disable=SC2317
  ended() { ! kill -0 "$tshark" 2>/dev/null; }
  eventually eval 'capturing || ended'
  if ended; then
    echo "SKIPPED: tshark cannot capture here: $(tail -1 "$work/tshark.log")"
    continue
  fi
  sleep 0.5
  "$flowacct" meter "$work/packets.pcap" --export "$format" --output "udp://127.0.0.1:$port" --datagrams-per-second 2000 \
    --quiet || failed "$format: meter to tshark"
  sleep 1
  kill -INT "$tshark"
  wait "$tshark"
  ours "$work/$format.pcap" >"$work/ours"
  column=0
  for fields in srcaddr,srcaddrv6 dstaddr,dstaddrv6 srcport dstport protocol packets octets; do
    column=$((column + 1))
    elements=()
    for field in ${fields//,/ }; do elements+=(-e "cflow.$field"); done
    tshark -r "$work/lo.pcap" -d "udp.port==$port,cflow" -Y cflow -T fields "${elements[@]}" 2>/dev/null |
      tr '\t' '\n' | tr ',' '\n' | grep -v '^$' >"$work/theirs"
    cut -d, -f "$column" "$work/ours" | grep -v '^$' >"$work/column"
    same "$format, $fields in tshark" "$work/column" "$work/theirs"
  done
done
[[ $failures -eq 0 ]] && echo "nfcapd and tshark read what was exported"
exit $((failures > 0))
