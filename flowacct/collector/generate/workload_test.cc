#include "flowacct/collector/generate/workload.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/generate/flow_population.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::AsText;
using base::OctetReader;
using base::Octets;

constexpr WorkloadKind kAllKinds[] = {WorkloadKind::kNetFlow5, WorkloadKind::kNetFlow9, WorkloadKind::kIpfix,
                                      WorkloadKind::kSflow, WorkloadKind::kPackets};

WorkloadOptions Small(WorkloadKind kind) {
  WorkloadOptions options;
  options.kind = kind;
  options.records = 5000;
  options.distinct_keys = 3000;
  options.prefix_pairs = 200;
  return options;
}

// Reads the octets of a workload again, knowing only the standards.
class NaiveWalk {
 public:
  WorkloadTruth truth;
  uint64_t sequence_errors = 0, lengths_wrong = 0, v6_records = 0;

  explicit NaiveWalk(WorkloadKind kind) { truth.kind = kind; }

  void Add(const CapturedPacket& packet) {
    ++truth.datagrams;
    if (truth.kind == WorkloadKind::kPackets) {
      Frame(packet.octets);
      return;
    }
    ASSERT_EQ(packet.octets.size(), packet.wire_length);
    OctetReader in(packet.octets);
    in.Skip(12);
    ASSERT_EQ(in.U16(), 0x0800);
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2) sum += base::LoadBe16(packet.octets.data() + 14 + i);
    EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffu);
    in.Skip(2);
    EXPECT_EQ(in.U16(), packet.octets.size() - 14);
    in.Skip(8);
    source_ = in.U32();
    in.Skip(4 + 4);
    EXPECT_EQ(in.U16(), packet.octets.size() - 34);
    in.Skip(2);
    ASSERT_TRUE(in.ok());
    switch (base::LoadBe16(in.data())) {
      case 5:
        NetFlow5(in.rest());
        break;
      case 9:
        Templated(in.rest(), 20);
        break;
      case 10:
        Templated(in.rest(), 16);
        break;
      default:
        Sflow(in.rest());
    }
  }

  WorkloadTruth Truth() {
    truth.distinct_five_tuples = tuples_.size();
    truth.distinct_as_pairs = as_pairs_.size();
    return truth;
  }

 private:
  void Tell(absl::string_view src, absl::string_view dst, uint64_t sport, uint64_t dport, uint64_t protocol,
            uint64_t packets, uint64_t bytes) {
    ++truth.records;
    truth.packets += packets;
    truth.bytes += bytes;
    if (src.size() == 16) ++v6_records;
    tuples_.emplace(std::string(src), std::string(dst), sport, dport, protocol);
  }

  void Follow(uint32_t sequence, uint32_t next) {
    if (sequences_[source_] != sequence) ++sequence_errors;
    sequences_[source_] = next;
  }

  void NetFlow5(Octets octets) {
    OctetReader in(octets);
    in.Skip(2);
    const uint16_t count = in.U16();
    in.Skip(12);
    const uint32_t sequence = in.U32();
    in.Skip(4);
    if (octets.size() != 24 + 48 * size_t{count}) ++lengths_wrong;
    Follow(sequence, sequence + count);
    for (int i = 0; i < count; ++i) {
      const Octets src = in.Bytes(4), dst = in.Bytes(4);
      in.Skip(8);
      const uint32_t packets = in.U32(), bytes = in.U32(), first = in.U32(), last = in.U32();
      EXPECT_LE(first, last);
      const uint16_t sport = in.U16(), dport = in.U16();
      in.Skip(2);
      const uint8_t protocol = in.U8();
      in.Skip(1);
      as_pairs_.insert({in.U16(), in.U16()});
      in.Skip(4);
      Tell(AsText(src), AsText(dst), sport, dport, protocol, packets, bytes);
    }
    EXPECT_TRUE(in.ok());
  }

  void Templated(Octets octets, size_t header) {
    const bool ipfix = header == 16;
    if (ipfix && base::LoadBe16(octets.data() + 2) != octets.size()) ++lengths_wrong;
    const uint32_t sequence = base::LoadBe32(octets.data() + (ipfix ? 8 : 12));
    uint32_t data_records = 0, records = 0;
    size_t at = header;
    while (at + 4 <= octets.size()) {
      const uint16_t id = base::LoadBe16(octets.data() + at), length = base::LoadBe16(octets.data() + at + 2);
      ASSERT_GE(length, 4);
      ASSERT_LE(at + length, octets.size());
      OctetReader in(octets.subspan(at + 4, length - 4));
      at += length;
      if (id == (ipfix ? 2 : 0)) {
        while (in.remaining() >= 4) {
          auto& fields = templates_[{source_, in.U16()}];
          fields.clear();
          for (int n = in.U16(); n > 0; --n) {
            const uint16_t element = in.U16();
            fields.push_back({element, in.U16()});
          }
          ++records;
        }
        continue;
      }
      const auto& fields = templates_[{source_, id}];
      ASSERT_FALSE(fields.empty());
      size_t width = 0;
      for (const auto& field : fields) width += field.second;
      while (in.remaining() >= width) {
        std::map<uint16_t, Octets> values;
        for (const auto& [element, octet_count] : fields) values[element] = in.Bytes(octet_count);
        auto number = [&values](uint16_t e) { return base::LoadBe(values[e].data(), values[e].size()); };
        const bool v6 = values.count(27) != 0;
        EXPECT_LE(number(ipfix ? 152 : 22), number(ipfix ? 153 : 21));
        as_pairs_.insert({number(16), number(17)});
        Tell(AsText(values[v6 ? 27 : 8]), AsText(values[v6 ? 28 : 12]), number(7), number(11), number(4), number(2),
             number(1));
        ++data_records;
        ++records;
      }
      EXPECT_LT(in.remaining(), 4u);
    }
    EXPECT_EQ(at, octets.size());
    EXPECT_TRUE(ipfix || base::LoadBe16(octets.data() + 2) == records);
    Follow(sequence, sequence + (ipfix ? data_records : 1));
  }

  void Sflow(Octets octets) {
    OctetReader in(octets);
    ASSERT_EQ(in.U32(), 5u);
    ASSERT_EQ(in.U32(), 1u);
    EXPECT_EQ(in.U32(), source_);
    in.Skip(4);
    const uint32_t sequence = in.U32();
    if (sequence != sequences_[source_] + 1) ++sequence_errors;
    sequences_[source_] = sequence;
    in.Skip(4);
    for (uint32_t samples = in.U32(); samples > 0; --samples) {
      EXPECT_EQ(in.U32(), 1u);
      const uint32_t length = in.U32();
      const size_t end = in.offset() + length;
      in.Skip(8);
      EXPECT_EQ(in.U32(), 1000u);
      in.Skip(16);
      EXPECT_EQ(in.U32(), 1u);
      EXPECT_EQ(in.U32(), 1u);
      in.Skip(4);
      EXPECT_EQ(in.U32(), 1u);
      const uint32_t frame_length = in.U32();
      EXPECT_EQ(in.U32(), 4u);
      const Octets header = in.Bytes(in.U32());
      const uint64_t before = truth.bytes;
      Frame(header);
      EXPECT_EQ(truth.bytes - before, frame_length - 4 - 14);
      in.Skip(end - in.offset());
    }
    EXPECT_TRUE(in.ok());
    EXPECT_EQ(in.remaining(), 0u);
  }

  void Frame(Octets octets) {
    OctetReader in(octets);
    in.Skip(12);
    const bool v6 = in.U16() == 0x86dd;
    const Octets ip = in.rest();
    const uint8_t protocol = ip[v6 ? 6 : 9];
    const uint32_t length = v6 ? 40 + base::LoadBe16(&ip[4]) : base::LoadBe16(&ip[2]);
    const size_t width = v6 ? 16 : 4;
    const Octets src = ip.subspan(v6 ? 8 : 12, width), dst = ip.subspan((v6 ? 8 : 12) + width, width);
    const Octets transport = ip.subspan(v6 ? 40 : 20);
    const bool ports = protocol == 6 || protocol == 17;
    Tell(AsText(src), AsText(dst), ports ? base::LoadBe16(&transport[0]) : 0, ports ? base::LoadBe16(&transport[2]) : 0,
         protocol, 1, length);
  }

  uint32_t source_ = 0;
  std::map<uint32_t, uint32_t> sequences_;
  std::map<std::pair<uint32_t, uint16_t>, std::vector<std::pair<uint16_t, uint16_t>>> templates_;
  std::set<std::tuple<std::string, std::string, uint64_t, uint64_t, uint64_t>> tuples_;
  std::set<std::pair<uint64_t, uint64_t>> as_pairs_;
};

