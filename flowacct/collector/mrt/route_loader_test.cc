// Tables, updates and states of MRT files in a routing table; files that are cut, damaged, compressed or none.

#include "flowacct/collector/mrt/route_loader.h"

#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/mrt/mrt_file.h"
#include "flowacct/collector/mrt/offline_routes.h"
#include "flowacct/collector/mrt/testing/mrt_text.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using bgp::testing::UpdateBuilder;
std::string Path(absl::string_view name) { return absl::StrCat(::testing::TempDir(), "/loader-", name); }

// "peer prefix[ id] rd: path", sorted.
std::vector<std::string> RoutesOf(PeerBook& book) {
  std::vector<std::string> texts;
  const rib::RibReader reader(&book.rib());
  for (const PeerBook::Peer* peer : book.Peers()) {
    for (const auto& [rd, table] : peer->distinguished()) {
      for (const bool v6 : {false, true}) {
        reader.Walk(table, v6, nullptr, [&, rd = rd](const base::IpPrefix& prefix, const rib::RouteView& route, bool) {
          const bgp::AttributeSetView set(route.octets);
          texts.push_back(absl::StrCat(peer->key.address.ToString(), " ", prefix.ToString(),
                                       route.path_id != 0 ? absl::StrCat(" ", route.path_id) : "",
                                       rd != 0 ? absl::StrCat(" rd ", rd) : "", ": ", set.as_path().ToString(), " via ",
                                       set.next_hop() ? set.next_hop()->ToString() : "-"));
          return true;
        });
      }
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::string Text(PeerBook& book) { return absl::StrJoin(RoutesOf(book), "\n"); }

MrtText Table() {
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}, {"192.0.2.2", 64502, "10.0.0.2"}, {"2001:db8::3", 64503, "10.0.0.3"}});
  file.Entry(0, "198.51.100.0/24", {64501, 64510}, "192.0.2.1");
  file.Entry(1, "198.51.100.0/24", {64502, 64510}, "192.0.2.2");
  file.Entry(0, "203.0.113.0/24", {64501}, "192.0.2.1", {0xfbf40001}, 0, 7);
  file.Entry(0, "203.0.113.0/24", {64501, 64511}, "192.0.2.9", {}, 0, 8);
  file.Entry(2, "2001:db8:1::/48", {64503}, "2001:db8::3");
  file.Entry(1, "10.1.0.0/16", {64502}, "192.0.2.2", {}, 77);
  return file;
}
constexpr char kTable[] =
    "192.0.2.1 198.51.100.0/24: 64501 64510 via 192.0.2.1\n"
    "192.0.2.1 203.0.113.0/24 7: 64501 via 192.0.2.1\n"
    "192.0.2.1 203.0.113.0/24 8: 64501 64511 via 192.0.2.9\n"
    "192.0.2.2 10.1.0.0/16 rd 77: 64502 via 192.0.2.2\n"
    "192.0.2.2 198.51.100.0/24: 64502 64510 via 192.0.2.2\n"
    "2001:db8::3 2001:db8:1::/48: 64503 via 2001:db8::3";

struct Loaded {
  explicit Loaded(const RouteLoaderOptions& options = {}) : book(RoutingOptions()), loader(&book, options) {}
  Loaded& Read(const MrtText& file) {
    loader.Read(file.octets(), file.time);
    loader.EndFile();
    return *this;
  }
  PeerBook book;
  RouteLoader loader;
};

TEST(RouteLoaderTest, TablesOfAllKinds) {
  Loaded loaded;
  loaded.Read(Table());
  loaded.loader.Finish(absl::UnixEpoch());
  EXPECT_EQ(Text(loaded.book), kTable);
  EXPECT_EQ(loaded.loader.counters().entries, 6u);
  EXPECT_EQ(loaded.loader.peers(), 3u);
  EXPECT_EQ(loaded.loader.first_time(), absl::FromUnixSeconds(1700000000));
  // An exporter is a peer by its address or its BGP identifier.
  loaded.book.Tick(absl::UnixEpoch());
  const rib::TableDirectory& directory = *loaded.book.directory().Get();
  for (const char* exporter : {"192.0.2.2", "10.0.0.2"}) {
    const auto choices = directory.Find(*base::IpAddress::Parse(exporter), 0);
    ASSERT_EQ(choices.size(), 1u) << exporter;
    EXPECT_EQ(choices[0].origin, rib::RouteOrigin::kDump);
  }
  EXPECT_TRUE(directory.Find(*base::IpAddress::Parse("192.0.2.77"), 0).empty());
}

