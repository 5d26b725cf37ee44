#include "flowacct/topology/link_state_database.h"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/topology/testing/drawn_graph.h"
#include "flowacct/topology/testing/random_network.h"
#include "gtest/gtest.h"

namespace flowacct::topology {
namespace {

using Kind = TopologyChange::Kind;

Advertisement Node(char letter, absl::string_view neighbors, uint8_t fragment = 0) {
  Advertisement a;
  a.key = {2, LetterKey(letter), fragment};
  for (const char c : neighbors) {
    AdvertisedLink link;
    link.to = LetterKey(c);
    link.metric = 10;
    a.links.push_back(link);
  }
  return a;
}

AdvertisedPrefix Prefix(absl::string_view text, uint32_t metric = 0) {
  AdvertisedPrefix p;
  p.prefix = *base::IpPrefix::Parse(text);
  p.metric = metric;
  return p;
}

TEST(LinkStateDatabase, TellsWhatChanged) {
  LinkStateDatabase database;
  std::optional<TopologyChange> change = database.Apply(Node('A', "B"), 1);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->kind, Kind::kNew);
  EXPECT_TRUE(change->graph);
  EXPECT_EQ(change->before, nullptr);

  Advertisement again = Node('A', "B");
  again.sequence = 2;
  EXPECT_FALSE(database.Apply(again, 2).has_value());
  EXPECT_EQ(database.refreshed(), 1u);
  EXPECT_EQ(database.Find(again.key)->sequence, 2u);

  again.prefixes.push_back(Prefix("192.0.2.0/24"));
  change = database.Apply(again, 3);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->kind, Kind::kChanged);
  EXPECT_FALSE(change->graph);
  EXPECT_TRUE(change->prefixes);

  again.name = "a";
  change = database.Apply(again, 4);
  ASSERT_TRUE(change.has_value());
  EXPECT_FALSE(change->graph);
  EXPECT_FALSE(change->prefixes);
  EXPECT_EQ(database.State().NameOf(LetterKey('A')), "a");
  EXPECT_EQ(database.State().NameOf(LetterKey('B')), "");

  again.links[0].metric = 11;
  change = database.Apply(again, 5);
  ASSERT_TRUE(change.has_value());
  EXPECT_TRUE(change->graph);
  EXPECT_FALSE(change->prefixes);

  change = database.Remove(again.key, 6);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->kind, Kind::kGone);
  EXPECT_TRUE(change->graph);
  EXPECT_TRUE(change->prefixes);
  EXPECT_FALSE(database.Remove(again.key, 7).has_value());
  EXPECT_EQ(database.size(), 0u);
  EXPECT_EQ(database.octets(), 0u);
  EXPECT_EQ(database.history().size(), 5u);
}

TEST(TopologyState, GraphsOfLevelsTopologiesAndFragments) {
  LinkStateDatabase database;
  // A and B take part in topology 2 too, C does not; the LAN p tells of the standard topology alone.
  Advertisement a = Node('A', "pC"), b = Node('B', "p"), p = Node('p', "AB"), c = Node('C', "A");
  for (Advertisement* router : {&a, &b}) {
    router->topologies.push_back({2, router == &b, false});
    AdvertisedLink link = router->links[0];
    link.topology = 2;
    link.metric = 77;
    router->links.push_back(link);
  }
  Advertisement lost = Node('D', "A", 1);  // its fragment 0 is not there
  Advertisement level_1 = Node('A', "B");
  level_1.key.level = 1;
  Advertisement more = Node('B', "C", 1), back = Node('C', "B", 3);
  for (const Advertisement& x : {a, b, p, c, lost, level_1, more, back}) database.Apply(x, 1);
  const TopologyState state = database.State();

  const Graph standard = state.GraphOf(2, 0);
  EXPECT_EQ(standard.node_count(), 4u);
  EXPECT_EQ(standard.link_count(), 8u);  // A-p B-p A-C B-C
  EXPECT_NE(LinkAt(standard, 'C', 'B'), kNoIndex);
  EXPECT_EQ(At(standard, 'D'), kNoIndex);
  const Graph v6 = state.GraphOf(2, 2);
  EXPECT_EQ(v6.topology(), 2);
  EXPECT_EQ(v6.node_count(), 3u);
  EXPECT_EQ(v6.link_count(), 4u);
  EXPECT_EQ(v6.link(LinkAt(v6, 'A', 'p')).metric, 77u);
  EXPECT_TRUE(v6.node(At(v6, 'B')).overload);
  EXPECT_FALSE(standard.node(At(standard, 'B')).overload);
  EXPECT_EQ(state.GraphOf(1, 0).node_count(), 1u);
}

