#!/bin/bash
# Writes the generated captures of this folder again. What changes in git is a change of what they hold.
set -euo pipefail
cd "$(dirname "$0")/.."
bazel build --ui_event_filters=-info --show_result=0 //flowacct/collector/generate:make_testdata
bazel-bin/flowacct/collector/generate/make_testdata testdata
git status --short testdata