std::string AllOctets(const WorkloadOptions& options) {
  auto generator = NewWorkloadGenerator(options);
  EXPECT_TRUE(generator.ok()) << generator.status();
  std::string all;
  CapturedPacket packet;
  while ((*generator)->Next(&packet)) {
    absl::StrAppend(&all, AsText(packet.octets), packet.time_nanos);
  }
  return all;
}

TEST(Workload, TruthIsWhatTheOctetsSay) {
  for (const WorkloadKind kind : kAllKinds) {
    for (const uint32_t exporters : {1u, 3u}) {
      SCOPED_TRACE(WorkloadKindName(kind));
      WorkloadOptions options = Small(kind);
      options.exporters = exporters;
      auto generator = NewWorkloadGenerator(options);
      ASSERT_TRUE(generator.ok()) << generator.status();
      NaiveWalk walk(kind);
      CapturedPacket packet;
      int64_t last = 0;
      while ((*generator)->Next(&packet)) {
        EXPECT_GE(packet.time_nanos, last);
        last = packet.time_nanos;
        EXPECT_LE(packet.octets.size(), (*generator)->snap_length());
        EXPECT_LE(packet.wire_length, 1514u);
        walk.Add(packet);
      }
      EXPECT_EQ(WorkloadTruthJson((*generator)->Truth()), WorkloadTruthJson(walk.Truth()));
      EXPECT_EQ(walk.truth.records, options.records);
      EXPECT_EQ(walk.sequence_errors, 0u);
      EXPECT_EQ(walk.lengths_wrong, 0u);
    }
  }
}