TEST(LinkStateDatabase, KeepsItsBounds) {
  LinkStateDatabaseOptions options;
  options.max_advertisements = 3;
  options.max_history = 4;
  LinkStateDatabase database(options);
  for (const char c : {'A', 'B', 'C', 'D', 'E'}) database.Apply(Node(c, "A"), 1);
  EXPECT_EQ(database.size(), 3u);
  EXPECT_EQ(database.refused(), 2u);
  for (int64_t t = 2; t <= 5; ++t) {
    Advertisement a = Node('A', "B");
    a.links[0].metric = static_cast<uint32_t>(t);
    database.Apply(a, t);
  }
  EXPECT_EQ(database.history().size(), 4u);
  EXPECT_EQ(database.forgotten(), 3u);
  EXPECT_EQ(database.history_begin_nanos(), 1);
  EXPECT_FALSE(database.StateAt(0).has_value());
  EXPECT_EQ(database.StateAt(1)->Find({2, LetterKey('A'), 0})->links[0].metric, 10u);

  options = {};
  options.max_octets = 2 * OctetsOf(Node('A', "BC"));
  LinkStateDatabase small(options);
  small.Apply(Node('A', "BC"), 1);
  small.Apply(Node('B', "AC"), 1);
  EXPECT_FALSE(small.Apply(Node('C', "AB"), 1).has_value());
  // What is known to be old goes where the new one is too large.
  const auto gone = small.Apply(Node('A', "BCDEFGH"), 1);
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->after, nullptr);
  EXPECT_EQ(small.Find({2, LetterKey('A'), 0}), nullptr);
  small.Apply(Node('A', "BC"), 1);
  EXPECT_TRUE(small.Apply(Node('A', "B"), 1).has_value());  // less is always taken
  EXPECT_EQ(small.refused(), 2u);
  EXPECT_LE(small.octets(), options.max_octets);

  options = {};
  options.max_history_octets = 4 * sizeof(TopologyChange);
  LinkStateDatabase forgetful(options);
  for (const char c : {'A', 'B', 'C', 'D', 'E'}) forgetful.Apply(Node(c, "A"), 1);
  EXPECT_EQ(forgetful.history().size(), 4u);
  EXPECT_LE(forgetful.history_octets(), options.max_history_octets);
}

std::string TextOf(const TopologyDifference& d) {
  std::string text = absl::StrCat(TopologyDifferenceName(d.kind), " ", std::string(1, LetterOf(d.node)));
  if (d.to.value != 0) absl::StrAppend(&text, std::string(1, LetterOf(d.to)));
  if (d.prefix.length() != 0) absl::StrAppend(&text, " ", d.prefix.ToString());
  absl::StrAppend(&text, " ", d.before, "-", d.after);
  if (!d.name_before.empty() || !d.name_after.empty()) absl::StrAppend(&text, " ", d.name_before, "-", d.name_after);
  return text;
}

TEST(TopologyState, Differences) {
  LinkStateDatabase database;
  for (const Advertisement& a : Drawn("A--10--B--10--C", "")) database.Apply(a, 1);
  const TopologyState before = database.State();
  Advertisement a = *database.Find({2, LetterKey('A'), 0});
  a.links[0].metric = 12;
  a.overload = true;
  a.name = "alpha";
  a.prefixes = {Prefix("192.0.2.0/24", 5)};
  database.Apply(a, 2);
  database.Remove({2, LetterKey('C'), 0}, 3);
  Advertisement d = Node('D', "A");
  d.name = "D";
  database.Apply(d, 4);
  std::vector<std::string> texts;
  for (const TopologyDifference& x : Differences(before, database.State())) texts.push_back(TextOf(x));
  EXPECT_EQ(texts, (std::vector<std::string>{"node_name A 0-0 A-alpha", "node_flags A 0-1", "link_metric AB 10-12",
                                             "prefix_new A 192.0.2.0/24 0-5", "node_gone C 0-0 C-", "link_gone CB 10-0",
                                             "node_new D 0-0 -D", "link_new DA 0-10"}));
  EXPECT_TRUE(Differences(before, before).empty());
  texts.clear();
  for (const TopologyDifference& x : Differences(database.State(), before)) texts.push_back(TextOf(x));
  EXPECT_EQ(texts, (std::vector<std::string>{"node_name A 0-0 alpha-A", "node_flags A 1-0", "link_metric AB 12-10",
                                             "prefix_gone A 192.0.2.0/24 5-0", "node_new C 0-0 -C", "link_new CB 0-10",
                                             "node_gone D 0-0 D-", "link_gone DA 10-0"}));
}

