#include "flowacct/collector/capture/capture_reader.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/capture/capture_file_builder.h"
#include "flowacct/testing/allocation_counter.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct Read {
  uint32_t link_type;
  uint32_t interface;
  int64_t time_nanos;
  uint32_t wire_length;
  std::string octets;

  friend bool operator==(const Read& a, const Read& b) {
    return a.link_type == b.link_type && a.interface == b.interface && a.time_nanos == b.time_nanos &&
           a.wire_length == b.wire_length && a.octets == b.octets;
  }
};

std::ostream& operator<<(std::ostream& out, const Read& r) {
  return out << "{link " << r.link_type << ", interface " << r.interface << ", time " << r.time_nanos << ", wire "
             << r.wire_length << ", " << r.octets.size() << " octets}";
}

struct Result {
  absl::Status opened;
  absl::Status status;
  std::vector<Read> packets;
  std::vector<CaptureInterface> interfaces;
  CaptureFormat format = CaptureFormat::kPcap;
  CaptureCompression compression = CaptureCompression::kNone;
  CaptureProgress progress;
};

Result ReadAll(absl::StatusOr<std::unique_ptr<CaptureReader>> reader) {
  Result result;
  result.opened = reader.status();
  if (!reader.ok()) return result;
  uint64_t number = 0;
  for (;;) {
    const auto packets = (*reader)->NextBatch();
    if (!packets.ok()) {
      result.status = packets.status();
      // Every later call repeats it.
      EXPECT_EQ((*reader)->NextBatch().status(), result.status);
      break;
    }
    if (packets->empty()) {
      EXPECT_TRUE((*reader)->NextBatch()->empty());
      break;
    }
    for (const CapturedPacket& p : *packets) {
      EXPECT_EQ(p.number, ++number);
      EXPECT_LT(p.interface, (*reader)->interfaces().size());
      EXPECT_GE(p.wire_length, p.octets.size());
      result.packets.push_back(
          {p.link_type, p.interface, p.time_nanos, p.wire_length, std::string(base::AsText(p.octets))});
    }
  }
  result.interfaces.assign((*reader)->interfaces().begin(), (*reader)->interfaces().end());
  result.format = (*reader)->format();
  result.compression = (*reader)->compression();
  result.progress = (*reader)->progress();
  return result;
}

Result ReadAll(std::string octets, CaptureReaderOptions options = {}) {
  return ReadAll(CaptureReader::OpenBuffer(std::move(octets), "built.pcap", options));
}

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kTime = 1500000000 * kSecond;

std::vector<BuiltPacket> SomePackets() {
  return {{kTime + 123456000, "first packet", 0},
          {kTime + 999999000, "", 60},  // nothing captured of it
          {kTime + kSecond, std::string(70, 'x'), 1500},
          {4294967295 * kSecond, "y", 0}};  // the last second of 32 bits
}

std::vector<Read> Expected(const std::vector<BuiltPacket>& packets, uint32_t link_type) {
  std::vector<Read> expected;
  for (const BuiltPacket& p : packets) {
    const auto captured = static_cast<uint32_t>(p.octets.size());
    expected.push_back({link_type, 0, p.time_nanos, p.wire_length == 0 ? captured : p.wire_length, p.octets});
  }
  return expected;
}

TEST(PcapTest, EveryHeaderVariation) {
  for (const bool big_endian : {false, true}) {
    for (const auto& [nanoseconds, kuznetzov] : {std::pair(false, false), {true, false}, {false, true}}) {
      for (const uint16_t minor : {2, 3, 4}) {
        SCOPED_TRACE(absl::StrCat("big endian ", big_endian, " nanoseconds ", nanoseconds, " Kuznetzov ", kuznetzov,
                                  " version 2.", minor));
        const std::string file = BuildPcap({big_endian, nanoseconds, kuznetzov, 113, minor}, SomePackets());
        const Result result = ReadAll(file);
        ASSERT_TRUE(result.opened.ok()) << result.opened;
        EXPECT_TRUE(result.status.ok()) << result.status;
        EXPECT_EQ(result.format, CaptureFormat::kPcap);
        EXPECT_EQ(result.packets, Expected(SomePackets(), 113));
        ASSERT_EQ(result.interfaces.size(), 1u);
        EXPECT_EQ(result.interfaces[0].link_type, 113u);
        EXPECT_EQ(result.interfaces[0].snap_length, 262144u);
        EXPECT_EQ(result.progress.octets_read, file.size());
        EXPECT_EQ(result.progress.octets_total, file.size());
        EXPECT_EQ(result.progress.packets, 4u);
      }
    }
  }
}