TEST(Workload, SameSeedGivesSameOctetsAndOthersDiffer) {
  for (const WorkloadKind kind : kAllKinds) {
    WorkloadOptions options = Small(kind);
    const std::string first = AllOctets(options);
    EXPECT_EQ(first, AllOctets(options)) << WorkloadKindName(kind);
    options.seed = 2;
    EXPECT_NE(first, AllOctets(options)) << WorkloadKindName(kind);
  }
}

TEST(Workload, OctetsAreTheSameOnEveryMachine) {
  // A change of these numbers changes every published measurement: say so in the CHANGELOG.
  constexpr uint64_t kFnv1a[] = {0x15019d894ee02753, 0x02d991e500e41cce, 0x49c95afc726dd073, 0x0df61d8772fdcc0a,
                                 0xaeff0b136cd2810b};
  for (const WorkloadKind kind : kAllKinds) {
    WorkloadOptions options = Small(kind);
    if (kind != WorkloadKind::kNetFlow5) options.ipv6_percent = 20;
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : AllOctets(options)) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    EXPECT_EQ(hash, kFnv1a[static_cast<size_t>(kind)]) << WorkloadKindName(kind);
  }
}

TEST(Workload, MixesFamiliesAsAsked) {
  for (const int percent : {0, 50, 100}) {
    WorkloadOptions options = Small(WorkloadKind::kNetFlow9);
    options.ipv6_percent = percent;
    auto generator = NewWorkloadGenerator(options);
    NaiveWalk walk(options.kind);
    CapturedPacket packet;
    while ((*generator)->Next(&packet)) walk.Add(packet);
    EXPECT_EQ(WorkloadTruthJson((*generator)->Truth()), WorkloadTruthJson(walk.Truth()));
    const double share = 100.0 * static_cast<double>(walk.v6_records) / static_cast<double>(walk.truth.records);
    EXPECT_NEAR(share, percent, percent % 100 == 0 ? 0.0 : 25.0);
  }
}

TEST(Workload, StaysInDocumentationSpaceIfAsked) {
  const FlowPopulation population(1, 50, 40, true);
  for (uint32_t i = 0; i < 500; ++i) {
    const FlowKey key = population.Key(i);
    for (const auto* address : {&key.src, &key.dst}) {
      const uint32_t v4 = base::LoadBe32(address->data()) & 0xffffff00;
      if (key.v6) {
        EXPECT_EQ(base::LoadBe32(address->data()), 0x20010db8u);
      } else {
        EXPECT_TRUE(v4 == 0xc0000200 || v4 == 0xc6336400 || v4 == 0xcb007100) << std::hex << v4;
      }
    }
    EXPECT_TRUE(key.src_as >= 64496 && key.src_as <= 64511) << key.src_as;
    EXPECT_TRUE(key.dst_as >= 64496 && key.dst_as <= 64511) << key.dst_as;
  }
}