TEST(RouteLoaderTest, UpdatesBringATableToAMoment) {
  Loaded loaded;
  loaded.Read(Table());
  MrtText updates;
  UpdateBuilder changed;
  changed.Origin(0).AsPath({64501, 64777}).NextHop("192.0.2.1").Announce("198.51.100.0/24").Withdraw("203.0.113.0/24");
  updates.Update("192.0.2.1", 64501, changed.Message());
  UpdateBuilder own;
  own.Origin(0).AsPath({64999}).NextHop("192.0.2.250").Announce("198.18.0.0/15");
  updates.Update("192.0.2.1", 64501, own.Message(), /*from_local=*/true);
  loaded.Read(updates);
  // The peer is the table's, though BGP4MP tells no identifier; a withdrawal without path identifier is of none.
  EXPECT_TRUE(absl::StrContains(Text(loaded.book), "192.0.2.1 198.51.100.0/24: 64501 64777 via 192.0.2.1\n"))
      << Text(loaded.book);
  EXPECT_EQ(loaded.loader.peers(), 3u);
  EXPECT_EQ(loaded.loader.counters().updates, 1u);
  EXPECT_EQ(loaded.loader.counters().from_local, 1u);

  // The session of one ends: what it told is gone, and what it tells then is there.
  MrtText down;
  down.State("192.0.2.2", 64502, 6, 1);
  loaded.Read(down);
  EXPECT_FALSE(absl::StrContains(Text(loaded.book), "192.0.2.2 ")) << Text(loaded.book);
  MrtText up;
  up.State("192.0.2.2", 64502, 5, 6);
  UpdateBuilder anew;
  anew.Origin(0).AsPath({64502}).NextHop("192.0.2.2").Announce("198.18.0.0/15");
  up.Update("192.0.2.2", 64502, anew.Message());
  loaded.Read(up);
  EXPECT_TRUE(absl::StrContains(Text(loaded.book), "192.0.2.2 198.18.0.0/15: 64502 via 192.0.2.2"))
      << Text(loaded.book);
  EXPECT_EQ(loaded.loader.counters().sessions_ended, 1u);
  EXPECT_EQ(loaded.loader.peers(), 3u);
}

TEST(RouteLoaderTest, OneFileReplacesAnother) {
  PeerBook book((RoutingOptions()));
  const absl::Time now = absl::FromUnixSeconds(1800000000);
  RouteLoader first(&book);
  const MrtText table = Table();
  first.Read(table.octets(), now);
  first.EndFile();
  first.Finish(now);
  MrtText file;
  file.Peers({{"192.0.2.1", 64501, "10.0.0.1"}});
  file.Entry(0, "198.51.100.0/24", {64501, 64999}, "192.0.2.1");
  RouteLoader second(&book);
  second.Replace(&first, now);
  // Nothing is gone meanwhile.
  EXPECT_EQ(Text(book), kTable);
  second.Read(file.octets(), now);
  second.EndFile();
  second.Finish(now);
  while (book.rib().Reclaim(1000)) {
  }
  EXPECT_EQ(Text(book), "192.0.2.1 198.51.100.0/24: 64501 64999 via 192.0.2.1");
  EXPECT_EQ(book.Peers().size(), 1u);
}

TEST(RouteLoaderTest, OneOfThePeers) {
  for (const char* name : {"192.0.2.2", "10.0.0.2"}) {
    RouteLoaderOptions options;
    options.peer = base::IpAddress::Parse(name);
    Loaded loaded(options);
    loaded.Read(Table());
    EXPECT_EQ(RoutesOf(loaded.book).size(), 2u) << name;
    EXPECT_EQ(loaded.loader.counters().other_peers, 4u);
  }
}

TEST(RouteLoaderTest, BoundsAreCounted) {
  RouteLoaderOptions options;
  options.max_peers = 2;
  options.not_before = absl::FromUnixSeconds(1700000000);
  Loaded loaded(options);
  loaded.Read(Table());
  EXPECT_EQ(loaded.loader.counters().entries, 5u);
  EXPECT_EQ(loaded.loader.counters().refused, 1u);
  options.not_before += absl::Seconds(1);
  Loaded old(options);
  old.Read(Table());
  EXPECT_EQ(old.loader.counters().too_old, 5u);
  EXPECT_EQ(Text(old.book), "");
}

TEST(RouteLoaderTest, CutAnywhere) {
  const std::string whole = Table().text();
  size_t least = 0;
  for (size_t length = 0; length <= whole.size(); ++length) {
    Loaded loaded;
    loaded.loader.Read(base::AsOctets(absl::string_view(whole).substr(0, length)), absl::UnixEpoch());
    loaded.loader.EndFile();
    const size_t routes = RoutesOf(loaded.book).size();
    EXPECT_GE(routes, least);
    EXPECT_EQ(routes, loaded.loader.counters().entries);
    least = routes;
  }
  EXPECT_EQ(least, 6u);
}

TEST(RouteLoaderTest, AnyOctetFlipped) {
  const std::string whole = Table().text();
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    Loaded loaded;
    loaded.loader.Read(base::AsOctets(absl::string_view(damaged)), absl::UnixEpoch());
    loaded.loader.EndFile();
    EXPECT_LE(RoutesOf(loaded.book).size(), loaded.loader.counters().entries);
  }
}