TEST(PcapTest, NanosecondsAreKept) {
  const std::vector<BuiltPacket> packets = {{kTime + 123456789, "a", 0}};
  EXPECT_EQ(ReadAll(BuildPcap({false, true}, packets)).packets, Expected(packets, 1));
  EXPECT_EQ(ReadAll(BuildPcap({true, true}, packets)).packets, Expected(packets, 1));
}

TEST(PcapTest, LinkTypeIsWithoutTheFrameCheckBits) {
  PcapStyle style;
  style.link_type = 0x54000001;  // Ethernet with a frame check sequence of 4 octets
  EXPECT_EQ(ReadAll(BuildPcap(style, SomePackets())).packets, Expected(SomePackets(), 1));
}

TEST(PcapTest, LengthsInTheOrderOfVersion23) {
  // 2.3 had both orders: the larger is that of the wire.
  OrderedWriter w(false);
  w.U32(0xa1b2c3d4).U16(2).U16(3).U32(0).U32(0).U32(96).U32(1);
  w.U32(1).U32(0).U32(60).U32(3).Text("abc");
  const Result result = ReadAll(w.octets());
  ASSERT_EQ(result.packets.size(), 1u);
  EXPECT_EQ(result.packets[0], (Read{1, 0, kSecond, 60, "abc"}));
}

TEST(PcapTest, UnknownVersionIsRefused) {
  std::string file = BuildPcap({}, SomePackets());
  file[4] = 7;
  const Result result = ReadAll(file);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(result.status.message(), "version 7.4")) << result.status;
}

TEST(PcapTest, LengthBeyondTheBoundSaysWhere) {
  const std::vector<BuiltPacket> packets = {{0, "small", 0}, {0, std::string(301, 'b'), 0}, {0, "after", 0}};
  CaptureReaderOptions options;
  options.max_packet_octets = 300;
  const Result result = ReadAll(BuildPcap({}, packets), options);
  EXPECT_EQ(result.packets, Expected({packets[0]}, 1));
  EXPECT_EQ(result.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(result.status.message(),
            "'built.pcap', at octet 45, after 1 whole packets: a packet record claims 301 captured octets, more than "
            "max_packet_octets (300) allows: the file is damaged here, or the bound is to be raised");
  options.max_packet_octets = 301;
  EXPECT_EQ(ReadAll(BuildPcap({}, packets), options).packets, Expected(packets, 1));
}

TEST(PcapTest, AbsurdLengthIsDamage) {
  std::string file = BuildPcap({}, SomePackets());
  file[24 + 16 + 12 + 8 + 3] = '\x7f';
  const Result result = ReadAll(file);
  EXPECT_EQ(result.packets.size(), 1u);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(result.status.message(), "at octet 52, after 1 whole packets")) << result.status;
}

std::string MixedPcapng() {
  PcapngBuilder b;
  b.Section(false);
  b.Interface(1, 0, std::nullopt, std::nullopt, "eth0");
  b.Interface(113, 10, 9);
  b.Block(4, std::string(40, 'n'));  // name resolution
  b.Enhanced(0, 1500000000123456, "one");
  b.Enhanced(1, 1500000000123456789, "two", 99);
  b.Simple("three");                  // of interface 0, without a time
  b.Block(0x0bad, "a custom block");  // unknown
  b.Obsolete(1, 1500000000123456789, "four");
  b.Section(true);                              // interfaces begin anew
  b.Interface(101, 0, 0x80 | 10, 100, "tun0");  // 2^-10 s, 100 s later
  b.Enhanced(0, 1500000000 * 1024ULL + 512, "five");
  b.Interface(276, 4, 12);
  b.Enhanced(1, 7000, "six");
  b.Obsolete(0, 0, "seven", 70);
  b.Section(false);
  b.Interface(1, 4, 0);
  b.Enhanced(0, 3, "eight");
  b.Simple("nine.", 5);
  return b.octets();
}

