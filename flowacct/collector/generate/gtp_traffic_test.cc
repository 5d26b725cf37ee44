#include "flowacct/collector/generate/gtp_traffic.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/read_control_message.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::Digits;
using base::IpAddress;
using base::LoadBe16;
using base::LoadBe32;
using base::OctetReader;
using base::Octets;

GtpTrafficOptions Small(uint64_t packets = 20000) {
  GtpTrafficOptions options;
  options.packets = packets;
  options.subscribers = 300;
  options.enodebs = 20;
  options.attach_milliseconds = 2000;
  options.procedure_milliseconds = 2000;
  options.burst_milliseconds = 2000;
  options.echo_milliseconds = 3000;
  return options;
}

struct Datagram {
  IpAddress source, destination;
  uint16_t destination_port = 0;
  Octets payload;
};

uint32_t Sum(Octets octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i) sum += i % 2 == 0 ? octets[i] << 8 : octets[i];
  return sum;
}

uint32_t Folded(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

// Of IPv4 or IPv6 with nothing between it and the transport; checks lengths and checksums.
Datagram ReadIp(Octets ip, uint8_t* protocol) {
  Datagram d;
  if (ip[0] >> 4 == 4) {
    EXPECT_EQ(Folded(Sum(ip.subspan(0, 20))), 0xffffu);
    EXPECT_EQ(LoadBe16(ip.data() + 2), ip.size());
    *protocol = ip[9];
    d.source = IpAddress::FromV4(ip.data() + 12);
    d.destination = IpAddress::FromV4(ip.data() + 16);
    d.payload = ip.subspan(20);
  } else {
    EXPECT_EQ(ip[0] >> 4, 6);
    EXPECT_EQ(LoadBe16(ip.data() + 4), ip.size() - 40);
    *protocol = ip[6];
    d.source = IpAddress::FromV6(ip.data() + 8);
    d.destination = IpAddress::FromV6(ip.data() + 24);
    d.payload = ip.subspan(40);
  }
  const bool v4 = ip[0] >> 4 == 4;
  const Octets addresses = v4 ? ip.subspan(12, 8) : ip.subspan(8, 32);
  const uint32_t pseudo = *protocol == 1 ? 0 : Sum(addresses) + *protocol + static_cast<uint32_t>(d.payload.size());
  const bool has_none = v4 && *protocol == 17 && LoadBe16(d.payload.data() + 6) == 0;
  EXPECT_TRUE(has_none || Folded(Sum(d.payload) + pseudo) == 0xffff) << "protocol " << int{*protocol};
  return d;
}

Datagram ReadFrame(Octets frame) {
  uint8_t protocol = 0;
  Datagram d = ReadIp(frame.subspan(14), &protocol);
  EXPECT_EQ(protocol, 17);
  EXPECT_EQ(LoadBe16(d.payload.data() + 4), d.payload.size());
  d.destination_port = LoadBe16(d.payload.data() + 2);
  d.payload = d.payload.subspan(8);
  return d;
}

// Where the inner packet begins, by the header alone.
Octets InnerPacket(Octets gtp) {
  EXPECT_EQ(LoadBe16(gtp.data() + 2), gtp.size() - 8);
  size_t at = 8;
  if ((gtp[0] & 7) != 0) {
    uint8_t next = gtp[11];
    at = 12;
    if ((gtp[0] & 4) == 0) next = 0;
    while (next != 0) {
      const size_t octets = 4u * gtp[at];
      next = gtp[at + octets - 1];
      at += octets;
    }
  }
  return gtp.subspan(at);
}

// The simplest thing that joins a trace from which nothing is missing: a message is of the IMSI that it names, or of
// the one whose tunnel its header has, and so are all tunnel endpoints that it names.
class NaiveCorrelator {
 public:
  using Endpoint = std::pair<std::string, uint32_t>;

  void Control(const Datagram& d) {
    const Octets m = d.payload;
    imsi_.reset();
    named_.clear();
    uint32_t teid = 0;
    if (m[0] >> 5 == 2) {
      const bool has_teid = (m[0] & 8) != 0;
      if (has_teid) teid = LoadBe32(m.data() + 4);
      EXPECT_EQ(LoadBe16(m.data() + 2), m.size() - 4);
      Elements2(m.subspan(has_teid ? 12 : 8));
    } else {
      teid = LoadBe32(m.data() + 4);
      EXPECT_EQ(LoadBe16(m.data() + 2), m.size() - 8);
      Elements1(m.subspan(12), m[1]);
    }
    ++types_[{m[0] >> 5, m[1]}];
    const auto header = owners_.find(Endpoint(d.destination.ToString(), teid));
    if (!imsi_ && teid != 0 && header != owners_.end()) imsi_ = header->second;
    if (!imsi_) return;
    for (const Endpoint& endpoint : named_) owners_[endpoint] = *imsi_;
  }

  std::optional<Digits> Owner(const IpAddress& destination, uint32_t teid) const {
    const auto it = owners_.find(Endpoint(destination.ToString(), teid));
    if (it == owners_.end()) return std::nullopt;
    return it->second;
  }

  const std::map<std::pair<int, int>, int>& types() const { return types_; }

 private:
  void Elements2(Octets elements) {
    OctetReader in(elements);
    while (in.remaining() > 0) {
      const uint8_t type = in.U8();
      const uint16_t length = in.U16();
      in.U8();
      const Octets value = in.Bytes(length);
      ASSERT_TRUE(in.ok());
      if (type == 1) imsi_ = Digits::FromTbcd(value);
      if (type == 93 || type == 109) Elements2(value);
      if (type != 87) continue;
      const uint32_t teid = LoadBe32(value.data() + 1);
      size_t at = 5;
      if (teid == 0) continue;
      if ((value[0] & 0x80) != 0) {
        named_.emplace_back(IpAddress::FromV4(value.data() + at).ToString(), teid);
        at += 4;
      }
      if ((value[0] & 0x40) != 0) named_.emplace_back(IpAddress::FromV6(value.data() + at).ToString(), teid);
    }
  }

  void Elements1(Octets elements, uint8_t message) {
    OctetReader in(elements);
    const std::map<int, int> fixed = {{1, 1},  {2, 8},  {3, 6},  {5, 4},  {8, 1},  {14, 1}, {15, 1},
                                      {16, 4}, {17, 4}, {19, 1}, {20, 1}, {26, 2}, {127, 4}};
    uint32_t data = 0, control = 0;
    std::vector<std::string> addresses;
    int last = 0;
    while (in.remaining() > 0) {
      const uint8_t type = in.U8();
      EXPECT_GE(type, last) << "message " << int{message};
      last = type;
      const auto it = fixed.find(type);
      const Octets value = in.Bytes(it != fixed.end() ? static_cast<size_t>(it->second) : in.U16());
      ASSERT_TRUE(in.ok());
      if (type == 2) imsi_ = Digits::FromTbcd(value);
      if (type == 16) data = LoadBe32(value.data());
      if (type == 17) control = LoadBe32(value.data());
      if (type == 133) addresses.push_back(IpAddress::FromV4(value.data()).ToString());
    }
    if (control != 0 && !addresses.empty()) named_.emplace_back(addresses[0], control);
    if (data != 0 && !addresses.empty()) named_.emplace_back(addresses.back(), data);
  }

  std::map<Endpoint, Digits> owners_;
  std::optional<Digits> imsi_;
  std::vector<Endpoint> named_;
  std::map<std::pair<int, int>, int> types_;
};

struct Sessions : GtpTruthListener {
  std::vector<GtpSessionTruth> all;
  void OnSession(const GtpSessionTruth& session) override { all.push_back(session); }
};

uint64_t Digest(const GtpTrafficOptions& options) {
  auto traffic = NewGtpTraffic(options, nullptr);
  EXPECT_TRUE(traffic.ok());
  uint64_t hash = 14695981039346656037u;
  CapturedPacket packet;
  while ((*traffic)->Next(&packet)) {
    for (const uint8_t octet : packet.octets) hash = (hash ^ octet) * 1099511628211u;
    hash ^= static_cast<uint64_t>(packet.time_nanos);
  }
  return hash;
}

TEST(GtpTrafficTest, TheSameSeedGivesTheSameOctets) {
  GtpTrafficOptions options = Small(5000);
  options.percent_lost = 1;
  options.percent_early = 20;
  const uint64_t digest = Digest(options);
  EXPECT_EQ(Digest(options), digest);
  options.seed = 2;
  EXPECT_NE(Digest(options), digest);
}

TEST(GtpTrafficTest, EveryProcedureOccurs) {
  GtpTrafficOptions options = Small(60000);
  options.restart_milliseconds = 2000;
  options.percent_early = 20;
  options.percent_lost = 1;
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  CapturedPacket packet;
  while ((*traffic)->Next(&packet)) {
  }
  const GtpTrafficTruth& truth = (*traffic)->truth();
  for (size_t i = 0; i < kGtpProcedures; ++i) {
    EXPECT_GT(truth.procedures[i], 0u) << GtpProcedureName(static_cast<GtpProcedure>(i));
  }
  EXPECT_EQ(truth.frames, options.packets);
  EXPECT_GT(truth.lost_messages, 0u);
  EXPECT_GT(truth.repeated_messages, 0u);
  EXPECT_GT(truth.early_bursts, 0u);
  EXPECT_GT(truth.reused_teids, 0u);
  for (const uint64_t n : truth.user_packets_by_knowledge) EXPECT_GT(n, 0u);
}

// All that the truth tells is compared with what the octets tell, by way of a correlator that cannot be wrong because
// nothing is missing, early, or forgotten.
TEST(GtpTrafficTest, TheTruthIsWhatTheOctetsTell) {
  GtpTrafficOptions options = Small(60000);
  Sessions sessions;
  auto traffic = NewGtpTraffic(options, &sessions);
  ASSERT_TRUE(traffic.ok());
  NaiveCorrelator correlator;
  CapturedPacket packet;
  uint64_t frames = 0, user_packets = 0, user_octets = 0, v6_transport = 0;
  int64_t last = 0;
  std::map<uint64_t, GtpVolume> volumes, radio_volumes;
  std::map<std::pair<std::string, uint32_t>, std::set<uint64_t>> users_of_endpoint;
  std::map<std::string, std::set<uint64_t>> imsis_of_address;
  std::set<GtpTap> interfaces;
  while ((*traffic)->Next(&packet)) {
    EXPECT_EQ(packet.number, ++frames);
    EXPECT_GE(packet.time_nanos, last);
    EXPECT_EQ(packet.wire_length, packet.octets.size());
    last = packet.time_nanos;
    const Datagram d = ReadFrame(packet.octets);
    const GtpUserTruth* truth = (*traffic)->user();
    if (d.destination_port != 2152) {
      EXPECT_EQ(truth, nullptr);
      correlator.Control(d);
      continue;
    }
    ASSERT_EQ(truth != nullptr, d.payload[1] == 255);
    if (truth == nullptr) continue;
    const Octets inner = InnerPacket(d.payload);
    uint8_t protocol = 0;
    const Datagram user = ReadIp(inner, &protocol);
    ++user_packets;
    user_octets += inner.size();
    if (!d.destination.IsV4()) ++v6_transport;
    interfaces.insert(truth->interface);
    EXPECT_EQ(truth->packet, packet.number);
    EXPECT_EQ(truth->time_nanos, packet.time_nanos);
    EXPECT_EQ(truth->source, d.source);
    EXPECT_EQ(truth->destination, d.destination);
    EXPECT_EQ(truth->teid, LoadBe32(d.payload.data() + 4));
    EXPECT_EQ(truth->inner_octets, inner.size());
    const std::optional<Digits> owner = correlator.Owner(d.destination, truth->teid);
    if (truth->known == GtpKnowledge::kNone) {
      EXPECT_TRUE(truth->interface == GtpTap::kN3 || truth->interface == GtpTap::kX2);
    } else {
      EXPECT_EQ(truth->known, GtpKnowledge::kDirect);
      ASSERT_TRUE(owner.has_value()) << packet.number;
      EXPECT_EQ(owner->ToString(), truth->imsi.ToString()) << packet.number;
    }
    users_of_endpoint[{d.destination.ToString(), truth->teid}].insert(truth->imsi.bits());
    imsis_of_address[(truth->up ? user.source : user.destination).ToString()].insert(truth->imsi.bits());
    if (truth->interface == GtpTap::kX2 || truth->interface == GtpTap::kForwarding) continue;
    GtpVolume& volume = (truth->interface == GtpTap::kS1U ? radio_volumes : volumes)[truth->session];
    (truth->up ? volume.packets_up : volume.packets_down) += 1;
    (truth->up ? volume.bytes_up : volume.bytes_down) += inner.size();
  }
  (*traffic)->Finish();
  EXPECT_EQ(frames, options.packets);
  EXPECT_EQ(user_packets, (*traffic)->truth().user_packets);
  EXPECT_EQ(user_octets, (*traffic)->truth().user_octets);
  EXPECT_EQ(user_packets + (*traffic)->truth().control_messages, frames);
  EXPECT_GT(v6_transport, 0u);
  EXPECT_EQ(interfaces.size(), 6u) << "of the taps, S11 and S10 have no user plane";
  for (const auto& [type, count] : correlator.types()) EXPECT_GT(count, 0);
  EXPECT_GT(correlator.types().size(), 40u);

  // Each session is told of once, and its volumes are those of the packets.
  std::set<uint64_t> told;
  const auto equal = [](const GtpVolume& a, const GtpVolume& b) {
    return a.packets_up == b.packets_up && a.packets_down == b.packets_down && a.bytes_up == b.bytes_up &&
           a.bytes_down == b.bytes_down;
  };
  uint64_t open = 0, roams = 0, moved = 0;
  for (const GtpSessionTruth& session : sessions.all) {
    EXPECT_TRUE(told.insert(session.session).second);
    EXPECT_TRUE(equal(session.gateway_volume, volumes[session.session])) << session.session;
    EXPECT_TRUE(equal(session.radio_volume, radio_volumes[session.session])) << session.session;
    EXPECT_GT(session.start_nanos, 0);
    EXPECT_TRUE(session.end_nanos == 0 || session.end_nanos > session.start_nanos);
    if (session.end_nanos == 0) ++open;
    if (session.roaming != GtpRoaming::kHome) ++roams;
    if (session.moves > 0) ++moved;
    EXPECT_EQ(session.roaming == GtpRoaming::kHome, session.home_plmn == session.visited_plmn);
  }
  for (const auto& [session, volume] : volumes) EXPECT_EQ(told.count(session), 1u);
  EXPECT_GT(open, 0u);
  EXPECT_LT(open, sessions.all.size());
  EXPECT_GT(roams, 0u);
  EXPECT_GT(moved, 0u);

  // What the trace is for: endpoints that are used again by another subscriber, and addresses that two have.
  const auto shared = [](const auto& map) {
    return std::count_if(map.begin(), map.end(), [](const auto& entry) { return entry.second.size() > 1; });
  };
  EXPECT_GT(shared(users_of_endpoint), 0);
  EXPECT_GT(shared(imsis_of_address), 0);
}

// The decoders, which know nothing of this generator, find nothing wrong, and a procedure in each message.
TEST(GtpTrafficTest, TheDecodersReadAllOfIt) {
  GtpTrafficOptions options = Small(40000);
  options.restart_milliseconds = 2000;
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  auto message = std::make_unique<gtp::ControlMessage>();
  CapturedPacket packet;
  std::set<gtp::Procedure> procedures;
  while ((*traffic)->Next(&packet)) {
    const Datagram d = ReadFrame(packet.octets);
    gtp::MessageView view;
    ASSERT_TRUE(gtp::MessageView::Parse(d.payload, &view).ok()) << packet.number;
    ASSERT_EQ(view.size(), d.payload.size());
    if ((*traffic)->user() != nullptr) {
      EXPECT_EQ(view.teid(), (*traffic)->user()->teid);
      EXPECT_EQ(view.payload().size(), (*traffic)->user()->inner_octets);
      continue;
    }
    ASSERT_TRUE(gtp::ReadControlMessage(view, message.get()).ok()) << packet.number;
    EXPECT_EQ(message->bad_elements, 0) << packet.number;
    EXPECT_EQ(message->beyond_bounds, 0) << packet.number;
    EXPECT_NE(message->procedure, gtp::Procedure::kNone) << packet.number;
    procedures.insert(message->procedure);
  }
  EXPECT_GE(procedures.size(), 17u);
}

TEST(GtpTrafficTest, RestartsEndWhatTheNodeHad) {
  GtpTrafficOptions options = Small(40000);
  options.restart_milliseconds = 2000;
  Sessions sessions;
  auto traffic = NewGtpTraffic(options, &sessions);
  ASSERT_TRUE(traffic.ok());
  NaiveCorrelator correlator;
  CapturedPacket packet;
  std::map<uint64_t, int64_t> last_packets;
  while ((*traffic)->Next(&packet)) {
    const Datagram d = ReadFrame(packet.octets);
    if (d.destination_port != 2152) correlator.Control(d);
    const GtpUserTruth* truth = (*traffic)->user();
    if (truth == nullptr || truth->known == GtpKnowledge::kNone) continue;
    const std::optional<Digits> owner = correlator.Owner(d.destination, truth->teid);
    ASSERT_TRUE(owner.has_value());
    EXPECT_EQ(*owner, truth->imsi) << packet.number;
    last_packets[truth->session] = packet.time_nanos;
  }
  (*traffic)->Finish();
  int restarted = 0;
  for (const GtpSessionTruth& session : sessions.all) {
    if (session.cause == "restart") ++restarted;
    EXPECT_TRUE(session.end_nanos == 0 || last_packets[session.session] <= session.end_nanos);
  }
  EXPECT_GT(restarted, 10);
}

TEST(GtpTrafficTest, ATapSeesItsInterfacesAlone) {
  GtpTrafficOptions options = Small(5000);
  options.taps = *ParseGtpTaps("s5,gn");
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  CapturedPacket packet;
  while ((*traffic)->Next(&packet)) {
    if (const GtpUserTruth* truth = (*traffic)->user()) {
      EXPECT_TRUE(truth->interface == GtpTap::kS5 || truth->interface == GtpTap::kGn);
      EXPECT_NE(truth->known, GtpKnowledge::kNone);
    }
  }
  // Without any control plane nothing can be known.
  options.taps = *ParseGtpTaps("s1u,n3");
  traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  while ((*traffic)->Next(&packet)) {
  }
  EXPECT_EQ((*traffic)->truth().user_packets_by_knowledge[2], (*traffic)->truth().user_packets);
  EXPECT_EQ(ParseGtpTaps("s1u,s9").status().message(),
            "there is no tap 's9'; there are gn, s1u, s11, s5, n3, s10, x2, forwarding");
}

// What is lost is missing in the frames, and the same packets are sent nevertheless.
TEST(GtpTrafficTest, LossIsOfControlMessages) {
  GtpTrafficOptions options = Small(20000);
  options.percent_lost = 5;
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  NaiveCorrelator correlator;
  CapturedPacket packet;
  uint64_t missing = 0;
  while ((*traffic)->Next(&packet)) {
    const Datagram d = ReadFrame(packet.octets);
    if (d.destination_port != 2152) correlator.Control(d);
    const GtpUserTruth* truth = (*traffic)->user();
    if (truth == nullptr) continue;
    const std::optional<Digits> owner = correlator.Owner(d.destination, truth->teid);
    // Who misses nothing is joined even by the naive one; the others are the cleverer ones' business.
    const bool joined = owner == std::make_optional(truth->imsi);
    EXPECT_TRUE(joined || truth->known != GtpKnowledge::kDirect) << packet.number;
    if (!joined) ++missing;
  }
  EXPECT_GT(missing, 100u);
  const GtpTrafficTruth& truth = (*traffic)->truth();
  EXPECT_NEAR(static_cast<double>(truth.lost_messages) / (truth.lost_messages + truth.control_messages), 0.05, 0.02);
}

TEST(GtpTrafficTest, FramesAreCutAtTheSnapLength) {
  GtpTrafficOptions options = Small(2000);
  options.snap_octets = 128;
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  CapturedPacket packet;
  size_t cut = 0;
  while ((*traffic)->Next(&packet)) {
    EXPECT_EQ(packet.octets.size(), std::min<size_t>(packet.wire_length, 128));
    if (packet.wire_length > 128) ++cut;
  }
  EXPECT_GT(cut, 100u);
}

TEST(GtpTrafficTest, OptionsThatCannotBeAreNamed) {
  const auto message = [](void (*change)(GtpTrafficOptions*)) {
    GtpTrafficOptions options;
    change(&options);
    return std::string(NewGtpTraffic(options, nullptr).status().message());
  };
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->subscribers = 0; }), "subscribers is 0; give 1 to 4194304");
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->enodebs = 1; }), "enodebs is 1; give 2 to 20000");
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->percent_3g = 98; }), "percent_3g + percent_5g is 103; give 0 to 100");
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->percent_lost = -1; }), "percent_lost is -1; give 0 to 100");
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->teid_reuse_milliseconds = 1; }),
            "teid_reuse_milliseconds is 1; give at least 200");
  EXPECT_EQ(message([](GtpTrafficOptions* o) { o->home_plmn = *Digits::Parse("262"); }),
            "home_plmn is '262'; give five or six digits");
  EXPECT_EQ(message([](GtpTrafficOptions*) {}), "");
}