std::string SavedState(const TopologyState& state) {
  LinkStateDatabase copy;
  for (const TopologyState::Pointer& a : state.advertisements()) copy.Apply(*a, 0);
  return copy.Save();
}

TEST(LinkStateDatabase, KnowsHowItWas) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RandomNetworkOptions options;
    options.seed = seed;
    options.prefixes = 2;
    const std::vector<Advertisement> network = RandomNetwork(options);
    std::mt19937_64 random(seed);
    LinkStateDatabase database;
    std::map<int64_t, std::string> states = {{0, SavedState({})}};
    for (int64_t t = 1; t <= 60; ++t) {
      for (size_t times = 1 + random() % 3; times > 0; --times) {
        Advertisement a = network[random() % network.size()];
        a.key.fragment = static_cast<uint8_t>(random() % 2);
        if (random() % 4 == 0) {
          database.Remove(a.key, t);
        } else {
          if (random() % 4 == 0) a.facts = {{"nickname", std::to_string(random() % 3), 5}, {"trees", "", 0}};
          if (!a.links.empty()) a.links[random() % a.links.size()].metric = static_cast<uint32_t>(random() % 3);
          database.Apply(a, t);
        }
      }
      states[t] = SavedState(database.State());
    }
    LinkStateDatabase restored;
    ASSERT_TRUE(restored.Restore(base::AsOctets(database.Save())).ok());
    EXPECT_EQ(restored.Save(), database.Save());
    EXPECT_EQ(restored.size(), database.size());
    EXPECT_EQ(restored.history().size(), database.history().size());
    for (const auto& [t, state] : states) {
      EXPECT_EQ(SavedState(*database.StateAt(t)), state) << t;
      EXPECT_EQ(SavedState(*restored.StateAt(t)), state) << t;
    }
  }
}

TEST(LinkStateDatabase, RefusesWhatIsNone) {
  LinkStateDatabase database;
  Advertisement a = Node('A', "B");
  a.prefixes = {Prefix("2001:db8::/32")};
  a.prefixes[0].segment_index = 7;
  a.links[0].bandwidth = 1.25e9f;
  a.router_id = base::IpAddress::V4(1);
  a.areas = {"49.0001"};
  a.topologies = {{2, true, false}};
  a.facts = {{"nickname", "0x0001", 5}};
  database.Apply(a, 1);
  database.Remove(a.key, 2);
  database.Apply(Node('B', "A"), 3);
  const std::string saved = database.Save();
  LinkStateDatabase other;
  other.Apply(Node('C', ""), 1);
  const std::string before = other.Save();
  for (size_t size = 0; size < saved.size(); ++size) {
    EXPECT_FALSE(other.Restore(base::AsOctets(saved.substr(0, size))).ok()) << size;
  }
  for (size_t i = 0; i < saved.size(); ++i) {
    std::string bad = saved;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    EXPECT_FALSE(other.Restore(base::AsOctets(bad)).ok()) << i;
  }
  EXPECT_EQ(other.Save(), before);
  LinkStateDatabaseOptions ospf;
  ospf.style = NodeStyle::kOspf;
  EXPECT_FALSE(LinkStateDatabase(ospf).Restore(base::AsOctets(saved)).ok());
  LinkStateDatabaseOptions none;
  none.max_advertisements = 0;
  LinkStateDatabase full(none);
  EXPECT_TRUE(full.Restore(base::AsOctets(saved)).ok());
  EXPECT_EQ(full.refused(), 1u);
  EXPECT_TRUE(other.Restore(base::AsOctets(saved)).ok());
  EXPECT_EQ(other.Save(), saved);
  EXPECT_TRUE(SameContent(*other.StateAt(1)->Find(a.key), a));
}

}  // namespace
}  // namespace flowacct::topology
