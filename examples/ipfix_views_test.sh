#!/bin/sh
# The example reads what testdata/README.md says of the capture: 175,020 octets of IP.
set -eu
out=$("$1" "$2")
echo "$out" | head -4
echo "$out" | grep -q '^template 1024: 0:8(4) '
echo "$out" | grep -q '^template 256 of options: '
octets=$(echo "$out" | awk '/^record/ { for (i = 3; i <= NF; ++i) if ($i ~ /^1=/) sum += substr($i, 3) } END { print sum }')
if [ "$octets" != 175020 ]; then
  echo "$octets octets instead of 175020"
  exit 1
fi
if "$1" /nonexistent 2>/dev/null; then
  echo "a missing file went unnoticed"
  exit 1
fi
