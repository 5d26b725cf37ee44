// Writes the seeds of the fuzz test's corpus:
//     bazel run //flowacct/topology:write_link_state_corpus -- $PWD/flowacct/topology/corpus

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/testing/random_routing.h"

namespace flowacct::topology {
namespace {

// What flowacct/base/sealed_octets.h puts before and behind a body.
constexpr size_t kBefore = 8 + 1 + sizeof("link state") - 1 + 2 + 8, kBehind = 8;

int Main(const std::string& folder) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    LinkStateDatabase database;
    int64_t time = 0;
    for (const Advertisement& a : RandomRouting(seed)) {
      database.Apply(a, ++time);
      if (time % 4 == 0) database.Remove(a.key, ++time);
    }
    const std::string saved = database.Save();
    const std::string path = folder + "/routing_" + std::to_string(seed);
    std::ofstream file(path, std::ios::binary);
    file << saved.substr(kBefore, saved.size() - kBefore - kBehind);
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace flowacct::topology

int main(int argc, char** argv) { return argc == 2 ? flowacct::topology::Main(argv[1]) : 2; }
