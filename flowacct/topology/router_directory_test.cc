#include "flowacct/topology/router_directory.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flowacct/topology/link_state_database.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/topology_file.h"
#include "flowacct/topology/wanted_routers.h"

namespace flowacct::topology {
namespace {

base::IpAddress Ip(const char* text) { return *base::IpAddress::Parse(text); }

TEST(RouterDirectory, KnowsNamesAndAddresses) {
  std::vector<Advertisement> drawn = Drawn("A--1--p--1--B--1--C");
  LinkStateDatabase database;
  for (Advertisement& a : drawn) {
    const char letter = LetterOf(a.key.origin);
    if (letter == 'A') {
      a.name = "Ams1";
      a.router_id = Ip("192.0.2.1");
      a.links[0].local_address = Ip("198.51.100.1");
    }
    if (letter == 'B' || letter == 'C') a.addresses = {Ip("203.0.113.1")};
    if (letter == 'B') a.router_id_v6 = Ip("2001:db8::2");
    if (letter == 'B') a.name.clear();
    database.Apply(a, 0);
  }
  const TopologyState state = database.State();
  const RouterDirectory directory(state);
  EXPECT_EQ(directory.Name(LetterKey('A')), "Ams1");
  EXPECT_EQ(directory.Name(LetterKey('B')), NodeText(NodeStyle::kIsis, LetterKey('B')));
  EXPECT_EQ(directory.Find("aMS1"), LetterKey('A'));
  EXPECT_EQ(directory.Find("192.0.2.1"), LetterKey('A'));
  EXPECT_EQ(directory.Find("198.51.100.1"), LetterKey('A'));
  EXPECT_EQ(directory.Find(NodeText(NodeStyle::kIsis, LetterKey('C'))), LetterKey('C'));
  EXPECT_EQ(directory.Find("nobody"), std::nullopt);
  EXPECT_EQ(directory.FindAddress(Ip("2001:db8::2")), LetterKey('B'));
  EXPECT_EQ(directory.FindAddress(Ip("203.0.113.1")), std::nullopt);  // two say so
  EXPECT_EQ(directory.FindAddress(Ip("::")), std::nullopt);
  const Graph graph = state.GraphOf(2, 0);
  EXPECT_EQ(directory.LinkName(graph, LinkAt(graph, 'A', 'p')), "Ams1-" + directory.Name(LetterKey('p')));
}

// Of OSPF each IPv4 address could be an identifier.
TEST(RouterDirectory, AnIdentifierIsThatOfARouterThatIsThere) {
  const auto file = ParseTopologyFile(
      "style ospf\nnode ams id 192.0.2.1\nnode fra id 192.0.2.2\n"
      "link ams fra metric 10 address 198.51.100.1 198.51.100.2\n",
      "t");
  ASSERT_TRUE(file.ok()) << file.status();
  LinkStateDatabaseOptions options;
  options.style = NodeStyle::kOspf;
  LinkStateDatabase database(options);
  for (const Advertisement& a : file->advertisements) database.Apply(a, 0);
  const RouterDirectory directory(database.State());
  const auto ams = directory.Find("ams");
  ASSERT_TRUE(ams.has_value());
  EXPECT_EQ(directory.Find("192.0.2.1"), ams);
  EXPECT_EQ(directory.Find("198.51.100.1"), ams);
  EXPECT_EQ(directory.Find("203.0.113.9"), std::nullopt);
}

TEST(RouterDirectory, SameIsWhatNamesAndAddressesAre) {
  Advertisement a = Drawn("A--1--B")[0], b = a;
  b.links[0].metric = 7;
  b.sequence = 2;
  EXPECT_TRUE(RouterDirectory::Same(a, b));
  b.name = "other";
  EXPECT_FALSE(RouterDirectory::Same(a, b));
  b = a;
  b.links[0].local_address = Ip("192.0.2.1");
  EXPECT_FALSE(RouterDirectory::Same(a, b));
  b = a;
  b.links.clear();
  EXPECT_FALSE(RouterDirectory::Same(a, b));
}

TEST(WantedRouters, EachComesOutOnceAndNoMoreThanTheBound) {
  WantedRouters wanted(2);
  EXPECT_FALSE(wanted.pending());
  EXPECT_TRUE(wanted.Note({5}, false));
  EXPECT_TRUE(wanted.Note({3}, false));
  EXPECT_FALSE(wanted.Note({4}, false));
  EXPECT_TRUE(wanted.Note({5}, true));
  EXPECT_TRUE(wanted.Note({5}, false));
  EXPECT_EQ(wanted.refused(), 1u);
  EXPECT_TRUE(wanted.pending());
  const std::vector<WantedRouter> taken = wanted.Take();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].router.value, 3u);
  EXPECT_FALSE(taken[0].alternates);
  EXPECT_EQ(taken[1].router.value, 5u);
  EXPECT_TRUE(taken[1].alternates);
  EXPECT_FALSE(wanted.pending());
  EXPECT_TRUE(wanted.Take().empty());
}

}  // namespace
}  // namespace flowacct::topology