std::vector<Read> MixedExpected() {
  return {
      {1, 0, 1500000000123456000, 3, "one"},
      {113, 1, 1500000000123456789, 99, "two"},
      {1, 0, 0, 5, "three"},
      {113, 1, 1500000000123456789, 4, "four"},
      {101, 2, (1500000100 * kSecond) + kSecond / 2, 4, "five"},
      {276, 3, 7, 3, "six"},
      {101, 2, 100 * kSecond, 70, "seven"},
      {1, 4, 3 * kSecond, 5, "eight"},
      {1, 4, 0, 5, "nine"},  // the snap length of 4
  };
}

TEST(PcapngTest, SectionsInterfacesAndBlocks) {
  const Result result = ReadAll(MixedPcapng());
  ASSERT_TRUE(result.opened.ok());
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.format, CaptureFormat::kPcapng);
  EXPECT_EQ(result.packets, MixedExpected());
  ASSERT_EQ(result.interfaces.size(), 5u);
  EXPECT_EQ(result.interfaces[0].name, "eth0");
  EXPECT_EQ(result.interfaces[1].snap_length, 10u);
  EXPECT_EQ(result.interfaces[2].name, "tun0");
  EXPECT_EQ(result.interfaces[2].section, 1u);
  EXPECT_EQ(result.interfaces[4].section, 2u);
}

TEST(PcapngTest, TimesOfEveryResolution) {
  struct Case {
    uint8_t resolution;
    uint64_t ticks;
    int64_t offset;
    int64_t nanos;
  };
  const int64_t most = kMaxTimeNanos;
  for (const Case& c : std::vector<Case>{
           {0, 5, 0, 5 * kSecond},
           {3, 5, 0, 5000000},
           {6, 5, 0, 5000},
           {9, 5, 0, 5},
           {10, 59, 0, 5},
           {28, ~uint64_t{0}, 0, 1},
           {127, ~uint64_t{0}, 0, 1},
           {0x80, 7, 0, 7 * kSecond},
           {0x81, 3, 0, 3 * kSecond / 2},
           {0x80 | 32, uint64_t{3} << 31, 0, 3 * kSecond / 2},
           {0xff, ~uint64_t{0}, 0, 0},
           {6, ~uint64_t{0}, 0, most},
           {9, ~uint64_t{0}, 0, most},
           {6, 0, -5, -5 * kSecond},
           {6, 0, INT64_MIN, -most},
           {0, ~uint64_t{0}, INT64_MAX, most},
       }) {
    PcapngBuilder b;
    b.Section(true).Interface(1, 0, c.resolution, c.offset).Enhanced(0, c.ticks, "p");
    const Result result = ReadAll(b.octets());
    ASSERT_EQ(result.packets.size(), 1u);
    EXPECT_EQ(result.packets[0].time_nanos, c.nanos) << "resolution " << int{c.resolution} << " ticks " << c.ticks;
  }
}

