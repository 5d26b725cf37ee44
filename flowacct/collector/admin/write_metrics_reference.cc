// Writes docs/reference/metrics.md from the table of metrics.

#include <cstdio>

#include "flowacct/collector/admin/metrics.h"

int main() { return std::fputs(flowacct::collector::MetricsReference().c_str(), stdout) < 0 ? 1 : 0; }
