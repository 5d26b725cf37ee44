// Runs nfacctd of an installed pmacct on a capture that is made here, and compares its print plugin's CSV and JSON
// with what this sink prints of the same rows.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/print/print_sink.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using base::IpAddress;
using base::IpPrefix;
using base::OctetWriter;
using print::BatchBuilder;
using record::FieldId;
using record::MutableRow;

constexpr uint32_t kExportSeconds = 1700000070;  // 2023-11-14T22:14:30Z
constexpr uint32_t kUptimeMillis = 3600000;
constexpr int64_t kExportNanos = int64_t{kExportSeconds} * 1000000000;

// Values are such that both decoders would agree on them: nfacctd rounds times that are relative to sysUptime to
// seconds, and its JSON leaves the counters of NAT events out.

// NetFlow v9 (RFC 3954): one datagram with a template of `fields` (type, length) and one record of it.
OctetWriter Datagram(uint16_t template_id, const std::vector<std::pair<uint16_t, uint16_t>>& fields,
                     const OctetWriter& record) {
  OctetWriter out;
  out.U16(9).U16(2).U32(kUptimeMillis).U32(kExportSeconds).U32(template_id).U32(77);
  out.U16(0).U16(static_cast<uint16_t>(8 + 4 * fields.size())).U16(template_id);
  out.U16(static_cast<uint16_t>(fields.size()));
  for (const auto& [type, length] : fields) out.U16(type).U16(length);
  const size_t padding = (4 - record.size() % 4) % 4;
  out.U16(template_id).U16(static_cast<uint16_t>(4 + record.size() + padding));
  out.Bytes(record.octets()).Fill(padding);
  return out;
}

// A pcap file of UDP datagrams from 192.0.2.77 to port 2055.
std::string Capture(const std::vector<OctetWriter>& datagrams) {
  std::string file;
  const auto little = [&file](uint64_t v, size_t n) {
    for (size_t i = 0; i < n; ++i) file.push_back(static_cast<char>(v >> (8 * i)));
  };
  little(0xa1b2c3d4, 4);
  little(2, 2);
  little(4, 2);
  little(0, 8);
  little(65535, 4);
  little(1, 4);  // Ethernet
  for (const OctetWriter& datagram : datagrams) {
    OctetWriter frame;
    frame.U32(0x02000000).U16(1).U32(0x02000000).U16(2).U16(0x0800);
    const uint16_t total = static_cast<uint16_t>(28 + datagram.size());
    frame.U8(0x45).U8(0).U16(total).U32(0).U8(64).U8(17).U16(0).U32(0xc000024d).U32(0xc0000201);
    frame.U16(50000).U16(2055).U16(static_cast<uint16_t>(total - 20)).U16(0).Bytes(datagram.octets());
    little(kExportSeconds, 4);
    little(0, 4);
    little(frame.size(), 4);
    little(frame.size(), 4);
    file.append(reinterpret_cast<const char*>(frame.octets().data()), frame.size());
  }
  return file;
}

const std::vector<FieldId>& Keys() {
  static const auto* keys = new std::vector<FieldId>{// Not in pmacct's order, which the sink is to find.
                                                     FieldId::kStartTime,
                                                     FieldId::kEndTime,
                                                     FieldId::kSrcAddr,
                                                     FieldId::kDstAddr,
                                                     FieldId::kSrcNet,
                                                     FieldId::kDstNet,
                                                     FieldId::kSrcMask,
                                                     FieldId::kDstMask,
                                                     FieldId::kProtocol,
                                                     FieldId::kTos,
                                                     FieldId::kTcpFlags,
                                                     FieldId::kSrcPort,
                                                     FieldId::kDstPort,
                                                     FieldId::kSrcAs,
                                                     FieldId::kDstAs,
                                                     FieldId::kInIf,
                                                     FieldId::kOutIf,
                                                     FieldId::kSrcMac,
                                                     FieldId::kDstMac,
                                                     FieldId::kVlan,
                                                     FieldId::kCos,
                                                     FieldId::kEtype,
                                                     FieldId::kPostNatSrcAddr,
                                                     FieldId::kPostNatDstAddr,
                                                     FieldId::kPostNatSrcPort,
                                                     FieldId::kPostNatDstPort,
                                                     FieldId::kNatEvent,
                                                     FieldId::kMplsLabelTop,
                                                     FieldId::kExporter,
                                                     FieldId::kExportVersion,
                                                     FieldId::kObservationDomain,
                                                     FieldId::kExportTime,
                                                     FieldId::kMplsVpnRd,
                                                     FieldId::kTag,
                                                     FieldId::kLabel,
                                                     FieldId::kBgpNextHop};
  return *keys;
}

class PmacctPeerTest : public testing::Test {
 protected:
  PmacctPeerTest()
      : builder_(Keys(), {{FieldId::kBytes, Function::kSum, ""},
                          {FieldId::kPackets, Function::kSum, ""},
                          {FieldId::kFlows, Function::kSum, ""}}) {}