TEST(PcapngTest, LargeUnknownBlocksAreSkippedInPassing) {
  PcapngBuilder b;
  b.Section(false).Interface(1).Enhanced(0, 1000000, "before");
  b.Block(0x0bad, std::string(100000, 'c'));
  b.Enhanced(0, 2000000, "after");
  CaptureReaderOptions options;
  options.block_octets = 1000;
  options.max_description_octets = 4096;
  const Result result = ReadAll(b.octets(), options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(result.packets.size(), 2u);
  EXPECT_EQ(result.packets[1].octets, "after");

  const Result cut = ReadAll(b.octets().substr(0, 50000), options);
  EXPECT_EQ(cut.packets.size(), 1u);
  EXPECT_EQ(cut.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(cut.status.message(), "ends inside a block")) << cut.status;
}

TEST(PcapngTest, DamageIsTold) {
  struct Case {
    const char* what;
    std::string file;
    size_t packets;
    absl::StatusCode code;
    const char* message;
  };
  const auto with = [](auto change) {
    PcapngBuilder b;
    b.Section(false).Interface(1).Enhanced(0, 1, "good");
    const size_t at = b.octets().size();
    b.Enhanced(0, 2, "bad.").Enhanced(0, 3, "more");
    std::string file = b.octets();
    change(&file, at);
    return file;
  };
  CaptureReaderOptions options;
  options.max_description_octets = 200;
  options.max_packet_octets = 100;
  options.max_interfaces = 2;
  std::vector<Case> cases = {
      {"length not a multiple of 4", with([](std::string* f, size_t at) { (*f)[at + 4] |= 1; }), 1,
       absl::StatusCode::kDataLoss, "claims a length of"},
      {"length below the overhead", with([](std::string* f, size_t at) { (*f)[at + 4] = 8; }), 1,
       absl::StatusCode::kDataLoss, "claims a length of 8"},
      {"two lengths", with([](std::string* f, size_t at) { (*f)[at + 4] -= 4; }), 1, absl::StatusCode::kDataLoss,
       "two different lengths"},
      {"captured length beyond the block", with([](std::string* f, size_t at) { (*f)[at + 20] = 60; }), 1,
       absl::StatusCode::kDataLoss, "claims 60 captured"},
      {"no such interface", with([](std::string* f, size_t at) { (*f)[at + 8] = 1; }), 1, absl::StatusCode::kDataLoss,
       "names interface 1, but its section described 1"},
      {"block beyond the bound", with([](std::string* f, size_t at) { (*f)[at + 6] = 1; }), 1,
       absl::StatusCode::kResourceExhausted, "max_packet_octets and max_description_octets"},
      {"packet beyond the bound",
       PcapngBuilder().Section(false).Interface(1).Enhanced(0, 1, std::string(101, 'l')).octets(), 0,
       absl::StatusCode::kResourceExhausted, "claims 101 captured octets, more than max_packet_octets (100)"},
      {"interfaces beyond the bound", PcapngBuilder().Section(false).Interface(1).Interface(1).Interface(1).octets(), 0,
       absl::StatusCode::kResourceExhausted, "max_interfaces (2)"},
      {"packet before its interface", PcapngBuilder().Section(false).Simple("s").octets(), 0,
       absl::StatusCode::kDataLoss, "names interface 0, but its section described 0"},
      {"interfaces end with their section",
       PcapngBuilder().Section(false).Interface(1).Section(false).Simple("s").octets(), 0, absl::StatusCode::kDataLoss,
       "described 0"},
      {"packet block without a header", PcapngBuilder().Section(false).Interface(1).Block(6, "short").octets(), 0,
       absl::StatusCode::kDataLoss, "too short"},
      {"interface without a header", PcapngBuilder().Section(false).Block(1, "tiny").octets(), 0,
       absl::StatusCode::kDataLoss, "too short"},
      {"section without byte order", PcapngBuilder().Block(0x0a0d0d0a, std::string(16, 'z')).octets(), 0,
       absl::StatusCode::kDataLoss, "byte-order magic"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const Result result = ReadAll(c.file, options);
    ASSERT_TRUE(result.opened.ok()) << result.opened;
    EXPECT_EQ(result.packets.size(), c.packets);
    EXPECT_EQ(result.status.code(), c.code) << result.status;
    EXPECT_TRUE(absl::StrContains(result.status.message(), c.message)) << result.status;
    EXPECT_TRUE(absl::StrContains(result.status.message(), absl::StrCat("after ", c.packets, " whole packets")));
  }
}

std::string IpfixFile() {
  return BuildIpfixMessage(1500000000, "first") + BuildIpfixMessage(1500000001, "") +
         BuildIpfixMessage(4294967295, std::string(300, 'r'));
}

TEST(IpfixFileTest, MessagesArePackets) {
  const Result result = ReadAll(IpfixFile());
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.format, CaptureFormat::kIpfixFile);
  ASSERT_EQ(result.packets.size(), 3u);
  EXPECT_EQ(result.packets[0], (Read{kLinkTypeIpfixMessage, 0, kTime, 25, BuildIpfixMessage(1500000000, "first")}));
  EXPECT_EQ(result.packets[2].time_nanos, 4294967295 * kSecond);

  const Result damaged = ReadAll(BuildIpfixMessage(1, "good") + "nonsense that is no message");
  EXPECT_EQ(damaged.packets.size(), 1u);
  EXPECT_EQ(damaged.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(damaged.status.message(), "at octet 24, after 1 whole packets")) << damaged.status;
}

std::vector<std::pair<std::string, std::string>> GoldenFiles() {
  return {{"pcap", BuildPcap({}, SomePackets())},
          {"pcap-swapped-kuznetzov", BuildPcap({true, false, true}, SomePackets())},
          {"pcapng", MixedPcapng()},
          {"ipfix-file", IpfixFile()}};
}

TEST(CutTest, AtEveryOctetGivesAllWholePacketsThenSaysSo) {
  for (const auto& [name, file] : GoldenFiles()) {
    const std::vector<Read> whole = ReadAll(file).packets;
    size_t packets_before = 0;
    for (size_t cut = 4; cut < file.size(); ++cut) {
      SCOPED_TRACE(absl::StrCat(name, " cut at ", cut, " of ", file.size()));
      const Result result = ReadAll(file.substr(0, cut));
      ASSERT_TRUE(result.opened.ok()) << result.opened;
      ASSERT_LE(result.packets.size(), whole.size());
      ASSERT_GE(result.packets.size(), packets_before);
      packets_before = result.packets.size();
      EXPECT_EQ(result.packets, std::vector<Read>(whole.begin(), whole.begin() + static_cast<int>(packets_before)));
      if (result.status.ok()) continue;  // between two records; their number is checked below
      EXPECT_EQ(result.status.code(), absl::StatusCode::kDataLoss);
      EXPECT_TRUE(absl::StrContains(result.status.message(), "the file ends inside")) << result.status;
      EXPECT_TRUE(absl::StrContains(result.status.message(), absl::StrCat("after ", packets_before, " whole")));
    }
    EXPECT_EQ(packets_before, whole.size() - 1) << name;
  }
  const std::string file = BuildPcap({}, SomePackets());
  size_t fine = 0;
  for (size_t cut = 4; cut <= file.size(); ++cut) fine += ReadAll(file.substr(0, cut)).status.ok() ? 1 : 0;
  EXPECT_EQ(fine, 1 + SomePackets().size());  // after the file header, and after each record
}

TEST(CutTest, BlocksOfEverySizeGiveTheSame) {
  for (const auto& [name, file] : GoldenFiles()) {
    const std::vector<Read> whole = ReadAll(file).packets;
    for (const size_t block : {1, 2, 3, 7, 16, 64, 333}) {
      for (const size_t batch : {0, 1, 2, 1000}) {
        SCOPED_TRACE(absl::StrCat(name, " in blocks of ", block, ", batches of ", batch));
        CaptureReaderOptions options;
        options.block_octets = block;
        options.max_batch_packets = batch;
        for (const std::string& form : {file, Gzip(file), Zstd(file)}) {
          const Result result = ReadAll(form, options);
          EXPECT_TRUE(result.status.ok()) << result.status;
          EXPECT_EQ(result.packets, whole);
        }
      }
    }
  }
}

TEST(CompressionTest, IsToldByMagic) {
  for (const auto& [name, file] : GoldenFiles()) {
    EXPECT_EQ(ReadAll(file).compression, CaptureCompression::kNone);
    const Result gzip = ReadAll(Gzip(file));
    EXPECT_EQ(gzip.compression, CaptureCompression::kGzip);
    EXPECT_EQ(gzip.progress.octets_read, Gzip(file).size());
    const Result zstd = ReadAll(Zstd(file));
    EXPECT_EQ(zstd.compression, CaptureCompression::kZstd);
    EXPECT_EQ(zstd.progress.octets_total, Zstd(file).size());
  }
}

TEST(CompressionTest, MembersAndFramesMayBeMany) {
  const std::string file = BuildPcap({}, SomePackets());
  const std::string head = file.substr(0, 50);
  const std::string tail = file.substr(50);
  EXPECT_EQ(ReadAll(Gzip(head) + Gzip("") + Gzip(tail)).packets, Expected(SomePackets(), 1));
  EXPECT_EQ(ReadAll(Zstd(head) + Zstd("") + Zstd(tail)).packets, Expected(SomePackets(), 1));
  // A tape's padding.
  const Result padded = ReadAll(Gzip(file) + std::string(1000, '\0'));
  EXPECT_TRUE(padded.status.ok()) << padded.status;
  EXPECT_EQ(padded.packets, Expected(SomePackets(), 1));
  // A skippable frame (RFC 8878, 3.1.2).
  const std::string skippable("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  EXPECT_EQ(ReadAll(skippable + Zstd(file)).packets, Expected(SomePackets(), 1));

  const Result garbage = ReadAll(Gzip(file) + "garbage");
  EXPECT_EQ(garbage.packets, Expected(SomePackets(), 1));
  EXPECT_EQ(garbage.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(garbage.status.message(), "gzip stream is damaged")) << garbage.status;
}

TEST(CompressionTest, CutOrDamagedAtEveryOctet) {
  const std::string file = MixedPcapng();
  const std::vector<Read> whole = MixedExpected();
  for (const std::string& compressed : {Gzip(file), Zstd(file)}) {
    for (size_t cut = 4; cut < compressed.size(); ++cut) {
      const Result result = ReadAll(compressed.substr(0, cut));
      const absl::Status& status = result.opened.ok() ? result.status : result.opened;
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << "cut at " << cut << ": " << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "breaks off at octet")) << status;
      ASSERT_LE(result.packets.size(), whole.size());
      EXPECT_TRUE(std::equal(result.packets.begin(), result.packets.end(), whole.begin())) << "cut at " << cut;
    }
    for (size_t at = 10; at < compressed.size(); ++at) {
      std::string damaged = compressed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
      ReadAll(damaged);  // any answer, no fault
    }
  }
  // The check sum is checked.
  std::string damaged = Gzip(file);
  damaged[damaged.size() - 6] ^= 1;
  const Result result = ReadAll(damaged);
  EXPECT_EQ(result.packets, whole);
  EXPECT_TRUE(absl::StrContains(result.status.message(), "incorrect data check")) << result.status;
}

