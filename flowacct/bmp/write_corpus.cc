// Writes the seeds of the fuzz test's corpus:
//     bazel build //flowacct/bmp:write_corpus && bazel-bin/flowacct/bmp/write_corpus flowacct/bmp/corpus

#include <cstdint>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "flowacct/bmp/testing/message_builder.h"

int main(int argc, char** argv) {
  using namespace flowacct::bmp;
  if (argc != 2) return 2;
  const testing::Octets stream = testing::EveryMessage();
  bool ok = true;
  size_t n = 0;
  for (size_t at = 0; at < stream.size(); ++n) {
    const size_t length = flowacct::base::LoadBe32(stream.data() + at + 1);
    std::ofstream out(absl::StrCat(argv[1], "/message_", n), std::ios::binary);
    out.put(static_cast<char>(n * 13));
    out.write(reinterpret_cast<const char*>(stream.data() + at), static_cast<std::streamsize>(length));
    ok = ok && out.good();
    at += length;
  }
  std::ofstream all(absl::StrCat(argv[1], "/all"), std::ios::binary);
  all.put(40);
  all.write(reinterpret_cast<const char*>(stream.data()), static_cast<std::streamsize>(stream.size()));
  return ok && all.good() ? 0 : 1;
}
