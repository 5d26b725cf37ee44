#include "flowacct/collector/generate/quickstart.h"

#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(Quickstart, CaptureInTheRepositoryIsWhatTheStoryWrites) {
  const std::string path = testing::TempDir() + "/quickstart.pcap";
  ASSERT_TRUE(WriteQuickstartCapture(path).ok());
  const std::string written = ReadFile(path);
  EXPECT_GT(written.size(), 100000u);
  EXPECT_LT(written.size(), 300000u);
  EXPECT_TRUE(written == ReadFile("testdata/quickstart.pcap")) << "run testdata/make.sh and commit what it writes";
}

TEST(Quickstart, SaysWhyItCannotWrite) {
  EXPECT_EQ(WriteQuickstartCapture("/nowhere/quickstart.pcap").message(),
            "cannot create /nowhere/quickstart.pcap: No such file or directory");
}

}  // namespace
}  // namespace flowacct::collector