TEST(CompressionTest, WindowOfZstdIsBounded) {
  CaptureReaderOptions options;
  options.max_zstd_window_octets = 1024;
  options.block_octets = 1000;  // a frame that goes out in one piece needs no window
  const Result result =
      ReadAll(Zstd(BuildPcap({}, std::vector<BuiltPacket>(1000, {1, std::string(99, 'z'), 0}))), options);
  EXPECT_EQ(result.opened.code(), absl::StatusCode::kResourceExhausted) << result.opened;
  EXPECT_TRUE(absl::StrContains(result.opened.message(), "max_zstd_window_octets")) << result.opened;
}

TEST(OpenTest, ForeignFilesAreNamed) {
  struct Case {
    std::string octets;
    const char* message;
  };
  std::string tar(512, '\0');
  tar.replace(257, 5, "ustar");
  for (const Case& c : std::vector<Case>{
           {"", "'x' is empty"},
           {"Date,Source\n1,2\n", "is a text file (it begins \"Date,Source\"), not a capture"},
           {std::string("\x1f\x8b", 2) + "\x08 not really gzip", "gzip stream is damaged"},
           {Gzip("text in gzip"), "is a text file"},
           {Gzip(Gzip("x")), "compressed twice"},
           {Zstd(""), "is empty"},
           {"\xfd"
            "7zXZ" +
                std::string(20, '\0'),
            "xz -dc"},
           {"BZh91AY&SY", "bzip2 -dc"},
           {std::string("\x0c\xa5\x02\x00", 4), "nfdump"},
           {std::string("snoop\0\0\0\0\0\0\2", 12), "snoop"},
           {tar, "tar archive"},
           {std::string("\x5b\x00\x00\x00\x00\x10\x00\x04\x00\x00\x00\x30", 12), "MRT"},
           {std::string("\x01\x02\x03", 3), "it begins 010203"},
           {std::string("\x00\x0a\x00\x0f", 4), "not known here"},  // an IPFIX message is not shorter than its header
       }) {
    const auto reader = CaptureReader::OpenBuffer(c.octets, "x");
    ASSERT_FALSE(reader.ok()) << c.message;
    EXPECT_TRUE(absl::StrContains(reader.status().message(), c.message)) << reader.status();
    EXPECT_TRUE(absl::StrContains(reader.status().message(), "'x'")) << reader.status();
    EXPECT_EQ(absl::StrContains(reader.status().message(), '\n'), false) << "one line";
  }
}

