#!/bin/sh
# The example prints a table of AS pairs, and says why when it cannot.
set -eu
out=$("$1" "$2")
echo "$out" | head -3
echo "$out" | grep -q src_as
echo "$out" | grep -q 64501
if "$1" /nonexistent 2>/dev/null; then
  echo "a missing file went unnoticed"
  exit 1
fi