TEST(GtpTrafficTest, RowsOfTruthHaveTheColumnsOfTheirHeaders) {
  GtpUserTruth user;
  user.packet = 3;
  user.time_nanos = 1700000000000000005;
  user.source = IpAddress::V4(0x0a000001);
  user.destination = IpAddress::V4(0x0a000002);
  user.teid = 258;
  user.imsi = *Digits::Parse("262420000000001");
  user.apn = "internet";
  user.up = true;
  user.ebi = 5;
  user.inner_octets = 60;
  user.session = 9;
  user.known = GtpKnowledge::kLinked;
  std::string row;
  AppendGtpUserTruth(user, &row);
  EXPECT_EQ(row, "3,1700000000.000000005,10.0.0.1,10.0.0.2,258,262420000000001,internet,up,S1-U,5,60,linked,9\n");
  const auto commas = [](const std::string& text) { return std::count(text.begin(), text.end(), ','); };
  EXPECT_EQ(commas(row), commas(GtpUserTruthHeader()));
  GtpSessionTruth session;
  row.clear();
  AppendGtpSessionTruth(session, &row);
  EXPECT_EQ(commas(row), commas(GtpSessionTruthHeader()));
}

std::string Output(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char block[4096];
  while (const size_t n = fread(block, 1, sizeof(block), pipe)) out.append(block, n);
  pclose(pipe);
  return out;
}