TEST(OpenTest, PathsThatCannotBeRead) {
  const auto absent = CaptureReader::Open("/nonexistent/file.pcap");
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(absent.status().message(), "'/nonexistent/file.pcap' cannot be opened: No such file or directory");
  const auto directory = CaptureReader::Open("/");
  EXPECT_TRUE(absl::StrContains(directory.status().message(), "is a directory")) << directory.status();
}

TEST(OpenTest, FilesAndStandardInput) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/capture_reader_test.pcap.gz");
  std::ofstream(path, std::ios::binary) << Gzip(BuildPcap({}, SomePackets()));
  EXPECT_EQ(ReadAll(CaptureReader::Open(path)).packets, Expected(SomePackets(), 1));
  ASSERT_NE(std::freopen(path.c_str(), "rb", stdin), nullptr);
  EXPECT_EQ(ReadAll(CaptureReader::Open("-")).packets, Expected(SomePackets(), 1));
}

TEST(OpenTest, PipeGivesPacketsAsTheyCome) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_GE(dup2(ends[0], STDIN_FILENO), 0);
  close(ends[0]);
  const std::string file = BuildPcap({}, SomePackets());
  ASSERT_EQ(write(ends[1], file.data(), 24), 24);
  auto reader = CaptureReader::Open("-");  // does not wait for more than the header
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->progress().octets_total, 0u);
  ASSERT_EQ(write(ends[1], file.data() + 24, 16 + 12 + 5), 16 + 12 + 5);
  EXPECT_EQ((*reader)->NextBatch()->size(), 1u);
  const size_t rest = file.size() - 24 - 33;
  ASSERT_EQ(write(ends[1], file.data() + 24 + 33, rest), static_cast<ssize_t>(rest));
  close(ends[1]);
  EXPECT_EQ((*reader)->NextBatch()->size(), 3u);
  EXPECT_TRUE((*reader)->NextBatch()->empty());
}