TEST(MrtFileTest, PlainAndCompressedAndNone) {
  const MrtText table = Table();
  ASSERT_TRUE(table.WriteTo(Path("plain.mrt")));
  gzFile zipped = gzopen(Path("zipped.gz").c_str(), "wb");
  ASSERT_EQ(gzwrite(zipped, table.octets().data(), static_cast<unsigned>(table.octets().size())),
            static_cast<int>(table.octets().size()));
  gzclose(zipped);
  for (const char* name : {"plain.mrt", "zipped.gz"}) {
    OfflineRoutesOptions options;
    options.files = {Path(name)};
    auto routes = OfflineRoutes::Load(options);
    ASSERT_TRUE(routes.ok()) << routes.status();
    EXPECT_EQ(Text((*routes)->book()), kTable) << name;
    EXPECT_EQ(absl::StrJoin((*routes)->Summary(), "\n"), "6 routes of 3 peers from 7 MRT records, of these 0 updates");
  }
  const struct {
    std::string octets;
    const char* why;
  } foreign[] = {{"BZh91AY&SY and more of it", "bzip2 -dc"}, {"", "is empty"}, {"src,dst\n1,2\n3,4\n", "no MRT file"}};
  for (const auto& file : foreign) {
    const auto opened = MrtFile::OfOctets(file.octets, "f");
    ASSERT_FALSE(opened.ok());
    EXPECT_TRUE(absl::StrContains(opened.status().message(), file.why)) << opened.status();
  }
  EXPECT_TRUE(absl::StrContains(MrtFile::Open(Path("nowhere")).status().message(), "nowhere"));
  OfflineRoutesOptions other;
  other.files = {Path("plain.mrt")};
  other.peer = base::IpAddress::Parse("192.0.2.99");
  EXPECT_TRUE(absl::IsNotFound(OfflineRoutes::Load(other).status()));
}

// What the files say, kept in the plainest way: the last word on each path.
class Twin : public mrt::Listener {
 public:
  void OnRibEntry(const mrt::RibEntry& entry) override {
    if (bgp::RowOf(entry.family).joined) paths.insert(Key(entry.peer, entry.route));
  }
  void OnMessage(const mrt::BgpMessage& message) override {
    if (message.from_local) return;
    if (message.type == bgp::MessageType::kOpen) return Drop(message.ends.peer);
    if (message.type != bgp::MessageType::kUpdate) return;
    bgp::UpdateCounters counters;
    bgp::DecodeUpdate(message.message, message.context, &update_, &counters);
    for (const auto& section : update_.withdrawn()) {
      section.Visit([&](const bgp::Nlri& route) { paths.erase(Key(message.ends.peer, route)); });
    }
    for (const auto& section : update_.announced()) {
      if (!bgp::RowOf(section.family).joined) continue;
      section.Visit([&](const bgp::Nlri& route) { paths.insert(Key(message.ends.peer, route)); });
    }
  }
  void OnStateChange(const mrt::StateChange& change) override {
    if (change.old_state == mrt::FsmState::kEstablished && change.new_state != mrt::FsmState::kEstablished) {
      Drop(change.ends.peer);
    }
  }

  std::set<std::string> paths;

 private:
  static std::string PeerText(const mrt::Peer& peer) {
    return absl::StrCat(peer.address.ToString(), " ", peer.as, " ");
  }
  static std::string Key(const mrt::Peer& peer, const bgp::Nlri& route) {
    // Two peers of one address and AS are told apart by their identifiers.
    return absl::StrCat(PeerText(peer), peer.bgp_identifier, " ", route.prefix().ToString(), " ", route.path_id, " ",
                        route.rd);
  }
  void Drop(const mrt::Peer& peer) {
    const std::string begin = PeerText(peer);
    for (auto it = paths.lower_bound(begin); it != paths.end() && absl::StartsWith(*it, begin);) it = paths.erase(it);
  }
  bgp::Update update_;
};

TEST(RouteLoaderTest, CapturesHaveAsManyRoutesAsASetOfThem) {
  const char* folder = std::getenv("FLOWACCT_CAPTURES");
  std::ifstream manifest(folder == nullptr ? std::string() : absl::StrCat(folder, "/MANIFEST.tsv"));
  if (!manifest) GTEST_SKIP() << "FLOWACCT_CAPTURES does not name a folder with MANIFEST.tsv";
  size_t files = 0;
  uint64_t routes = 0;
  for (std::string line; std::getline(manifest, line);) {
    const std::string name = line.substr(0, line.find('\t'));
    if (!absl::StartsWith(name, "mrt/") || absl::EndsWith(name, ".bz2")) continue;
    SCOPED_TRACE(name);
    ++files;
    OfflineRoutesOptions options;
    options.files = {absl::StrCat(folder, "/", name)};
    auto loaded = OfflineRoutes::Load(options);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    Twin twin;
    mrt::Reader reader(&twin);
    auto file = MrtFile::Open(options.files[0]);
    ASSERT_TRUE(file.ok());
    for (auto block = (*file)->Next(); block.ok() && !block->empty(); block = (*file)->Next()) reader.Read(*block);
    reader.End();
    EXPECT_EQ((*loaded)->book().rib().paths(), twin.paths.size());
    EXPECT_EQ((*loaded)->loader().counters().refused, 0u);
    routes += twin.paths.size();
  }
  EXPECT_GT(files, 15u);
  EXPECT_GT(routes, 100000u);
}

}  // namespace
}  // namespace flowacct::collector