  void SetUp() override {
    // Daemons live where a test's PATH does not reach.
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    if (std::system("command -v nfacctd >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "nfacctd is not installed (Debian: apt-get install pmacct); nothing to compare with";
    }
    folder_ = absl::StrCat(testing::TempDir(), "/pmacct_", getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_EQ(std::system(absl::StrCat("mkdir -p ", folder_).c_str()), 0);
    MakeRows();
    std::ofstream(folder_ + "/flows.pcap", std::ios::binary) << Capture(datagrams_);
  }

  // What is common to all rows.
  MutableRow Add(uint64_t bytes, uint64_t packets) {
    MutableRow row = builder_.Add({bytes, packets, 1});
    row.Set<FieldId::kExporter>(IpAddress::V4(0xc000024d));
    row.Set<FieldId::kExportVersion>(9);
    row.Set<FieldId::kObservationDomain>(77);
    row.Set<FieldId::kExportTime>(kExportNanos);
    return row;
  }

  void MakeRows() {
    {
      MutableRow row = Add(1500, 3);
      row.Set<FieldId::kSrcAddr>(IpAddress::V4(0xc6336401));
      row.Set<FieldId::kDstAddr>(IpAddress::V4(0xcb007102));
      row.Set<FieldId::kSrcMask>(24);
      row.Set<FieldId::kDstMask>(16);
      row.Set<FieldId::kSrcNet>(*IpPrefix::Parse("198.51.100.0/24"));
      row.Set<FieldId::kDstNet>(*IpPrefix::Parse("203.0.0.0/16"));
      row.Set<FieldId::kProtocol>(6);
      row.Set<FieldId::kTos>(184);
      row.Set<FieldId::kTcpFlags>(0x1b);
      row.Set<FieldId::kSrcPort>(50462);
      row.Set<FieldId::kDstPort>(443);
      row.Set<FieldId::kSrcAs>(64496);
      row.Set<FieldId::kDstAs>(4200000000);
      row.Set<FieldId::kInIf>(995);
      row.Set<FieldId::kOutIf>(841);
      row.Set<FieldId::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:0a:ff"));
      row.Set<FieldId::kDstMac>(*base::MacAddress::Parse("02:00:00:00:00:02"));
      row.Set<FieldId::kVlan>(100);
      row.Set<FieldId::kEtype>(0x0800);
      row.Set<FieldId::kPostNatSrcAddr>(IpAddress::V4(0x0a000001));
      row.Set<FieldId::kPostNatDstAddr>(IpAddress::V4(0x0a000002));
      row.Set<FieldId::kPostNatSrcPort>(1024);
      row.Set<FieldId::kPostNatDstPort>(8443);
      row.Set<FieldId::kMplsLabelTop>(24305);
      row.Set<FieldId::kStartTime>(kExportNanos - 3000000000);
      row.Set<FieldId::kEndTime>(kExportNanos - 1000000000);
      OctetWriter record;
      record.U32(0xc6336401).U32(0xcb007102).U8(24).U8(16).U8(6).U8(184).U8(0x1b).U16(50462).U16(443);
      record.U32(64496).U32(4200000000).U32(995).U32(841).U32(0x02000000).U16(0x0aff).U32(0x02000000).U16(2);
      record.U16(100).U32(0x0a000001).U32(0x0a000002).U16(1024).U16(8443).U24(24305 << 4 | 1);
      record.U32(kUptimeMillis - 3000).U32(kUptimeMillis - 1000).U32(1500).U32(3);
      datagrams_.push_back(
          Datagram(256, {{8, 4},   {12, 4},  {9, 1},  {13, 1}, {4, 1},  {5, 1},  {6, 1},  {7, 2},   {11, 2},
                         {16, 4},  {17, 4},  {10, 4}, {14, 4}, {56, 6}, {80, 6}, {58, 2}, {225, 4}, {226, 4},
                         {227, 2}, {228, 2}, {70, 3}, {22, 4}, {21, 4}, {1, 4},  {2, 4}},
                   record));
    }
    {
      const IpAddress source = *IpAddress::Parse("2001:db8:0:1::1"), target = *IpAddress::Parse("2001:db8::1:0:0:2");
      MutableRow row = Add(80, 1);
      row.Set<FieldId::kSrcAddr>(source);
      row.Set<FieldId::kDstAddr>(target);
      row.Set<FieldId::kSrcMask>(64);
      row.Set<FieldId::kDstMask>(32);
      row.Set<FieldId::kSrcNet>(IpPrefix(source, 64));
      row.Set<FieldId::kDstNet>(IpPrefix(target, 32));
      row.Set<FieldId::kProtocol>(58);
      row.Set<FieldId::kEtype>(0x86dd);
      row.Set<FieldId::kStartTime>(kExportNanos - 1999000000);
      row.Set<FieldId::kEndTime>(kExportNanos - 1000000);
      OctetWriter record;
      record.Bytes(source.octets()).Bytes(target.octets()).U8(64).U8(32).U8(58);
      record.U64(uint64_t{kExportSeconds} * 1000 - 1999).U64(uint64_t{kExportSeconds} * 1000 - 1).U32(80).U32(1);
      datagrams_.push_back(
          Datagram(257, {{27, 16}, {28, 16}, {29, 1}, {30, 1}, {4, 1}, {152, 8}, {153, 8}, {1, 4}, {2, 4}}, record));
    }
    {  // A record that tells the least.
      MutableRow row = Add(40, 2);
      row.Set<FieldId::kSrcAddr>(IpAddress::V4(0x0a000003));
      row.Set<FieldId::kDstAddr>(IpAddress::V4(0x0a000004));
      row.Set<FieldId::kProtocol>(253);
      row.Set<FieldId::kStartTime>(kExportNanos);  // nfacctd takes the time of the export where a record has none
      row.Set<FieldId::kEtype>(0x0800);
      OctetWriter record;
      record.U32(0x0a000003).U32(0x0a000004).U8(253).U32(40).U32(2);
      datagrams_.push_back(Datagram(258, {{8, 4}, {12, 4}, {4, 1}, {1, 4}, {2, 4}}, record));
    }
  }

  // Has nfacctd read the capture once and write it in both formats.
  void RunPmacct() {
    std::vector<std::string> primitives = {"flows"};
    for (const FieldId key : Keys()) primitives.emplace_back(record::Info(key).pmacct_primitive);
    std::ofstream(folder_ + "/conf") << "daemonize: false\npcap_savefile: " << folder_
                                     << "/flows.pcap\npcap_savefile_wait: false\nplugins: print[csv], print[json]\n"
                                        "print_output[csv]: csv\nprint_output[json]: json\nprint_output_file[csv]: "
                                     << folder_ << "/out.csv\nprint_output_file[json]: " << folder_
                                     << "/out.json\naggregate: " << absl::StrJoin(primitives, ",")
                                     << "\nprint_refresh_time: 3600\nplugin_pipe_size: 10240000\n"
                                        "plugin_buffer_size: 10240\nnfacctd_as: netflow\nnfacctd_net: netflow\n"
                                        "use_ip_next_hop: false\n";
    const std::string command = absl::StrCat("TZ=UTC timeout 30 nfacctd -f ", folder_, "/conf >", folder_, "/log 2>&1");
    if (std::system(command.c_str()) != 0) ADD_FAILURE() << Contents(folder_ + "/log");
    // Its writers are processes of their own that may be a little behind.
    for (int i = 0; i < 50 && (OfPmacct("csv").size() < 4 || OfPmacct("json").size() < 3); ++i) usleep(100000);
  }

  // The lines that it printed, sorted; the header first.
  std::vector<std::string> OfPmacct(const std::string& format) {
    return Lines(Contents(absl::StrCat(folder_, "/out.", format)));
  }

  std::vector<std::string> OfThis(PrintFormat format) {
    char* text = nullptr;
    size_t size = 0;
    PrintOptions options;
    options.format = format;
    options.naming = Naming::kPmacct;
    options.stream = open_memstream(&text, &size);
    auto sink = *NewPrintSink(options);
    EXPECT_TRUE(sink->Write(builder_.Build()).ok());
    EXPECT_TRUE(sink->Close().ok());
    std::fclose(options.stream);
    const std::string out(text, size);
    std::free(text);
    return Lines(out);
  }

  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
    if (!lines.empty()) std::sort(lines.begin() + (absl::StartsWith(lines[0], "{") ? 0 : 1), lines.end());
    return lines;
  }
  // Members of a flat JSON object, sorted: their order means nothing.
  static std::string SortedMembers(const std::string& line) {
    std::vector<std::string> members = absl::StrSplit(line.substr(1, line.size() - 2), ", \"");
    if (!members.empty()) members[0].erase(0, 1);
    std::sort(members.begin(), members.end());
    return absl::StrJoin(members, "\n");
  }

  BatchBuilder builder_;
  std::vector<OctetWriter> datagrams_;
  std::string folder_;
};

TEST_F(PmacctPeerTest, CsvIsTheSameAndJsonButForTheOrderOfMembers) {
  RunPmacct();
  const std::vector<std::string> their_csv = OfPmacct("csv"), our_csv = OfThis(PrintFormat::kCsv);
  ASSERT_EQ(their_csv.size(), 4u) << Contents(folder_ + "/log");
  EXPECT_EQ(absl::StrJoin(our_csv, "\n"), absl::StrJoin(their_csv, "\n"));

  const std::vector<std::string> their_json = OfPmacct("json"), our_json = OfThis(PrintFormat::kJson);
  ASSERT_EQ(their_json.size(), 3u) << Contents(folder_ + "/log");
  std::vector<std::string> theirs, ours;
  for (const std::string& line : their_json) theirs.push_back(SortedMembers(line));
  for (const std::string& line : our_json) ours.push_back(SortedMembers(line));
  std::sort(theirs.begin(), theirs.end());
  std::sort(ours.begin(), ours.end());
  EXPECT_EQ(absl::StrJoin(ours, "\n\n"), absl::StrJoin(theirs, "\n\n"));
}

}  // namespace
}  // namespace flowacct::sink