TEST(AllocationTest, NoneInSteadyState) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  const std::string file = BuildPcap({}, std::vector<BuiltPacket>(20000, {kTime, std::string(100, 'p'), 0}));
  for (const std::string& form : {file, Gzip(file), Zstd(file)}) {
    CaptureReaderOptions options;
    options.block_octets = 10000;
    auto reader = CaptureReader::OpenBuffer(form, "x", options);
    ASSERT_TRUE(reader.ok());
    ASSERT_TRUE((*reader)->NextBatch().ok());
    ASSERT_TRUE((*reader)->NextBatch().ok());
    const testing::AllocationCounter counter;
    size_t packets = 0;
    for (auto batch = (*reader)->NextBatch(); batch.ok() && !batch->empty(); batch = (*reader)->NextBatch()) {
      packets += batch->size();
    }
    EXPECT_GT(packets, 19000u);
    EXPECT_EQ(counter.allocations(), 0);
  }
}

// Counts of MANIFEST.tsv, which other readers told.
TEST(RealCaptureTest, HoldAsManyPacketsAsTheManifestSays) {
  const char* const captures = std::getenv("FLOWACCT_CAPTURES");
  if (captures == nullptr) GTEST_SKIP() << "FLOWACCT_CAPTURES names no folder of captures";
  std::ifstream manifest(absl::StrCat(captures, "/MANIFEST.tsv"));
  if (!manifest) GTEST_SKIP() << captures << "/MANIFEST.tsv is not there";
  std::string line;
  std::getline(manifest, line);
  size_t files = 0;
  while (std::getline(manifest, line)) {
    const std::vector<std::string> columns = absl::StrSplit(line, '\t');
    ASSERT_GT(columns.size(), 7u);
    SCOPED_TRACE(columns[0]);
    const std::string path = absl::StrCat(captures, "/", columns[0]);
    if (columns[6] == "MRT file") {
      const auto reader = CaptureReader::Open(path);
      EXPECT_FALSE(reader.ok());
      EXPECT_TRUE(absl::StrContains(reader.status().message(), "MRT") ||
                  absl::StrContains(reader.status().message(), "bzip2"))
          << reader.status();
      continue;
    }
    uint64_t packets = 0;
    ASSERT_TRUE(absl::SimpleAtoi(std::vector<std::string>(absl::StrSplit(columns[7], ' '))[0], &packets));
    const Result result = ReadAll(CaptureReader::Open(path));
    ASSERT_TRUE(result.opened.ok()) << result.opened;
    // The one message of this file claims more octets than the file has.
    const bool cut = columns[0] == "ipfix/ipfix-file-bad-set-length.ipfix";
    EXPECT_EQ(result.status.code(), cut ? absl::StatusCode::kDataLoss : absl::StatusCode::kOk) << result.status;
    EXPECT_EQ(result.packets.size(), packets);
    ++files;
  }
  EXPECT_GT(files, 200u);
}

}  // namespace
}  // namespace flowacct::collector
