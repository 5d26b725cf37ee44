# shellcheck shell=bash disable=SC2034
# Sourced by the scripts beside it: the repository's root, a HOME that exists, and `run_bazel`, which is Bazel without
# the caller's environment, so that a CC or a LANG of theirs changes nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1

if [[ -z "${HOME:-}" || ! -w "${HOME:-}" ]]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  [[ -n "$HOME" && -w "$HOME" ]] || HOME=/tmp/flowacct-home-$(id -u)
  mkdir -p "$HOME"
fi
export HOME
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '== %s\n' "$*"; }

run_bazel() {
  env -i HOME="$HOME" USER="$(id -un)" PATH="$PATH" LANG=C.UTF-8 TERM="${TERM:-dumb}" bazel "$@" </dev/null
}

# Bazel's '~' is not $HOME where the two differ.
bazel_build_flags=(--disk_cache="$HOME/.cache/flowacct-bazel")
# For the scripts: a line that moves on a terminal, little in a log.
bazel_output_flags=(--color=no --curses=no --show_progress_rate_limit=20)
if [[ -t 2 ]]; then bazel_output_flags=(); fi
