// Writes the seeds of the fuzz test's corpus:
//     bazel build //flowacct/mrt:write_corpus && bazel-bin/flowacct/mrt/write_corpus flowacct/mrt/corpus

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/mrt/record.h"
#include "flowacct/mrt/testing/record_builder.h"

int main(int argc, char** argv) {
  using namespace flowacct::mrt;
  if (argc != 2) return 2;
  const std::vector<uint8_t> file = testing::EverySubtype();
  const size_t first = kHeaderOctets + flowacct::base::LoadBe32(file.data() + 8);
  bool ok = true;
  size_t n = 0;
  // Each record behind the peers; in splits of several sizes.
  for (size_t at = first; at < file.size(); ++n) {
    const size_t length = kHeaderOctets + flowacct::base::LoadBe32(file.data() + at + 8);
    std::ofstream out(absl::StrCat(argv[1], "/record_", n), std::ios::binary);
    out.put(static_cast<char>(n * 9));
    out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(first));
    out.write(reinterpret_cast<const char*>(file.data() + at), static_cast<std::streamsize>(length));
    ok = ok && out.good();
    at += length;
  }
  return ok ? 0 : 1;
}
