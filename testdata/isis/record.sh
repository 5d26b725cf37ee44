#!/bin/bash
# Records network.pcap: FRR's routers in network namespaces are the network of network.topology. Needs root, FRR,
# iproute2 and dumpcap (tshark). The link lux-par fails after a minute, and is back half a minute later.
#
#     testdata/isis/record.sh OUTPUT
set -euo pipefail
output=$(realpath "${1:?say where the capture goes}")
if [[ -z ${IN_OWN_RUN:-} ]]; then IN_OWN_RUN=1 exec unshare --net --mount --fork --pid --kill-child "$0" "$output"; fi
mount -t tmpfs none /run
mount -t proc none /proc
ip link set lo up

routers=(ams fra bru lux par zrh)
# ends, metric, capacity in octets a second
links=("ams bru 10 12500000" "ams lux 10 12500000" "fra lux 10 12500000" "bru par 10 2500000" "lux par 10 12500000"
       "lux zrh 10 12500000" "par zrh 10 12500000" "fra zrh 30 2500000")
# What isisd has by itself, the interface's speed, is more; max-bw must be above all of these.
reservable=$(printf '  %s 1000\n' max-rsv-bw unrsv-bw\ {0..7})
declare -A configuration
number=0
for router in "${routers[@]}"; do
  number=$((number + 1))
  ip netns add "$router"
  ip -n "$router" link set lo up
  ip -n "$router" address add "192.0.2.$number/32" dev lo
  configuration[$router]="hostname $router
interface lo
 ip router isis 1
 isis passive
router isis 1
 net 49.0001.0000.0000.000$number.00
 is-type level-2-only
 metric-style wide
 lsp-gen-interval 2
 mpls-te on
 mpls-te router-address 192.0.2.$number
"
done
customers() {  # router, IPv4, IPv6
  ip -n "$1" link add customers type veth peer name hosts
  ip -n "$1" link set hosts up
  ip -n "$1" address add "$2" dev customers
  ip -n "$1" address add "$3" dev customers nodad
  ip -n "$1" link set customers up
  configuration[$1]+="interface customers
 ip router isis 1
 ipv6 router isis 1
 isis passive
"
}
customers par 192.0.2.62/26 2001:db8:fbf4::3e/122
customers zrh 192.0.2.126/26 2001:db8:fbf4::7e/122
net=0
for link in "${links[@]}"; do
  read -r a b metric octets <<<"$link"
  ip link add "$b" netns "$a" type veth peer name "$a" netns "$b"
  for ends in "$a $b 0" "$b $a 1"; do
    read -r router interface host <<<"$ends"
    ip -n "$router" address add "10.0.$net.$host/31" dev "$interface"
    ip -n "$router" link set "$interface" up
    configuration[$router]+="interface $interface
 link-params
  enable
$reservable
  max-bw $octets
  exit-link-params
 ip router isis 1
 ipv6 router isis 1
 isis network point-to-point
 isis circuit-type level-2-only
 isis metric $metric
 isis hello-interval 5
 no isis hello padding
"
  done
  net=$((net + 1))
done
start() {
  local folder=/run/lab/$1 program
  mkdir -p "$folder"
  printf '%s' "${configuration[$1]}" >"$folder/frr.conf"
  chown -R frr:frr /run/lab
  for program in zebra isisd; do
    ip netns exec "$1" /usr/lib/frr/$program -d -f "$folder/frr.conf" -i "$folder/$program.pid" -z "$folder/zserv.api" \
      --vty_socket "$folder" -A 127.0.0.1 --log "file:$folder/$program.log"
    while [[ ! -S "$folder/$program.vty" ]]; do sleep 0.1; done
  done
}
for router in "${routers[@]}"; do start "$router"; done
ip netns exec ams dumpcap -q -P -i lux -f isis -w "$output" &
sleep 60
ip -n par link set lux down
sleep 30
ip -n par link set lux up
sleep 30
kill %1
wait || true
vtysh --vty_socket /run/lab/ams -c 'show isis database' -c 'show isis route'
