// Writes testdata/quickstart.pcap again: make_quickstart FILE. See testdata/make.sh.

#include <cstdio>
#include <string>

#include "flowacct/collector/generate/quickstart.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_quickstart FILE\n");
    return 2;
  }
  const absl::Status status = flowacct::collector::WriteQuickstartCapture(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