TEST(Workload, RefusesWhatCannotBe) {
  const auto message = [](WorkloadOptions options) {
    return std::string(NewWorkloadGenerator(options).status().message());
  };
  WorkloadOptions options = Small(WorkloadKind::kNetFlow5);
  options.ipv6_percent = 10;
  EXPECT_NE(message(options).find("ipv6_percent is 10"), std::string::npos);
  options = Small(WorkloadKind::kIpfix);
  options.ipv6_percent = 101;
  EXPECT_NE(message(options).find("ipv6_percent is 101"), std::string::npos);
  options = Small(WorkloadKind::kIpfix);
  options.exporters = 201;
  EXPECT_NE(message(options).find("exporters is 201"), std::string::npos);
  options = Small(WorkloadKind::kIpfix);
  options.zipf_exponent = -1;
  EXPECT_NE(message(options).find("zipf_exponent"), std::string::npos);
  options = Small(WorkloadKind::kIpfix);
  options.records_per_second = 0;
  EXPECT_NE(message(options).find("records_per_second"), std::string::npos);
}

TEST(Workload, KindsAreFoundByName) {
  for (const WorkloadKind kind : kAllKinds) EXPECT_EQ(FindWorkloadKind(WorkloadKindName(kind)), kind);
  EXPECT_EQ(FindWorkloadKind("v7"), std::nullopt);
}

TEST(ZipfRanks, FollowTheLaw) {
  const ZipfRanks ranks(100, 1.0);
  RandomStream random(3);
  std::vector<int> counts(100);
  const int draws = 200000;
  for (int i = 0; i < draws; ++i) ++counts[ranks.Draw(random)];
  double harmonic = 0;
  for (int k = 1; k <= 100; ++k) harmonic += 1.0 / k;
  for (const int k : {1, 2, 10, 50}) {
    const double expected = draws / harmonic / k;
    EXPECT_NEAR(counts[k - 1], expected, 5 * std::sqrt(expected)) << k;
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(PcapWriter, WritesHeaderAndPackets) {
  for (const bool nanoseconds : {false, true}) {
    const std::string path = testing::TempDir() + "/written.pcap";
    PcapWriterOptions options;
    options.nanoseconds = nanoseconds;
    options.snap_length = 4;
    auto writer = PcapWriter::New(path, options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    CapturedPacket packet;
    packet.octets = base::AsOctets("abcdef");
    packet.time_nanos = int64_t{1700000000} * 1000000000 + 123456789;
    packet.wire_length = 60;
    ASSERT_TRUE((*writer)->Write(packet).ok());
    ASSERT_TRUE((*writer)->Close().ok());
    const std::string file = ReadFile(path);
    ASSERT_EQ(file.size(), 24u + 16u + 4u);
    const auto* p = reinterpret_cast<const uint8_t*>(file.data());
    EXPECT_EQ(base::LoadHost<uint32_t>(p), nanoseconds ? 0xa1b23c4du : 0xa1b2c3d4u);
    EXPECT_EQ(base::LoadHost<uint16_t>(p + 4), 2);
    EXPECT_EQ(base::LoadHost<uint16_t>(p + 6), 4);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 16), 4u);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 20), 1u);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 24), 1700000000u);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 28), nanoseconds ? 123456789u : 123456u);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 32), 4u);
    EXPECT_EQ(base::LoadHost<uint32_t>(p + 36), 60u);
    EXPECT_EQ(file.substr(40), "abcd");
  }
}

TEST(PcapWriter, SaysWhatIsWrong) {
  const auto writer = PcapWriter::New("/nowhere/at/all.pcap");
  EXPECT_EQ(writer.status().message(), "cannot create /nowhere/at/all.pcap: No such file or directory");
  auto full = PcapWriter::New("/dev/full");
  ASSERT_TRUE(full.ok());
  EXPECT_NE((*full)->Close().message().find("cannot write /dev/full: No space left"), absl::string_view::npos);
  EXPECT_FALSE((*full)->Write(CapturedPacket()).ok());
}

}  // namespace
}  // namespace flowacct::collector
