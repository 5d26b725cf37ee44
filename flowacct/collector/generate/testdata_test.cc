// The generated captures in testdata/ are what make_testdata writes today.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "flowacct/collector/generate/quickstart.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(Testdata, CapturesInTheRepositoryAreWhatIsWritten) {
  const std::string folder = testing::TempDir();
  ASSERT_EQ(std::system(("flowacct/collector/generate/make_testdata " + folder).c_str()), 0);
  for (const char* name : {"/quickstart.pcap", "/packets.pcap"}) {
    const std::string written = ReadFile(folder + name);
    EXPECT_GT(written.size(), 24u + 16u) << name;
    EXPECT_LT(written.size(), 300000u) << name;
    EXPECT_TRUE(written == ReadFile(std::string("testdata") + name))
        << name << ": run testdata/make.sh and commit what it writes";
  }
}

TEST(Quickstart, SaysWhyItCannotWrite) {
  EXPECT_EQ(WriteQuickstartCapture("/nowhere/quickstart.pcap").message(),
            "cannot create /nowhere/quickstart.pcap: No such file or directory");
}

}  // namespace
}  // namespace flowacct::collector
