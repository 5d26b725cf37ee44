#include "flowacct/enrich/networks.h"

#include <gtest/gtest.h>

namespace flowacct::enrich {
namespace {

base::IpAddress Address(absl::string_view text) { return *base::IpAddress::Parse(text); }

constexpr char kFile[] =
    "# ours\n"
    "192.0.2.0/24\n"
    "! comments of both kinds, blanks, and lines of Windows\r\n"
    "\n"
    "  64496 , 198.51.100.0/24  # behind a line\n"
    "64497,198.51.100.128/25\r\n"
    "203.0.113.1,64498,2001:db8::/32\n";

TEST(Networks, ParseAndFind) {
  const auto networks = Networks::Parse(kFile, "networks.txt");
  ASSERT_TRUE(networks.ok()) << networks.status();
  EXPECT_EQ(networks->size(), 4u);
  EXPECT_EQ(networks->Find(Address("192.0.2.9"))->prefix.ToString(), "192.0.2.0/24");
  EXPECT_EQ(networks->Find(Address("192.0.2.9"))->as, 0u);
  EXPECT_EQ(networks->Find(Address("198.51.100.1"))->as, 64496u);
  EXPECT_EQ(networks->Find(Address("198.51.100.200"))->as, 64497u);
  EXPECT_TRUE(networks->Find(Address("2001:db8::1"))->has_next_hop);
  EXPECT_EQ(networks->Find(Address("10.0.0.1")), nullptr);
  EXPECT_EQ(Networks::Parse("", "empty")->Find(Address("10.0.0.1")), nullptr);
}

TEST(Networks, ErrorsNameFileAndLine) {
  const auto error = [](absl::string_view text, NetworksOptions options = {}) {
    return std::string(Networks::Parse(text, "n.txt", options).status().message());
  };
  EXPECT_EQ(error("192.0.2.0/24\n192.0.2.0/33\n"),
            "n.txt:2: \"192.0.2.0/33\" is no prefix; write one such as 192.0.2.0/24");
  EXPECT_EQ(error("AS1,192.0.2.0/24"),
            "n.txt:1: \"AS1\" is no AS number; write one from 0 to 4294967295 before the prefix");
  EXPECT_EQ(error("4294967296,192.0.2.0/24"),
            "n.txt:1: \"4294967296\" is no AS number; write one from 0 to 4294967295 before the prefix");
  EXPECT_EQ(error("\n\nx,1,192.0.2.0/24"),
            "n.txt:3: \"x\" is no address; write the next hop first, such as 198.51.100.1");
  EXPECT_EQ(error("1,2,3,192.0.2.0/24"),
            "n.txt:1: more than three parts; a line is PREFIX, or AS,PREFIX, or NEXT HOP,AS,PREFIX");
  NetworksOptions options;
  options.max_networks = 1;
  EXPECT_EQ(error("10.0.0.0/8\n11.0.0.0/8", options),
            "n.txt:2: more than max_networks = 1 networks; raise it or shorten the file");
}

}  // namespace
}  // namespace flowacct::enrich