TEST(GtpTrafficTest, TsharkFindsNothingMalformed) {
  if (Output("tshark --version 2>/dev/null").empty()) GTEST_SKIP() << "tshark is not installed";
  GtpTrafficOptions options = Small(20000);
  options.restart_milliseconds = 2000;
  const std::string path = absl::StrCat(testing::TempDir(), "/gtp_traffic_", getpid(), ".pcap");
  auto traffic = NewGtpTraffic(options, nullptr);
  ASSERT_TRUE(traffic.ok());
  auto writer = PcapWriter::New(path);
  ASSERT_TRUE(writer.ok());
  CapturedPacket packet;
  while ((*traffic)->Next(&packet)) ASSERT_TRUE((*writer)->Write(packet).ok());
  ASSERT_TRUE((*writer)->Close().ok());
  const std::string read = absl::StrCat("tshark -r ", path, " -Y ");
  EXPECT_EQ(Output(absl::StrCat(read, "'_ws.malformed' 2>/dev/null")), "");
  const std::string user = Output(absl::StrCat(read, "'gtp.message == 255' -T fields -e frame.number 2>/dev/null"));
  EXPECT_EQ(static_cast<uint64_t>(std::count(user.begin(), user.end(), '\n')), (*traffic)->truth().user_packets);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace flowacct::collector
