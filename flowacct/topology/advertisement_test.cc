#include "flowacct/topology/advertisement.h"

#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

struct NodeCase {
  NodeStyle style;
  uint64_t value;
  const char* text;
  bool pseudonode;
  uint64_t router;
};

constexpr NodeCase kNodes[] = {
    {NodeStyle::kIsis, 0x1921680010010000, "1921.6800.1001", false, 0x1921680010010000},
    {NodeStyle::kIsis, 0x19216800100102'00, "1921.6800.1001.02", true, 0x1921680010010000},
    {NodeStyle::kIsis, 0, "0000.0000.0000", false, 0},
    {NodeStyle::kOspf, 0xc000020100000000, "192.0.2.1", false, 0xc000020100000000},
    {NodeStyle::kOspf, 0xc00002010a000001, "192.0.2.1:10.0.0.1", true, 0xc000020100000000},
};

TEST(Nodes, HaveTextAndRouter) {
  for (const NodeCase& c : kNodes) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(NodeText(c.style, {c.value}), c.text);
    EXPECT_EQ(IsPseudonode(c.style, {c.value}), c.pseudonode);
    EXPECT_EQ(RouterOf(c.style, {c.value}).value, c.router);
    const std::optional<NodeKey> read = ParseNode(c.style, c.text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->value, c.value);
  }
}

TEST(Nodes, NothingElseIsOne) {
  for (const char* text : {"", "1921.6800.100", "1921.6800.1001.", "1921.6800.1001.2", "1921.6800.1001.02-00",
                           "192168001001", "1921.6800.100g", "r1"}) {
    EXPECT_FALSE(ParseNode(NodeStyle::kIsis, text).has_value()) << text;
  }
  for (const char* text : {"", "192.0.2", "192.0.2.1:", "192.0.2.1:0.0.0.0", "2001:db8::1", "192.0.2.1:x"}) {
    EXPECT_FALSE(ParseNode(NodeStyle::kOspf, text).has_value()) << text;
  }
}

}  // namespace
}  // namespace flowacct::topology
