#include "flowacct/sink/print/print_sink.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/sink/print/batch_builder.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using aggregate::Function;
using aggregate::TimeBin;
using aggregate::ValueColumn;
using base::IpAddress;
using print::BatchBuilder;
using record::FieldId;
using record::MutableRow;

constexpr int64_t kNanos = 1000000000;
constexpr TimeBin kBin{1700000100 * kNanos, 1700000400 * kNanos};  // 2023-11-14T22:15:00Z, five minutes

ValueColumn Sum(FieldId field) { return {field, Function::kSum, ""}; }

// Talkers: a TCP flow, one of UDP over IPv6, and one of which nothing was told.
BatchBuilder Talkers() {
  BatchBuilder builder({FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kProtocol},
                       {Sum(FieldId::kPackets), Sum(FieldId::kBytes), Sum(FieldId::kFlows)});
  MutableRow row = builder.Add({2, 1500, 1});
  row.Set<FieldId::kSrcAddr>(IpAddress::V4(0xc0000201));
  row.Set<FieldId::kDstPort>(443);
  row.Set<FieldId::kProtocol>(6);
  row = builder.Add({7000, 1234567, 3});
  row.Set<FieldId::kSrcAddr>(*IpAddress::Parse("2001:db8::1"));
  row.Set<FieldId::kDstPort>(53);
  row.Set<FieldId::kProtocol>(17);
  builder.Add({1, 40, 1});
  return builder;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What a sink prints to a stream.
std::string Printed(PrintOptions options, const std::vector<const aggregate::AggregateBatch*>& batches) {
  char* text = nullptr;
  size_t size = 0;
  FILE* stream = open_memstream(&text, &size);
  options.stream = stream;
  absl::StatusOr<std::unique_ptr<Sink>> sink = NewPrintSink(options);
  EXPECT_TRUE(sink.ok()) << sink.status();
  for (const auto* batch : batches) {
    const absl::Status status = (*sink)->Write(*batch);
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_TRUE((*sink)->Close().ok());
  std::fclose(stream);
  std::string out(text, size);
  std::free(text);
  return out;
}

std::string Printed(const PrintOptions& options, const aggregate::AggregateBatch& batch) {
  return Printed(options, std::vector<const aggregate::AggregateBatch*>{&batch});
}

PrintOptions Of(PrintFormat format, Naming naming = Naming::kFlowacct) {
  PrintOptions options;
  options.format = format;
  options.naming = naming;
  return options;
}

TEST(PrintSinkTest, Csv) {
  const auto batch = Talkers().Build();
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), batch),
            "src_addr,dst_port,protocol,packets,bytes,flows\n"
            "192.0.2.1,443,tcp,2,1500,1\n"
            "2001:db8::1,53,udp,7000,1234567,3\n"
            ",,,1,40,1\n");
}

TEST(PrintSinkTest, Json) {
  const auto batch = Talkers().Build();
  EXPECT_EQ(
      Printed(Of(PrintFormat::kJson), batch),
      "{\"src_addr\":\"192.0.2.1\",\"dst_port\":443,\"protocol\":\"tcp\",\"packets\":2,\"bytes\":1500,\"flows\":1}\n"
      "{\"src_addr\":\"2001:db8::1\",\"dst_port\":53,\"protocol\":\"udp\",\"packets\":7000,\"bytes\":1234567,"
      "\"flows\":3}\n"
      "{\"packets\":1,\"bytes\":40,\"flows\":1}\n");
}

TEST(PrintSinkTest, Table) {
  const auto batch = Talkers().Build();
  EXPECT_EQ(Printed(Of(PrintFormat::kTable), batch),
            "src_addr           dst_port  protocol  packets      bytes  flows   share\n"
            "2001:db8::1              53  udp         7,000  1,234,567      3   99.9%  ####################\n"
            "192.0.2.1               443  tcp             2      1,500      1    0.1%\n"
            "-                         -  -               1         40      1    0.0%\n"
            "total of 3 groups                        7,003  1,236,107      5  100.0%\n");
}

TEST(PrintSinkTest, TopTellsWhatItLeavesOut) {
  const auto batch = Talkers().Build();
  PrintOptions options = Of(PrintFormat::kTable);
  options.top = 1;
  options.order = "PACKETS";
  options.human_units = true;
  EXPECT_EQ(Printed(options, batch),
            "src_addr           dst_port  protocol  packets  bytes  flows   share\n"
            "2001:db8::1              53  udp         7.00k  1.23M      3  100.0%  ####################\n"
            "(2 others)                                   3  1.54k      2    0.0%\n"
            "total of 3 groups                        7.00k  1.23M      5  100.0%\n");
  options = Of(PrintFormat::kCsv);
  options.top = 2;
  EXPECT_EQ(Printed(options, batch),
            "src_addr,dst_port,protocol,packets,bytes,flows\n"
            "2001:db8::1,53,udp,7000,1234567,3\n"
            "192.0.2.1,443,tcp,2,1500,1\n");
}

TEST(PrintSinkTest, OverflowGroupIsNeverCutAndSaysSo) {
  auto batch = Talkers().Build();
  batch.set_overflow_row(2);
  PrintOptions options = Of(PrintFormat::kTable);
  options.top = 1;
  EXPECT_EQ(Printed(options, batch),
            "src_addr           dst_port  protocol  packets      bytes  flows   share\n"
            "2001:db8::1              53  udp         7,000  1,234,567      3   99.9%  ####################\n"
            "(1 other)                                    2      1,500      1    0.1%\n"
            "(overflow)                -  -               1         40      1    0.0%\n"
            "total of 2 groups                        7,003  1,236,107      5  100.0%\n");
  EXPECT_TRUE(absl::EndsWith(Printed(Of(PrintFormat::kCsv), batch), "\n(overflow),,,1,40,1\n"));
  EXPECT_TRUE(absl::EndsWith(Printed(Of(PrintFormat::kJson), batch),
                             "\n{\"overflow\":true,\"packets\":1,\"bytes\":40,\"flows\":1}\n"));
}

TEST(PrintSinkTest, IncompleteBatchesSaySo) {
  auto batch = Talkers().Build();
  batch.set_incomplete(true);
  EXPECT_TRUE(absl::EndsWith(Printed(Of(PrintFormat::kTable), batch),
                             "\nincomplete: the input ended early; what was counted until then is shown\n"));
  EXPECT_TRUE(absl::EndsWith(Printed(Of(PrintFormat::kJson), batch), "\n{\"incomplete\":true}\n"));
  EXPECT_FALSE(absl::StrContains(Printed(Of(PrintFormat::kJson, Naming::kPmacct), batch), "incomplete"));
}

TEST(PrintSinkTest, CorrectionsSaySo) {
  auto batch = Talkers().Build();
  batch.set_correction(true);
  EXPECT_TRUE(absl::EndsWith(Printed(Of(PrintFormat::kTable), batch),
                             "\ncorrection: these came late, and are to be added to what was shown of this bin\n"));
  EXPECT_TRUE(absl::StartsWith(Printed(Of(PrintFormat::kJson), batch), "{\"correction\":true,\"src_addr\":"));
  EXPECT_FALSE(absl::StrContains(Printed(Of(PrintFormat::kJson, Naming::kPmacct), batch), "correction"));
}

TEST(PrintSinkTest, TimeBins) {
  const BatchBuilder builder = [] {
    BatchBuilder b({FieldId::kSrcAs}, {Sum(FieldId::kBytes)});
    b.Add({10}).Set<FieldId::kSrcAs>(64496);
    return b;
  }();
  const auto first = builder.Build(kBin);
  const auto second = builder.Build({kBin.end_nanos, kBin.end_nanos + 300 * kNanos});
  EXPECT_EQ(Printed(Of(PrintFormat::kTable), {&first, &second}),
            "from 2023-11-14T22:15:00Z to 2023-11-14T22:20:00Z\n"
            "src_as  bytes\n"
            " 64496     10\n"
            "\n"
            "from 2023-11-14T22:20:00Z to 2023-11-14T22:25:00Z\n"
            "src_as  bytes\n"
            " 64496     10\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), {&first, &second}),
            "bin_start,bin_end,src_as,bytes\n"
            "2023-11-14T22:15:00Z,2023-11-14T22:20:00Z,64496,10\n"
            "2023-11-14T22:20:00Z,2023-11-14T22:25:00Z,64496,10\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kJson), first),
            "{\"bin_start\":\"2023-11-14T22:15:00Z\",\"bin_end\":\"2023-11-14T22:20:00Z\",\"src_as\":64496,"
            "\"bytes\":10}\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kJson, Naming::kPmacct), first),
            "{\"event_type\": \"purge\", \"as_src\": 64496, \"stamp_inserted\": \"2023-11-14 22:15:00\", "
            "\"stamp_updated\": \"2023-11-14 22:20:00\", \"bytes\": 10}\n");
}

TEST(PrintSinkTest, IpfixNames) {
  BatchBuilder builder({FieldId::kSrcAddr, FieldId::kVxlan},
                       {Sum(FieldId::kBytes), {FieldId::kTtl, Function::kMin, "min(ttl)"}});
  builder.Add({1, 64});
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv, Naming::kIpfix), builder.Build()),
            "sourceIPv4Address,vxlan,octetDeltaCount,min(ipTTL)\n,,1,64\n");
}

TEST(PrintSinkTest, OtherFunctions) {
  BatchBuilder builder({FieldId::kSrcAs}, {{FieldId::kStartTime, Function::kMin, "min(start_time)"},
                                           {FieldId::kProtocol, Function::kMax, "max(protocol)"},
                                           {FieldId::kDstAddr, Function::kDistinct, "distinct(dst_addr)"},
                                           {FieldId::kDstPort, Function::kTop, "top(dst_port)"}});
  builder.Add({1700000070500000000, 17, 12345, 0}).Set<FieldId::kSrcAs>(1);
  auto batch = builder.Build();
  batch.set_texts({{}, {}, {}, {"443:12 80:3"}});
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), batch),
            "src_as,min(start_time),max(protocol),distinct(dst_addr),top(dst_port)\n"
            "1,2023-11-14T22:14:30.5Z,udp,12345,443:12 80:3\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kJson), batch),
            "{\"src_as\":1,\"min(start_time)\":\"2023-11-14T22:14:30.5Z\",\"max(protocol)\":\"udp\","
            "\"distinct(dst_addr)\":12345,\"top(dst_port)\":\"443:12 80:3\"}\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kTable), batch),
            "src_as  min(start_time)         max(protocol)  distinct(dst_addr)  top(dst_port)\n"
            "     1  2023-11-14T22:14:30.5Z  udp                        12,345  443:12 80:3\n");
}

TEST(PrintSinkTest, AMinimumOfNothingIsAbsent) {
  aggregate::AggregateBatch::Rows rows;
  rows.chunks.push_back(aggregate::NewChunk(32));
  std::memset(rows.chunks.back().get(), 0, 32);  // "has met a value": neither
  rows.size = rows.rows_per_chunk = 1;
  rows.stride = 32;
  rows.values_offset = 8;
  rows.seen_offset = 24;
  const base::Interner interner;
  const aggregate::AggregateBatch batch(
      std::make_shared<aggregate::Schema>(aggregate::Schema{
          record::Layout(std::vector<FieldId>{FieldId::kSrcAs}),
          {{FieldId::kBytes, Function::kMin, "min(bytes)"}, {FieldId::kEndTime, Function::kMax, "max(end_time)"}}}),
      &interner, {}, std::move(rows));
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), batch), "src_as,min(bytes),max(end_time)\n,,\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kJson), batch), "{}\n");
}

TEST(PrintSinkTest, SumsBeyond64BitsAreWhole) {
  auto batch = Talkers().Build();
  batch.set_carries({{0 * 64 + 1, 1}});  // row 0, column bytes: 2^64 + 1500
  EXPECT_TRUE(
      absl::StrContains(Printed(Of(PrintFormat::kCsv), batch), "\n192.0.2.1,443,tcp,2,18446744073709553116,1\n"));
  EXPECT_TRUE(absl::StrContains(Printed(Of(PrintFormat::kJson), batch), "\"bytes\":18446744073709553116,"));
  EXPECT_TRUE(absl::StrContains(Printed(Of(PrintFormat::kTable), batch), " 18,446,744,073,709,553,116 "));
}

TEST(PrintSinkTest, HostileTextStaysInItsCell) {
  const std::string hostile = std::string("a,b\"c\nd\x1b[2J\0\xff\xe2\x80\xae", 16);
  BatchBuilder builder({FieldId::kUserName, FieldId::kSrcAs}, {Sum(FieldId::kBytes)});
  MutableRow row = builder.Add({1});
  row.Set<FieldId::kUserName>(builder.interner().Intern(hostile));
  row.Set<FieldId::kSrcAs>(7);
  const auto batch = builder.Build();
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), batch),
            std::string("user_name,src_as,bytes\n\"a,b\"\"c\nd\x1b[2J\0�\xe2\x80\xae\",7,1\n", 49));
  EXPECT_EQ(Printed(Of(PrintFormat::kJson), batch),
            "{\"user_name\":\"a,b\\\"c\\nd\\u001b[2J\\u0000�\\u202e\",\"src_as\":7,\"bytes\":1}\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kTable), batch),
            "user_name                   src_as  bytes\n"
            "a,b\"c\\nd\\x1b[2J\\x00�\\u202e       7      1\n");
}

TEST(PrintSinkTest, WideCharactersKeepColumnsAligned) {
  BatchBuilder builder({FieldId::kUserName}, {Sum(FieldId::kBytes)});
  for (const char* name : {"漢字", "é", "abcde"}) {
    builder.Add({1}).Set<FieldId::kUserName>(builder.interner().Intern(absl::string_view(name)));
  }
  PrintOptions options = Of(PrintFormat::kTable);
  options.header = false;
  const std::string text = Printed(options, builder.Build());
  EXPECT_TRUE(absl::StrContains(text, "漢字               1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "é                  1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "abcde              1")) << text;
}

TEST(PrintSinkTest, QuotesWhatHoldsTheSeparator) {
  BatchBuilder builder({FieldId::kSrcCoords, FieldId::kAsPath}, {Sum(FieldId::kBytes)});
  MutableRow row = builder.Add({1});
  row.Set<FieldId::kSrcCoords>(0);
  row.Set<FieldId::kAsPath>(builder.interner().Intern(base::OctetWriter().U8(1).U8(2).U32(1).U32(2).octets()));
  const auto batch = builder.Build();
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), batch), "src_coords,as_path,bytes\n\"0,0\",\"{1,2}\",1\n");
  PrintOptions options = Of(PrintFormat::kCsv);
  options.separator = ';';
  options.header = false;
  EXPECT_EQ(Printed(options, batch), "0,0;{1,2};1\n");
}

TEST(PrintSinkTest, ManyRowsInSeveralChunksAndWrites) {
  BatchBuilder builder({FieldId::kSrcAs}, {Sum(FieldId::kBytes)});
  std::string expected = "src_as,bytes\n";
  for (uint32_t i = 0; i < 40000; ++i) {
    builder.Add({i}).Set<FieldId::kSrcAs>(i);
    absl::StrAppend(&expected, i, ",", i, "\n");
  }
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), builder.Build()), expected);
}

TEST(PrintSinkTest, EmptyBatches) {
  BatchBuilder builder({FieldId::kSrcAs}, {Sum(FieldId::kBytes)});
  EXPECT_EQ(Printed(Of(PrintFormat::kTable), builder.Build()), "no traffic was accounted\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kCsv), builder.Build()), "src_as,bytes\n");
  EXPECT_EQ(Printed(Of(PrintFormat::kJson), builder.Build()), "");
}

TEST(PrintSinkTest, WordsOfTheCommandLine) {
  EXPECT_EQ(*PrintFormatFromName("JSON"), PrintFormat::kJson);
  EXPECT_EQ(*NamingFromName("pmacct"), Naming::kPmacct);
  EXPECT_EQ(PrintFormatFromName("jsn").status().message(), "no format is called \"jsn\"; did you mean json?");
  EXPECT_EQ(NamingFromName("xyzzy").status().message(),
            "no naming is called \"xyzzy\"; choose one of flowacct, ipfix, pmacct");
  PrintOptions options;
  for (const char separator : {'a', '0', '.', ':', ' ', '"', '\n', '\0', '-'}) {
    options.separator = separator;
    EXPECT_EQ(NewPrintSink(options).status().code(), absl::StatusCode::kInvalidArgument) << separator;
  }
  options = {};
  options.order = "src_as";
  const auto sink = NewPrintSink(options);
  ASSERT_TRUE(sink.ok());
  EXPECT_EQ((*sink)->Write(Talkers().Build()).message(),
            "cannot order by \"src_as\", which is not summed up; choose one of packets, bytes, flows");
}

class PrintFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "/print_", getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_EQ(mkdir(folder_.c_str(), 0777), 0);
  }
  PrintOptions To(const std::string& name) {
    PrintOptions options = Of(PrintFormat::kCsv);
    options.path = absl::StrCat(folder_, "/", name);
    return options;
  }
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    DIR* folder = opendir(folder_.c_str());
    while (const dirent* entry = readdir(folder)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
  }
  static aggregate::AggregateBatch Batch(int64_t bin_start_seconds = 0) {
    BatchBuilder builder({FieldId::kSrcAs}, {Sum(FieldId::kBytes)});
    builder.Add({10}).Set<FieldId::kSrcAs>(64496);
    // No interned value is in the batch, so that the builder may go.
    if (bin_start_seconds == 0) return builder.Build();
    return builder.Build({bin_start_seconds * kNanos, (bin_start_seconds + 300) * kNanos});
  }
  std::string folder_;
};

TEST_F(PrintFileTest, OneFileAppearsWholeAtTheEnd) {
  const PrintOptions options = To("out.csv");
  std::ofstream(options.path) << "old";
  auto sink = *NewPrintSink(options);
  ASSERT_TRUE(sink->Write(Batch()).ok());
  ASSERT_TRUE(sink->Write(Batch()).ok());
  EXPECT_EQ(Contents(options.path), "old");
  EXPECT_EQ(Files().size(), 2u);
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Contents(options.path), "src_as,bytes\n64496,10\n64496,10\n");
  EXPECT_EQ(Files(), std::vector<std::string>{"out.csv"});
}

TEST_F(PrintFileTest, WithoutCloseNothingIsLeft) {
  {
    auto sink = *NewPrintSink(To("out.csv"));
    ASSERT_TRUE(sink->Write(Batch()).ok());
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(PrintFileTest, NoBatchesMakeAnEmptyFile) {
  auto sink = *NewPrintSink(To("out.csv"));
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Files(), std::vector<std::string>{"out.csv"});
}

TEST_F(PrintFileTest, OneFileABin) {
  auto sink = *NewPrintSink(To("%Y%m%d-%H%M.csv"));
  ASSERT_TRUE(sink->Write(Batch(1700000100)).ok());
  ASSERT_TRUE(sink->Write(Batch(1700000400)).ok());
  EXPECT_EQ(Contents(folder_ + "/20231114-2215.csv"),
            "bin_start,bin_end,src_as,bytes\n2023-11-14T22:15:00Z,2023-11-14T22:20:00Z,64496,10\n");
  // A bin that comes again, late, takes nothing away.
  ASSERT_TRUE(sink->Write(Batch(1700000100)).ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Contents(folder_ + "/20231114-2215.csv"),
            "bin_start,bin_end,src_as,bytes\n"
            "2023-11-14T22:15:00Z,2023-11-14T22:20:00Z,64496,10\n"
            "2023-11-14T22:15:00Z,2023-11-14T22:20:00Z,64496,10\n");
  EXPECT_EQ(Files(), (std::vector<std::string>{"20231114-2215.csv", "20231114-2220.csv"}));
}

TEST_F(PrintFileTest, LiveBatchesAreInTheirFilesAtOnceAndWhatIsThereStays) {
  PrintOptions pattern = To("%Y%m%d-%H%M.csv"), one = To("all.csv");
  pattern.live = one.live = true;
  for (int restart = 0; restart < 2; ++restart) {
    auto files = *NewPrintSink(pattern), file = *NewPrintSink(one);
    ASSERT_TRUE(files->Write(Batch(1700000100)).ok());
    ASSERT_TRUE(file->Write(Batch(1700000100)).ok());
    std::string rows = "bin_start,bin_end,src_as,bytes\n";
    for (int i = 0; i <= restart; ++i) rows += "2023-11-14T22:15:00Z,2023-11-14T22:20:00Z,64496,10\n";
    EXPECT_EQ(Contents(folder_ + "/20231114-2215.csv"), rows);
    EXPECT_EQ(Contents(folder_ + "/all.csv"), rows);
    EXPECT_EQ(Files(), (std::vector<std::string>{"20231114-2215.csv", "all.csv"})) << "no part is left";
    EXPECT_TRUE(files->Close().ok());
    EXPECT_TRUE(file->Close().ok());
    EXPECT_EQ(Contents(folder_ + "/all.csv"), rows);
  }
}

TEST_F(PrintFileTest, APatternNeedsBins) {
  auto sink = *NewPrintSink(To("%H.csv"));
  const absl::Status status = sink->Write(Batch());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "ask for some (--every 5m)")) << status;
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_TRUE(Files().empty());
}

TEST_F(PrintFileTest, SymbolicLinksAreFollowed) {
  const PrintOptions options = To("link.csv");
  std::ofstream(folder_ + "/target.csv") << "old";
  ASSERT_EQ(symlink("target.csv", options.path.c_str()), 0);
  auto sink = *NewPrintSink(options);
  ASSERT_TRUE(sink->Write(Batch()).ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Contents(folder_ + "/target.csv"), "src_as,bytes\n64496,10\n");
  EXPECT_EQ(Files(), (std::vector<std::string>{"link.csv", "target.csv"}));
}

TEST_F(PrintFileTest, AFullDiskIsToldAndLeavesTheDevice) {
  for (const PrintFormat format : {PrintFormat::kCsv, PrintFormat::kJson, PrintFormat::kTable}) {
    PrintOptions options = Of(format);
    options.path = "/dev/full";
    auto sink = *NewPrintSink(options);
    const absl::Status status = sink->Write(Batch());
    EXPECT_EQ(status.message(),
              "cannot write /dev/full: No space left on device; free some space, or choose another path");
    struct stat info = {};
    ASSERT_EQ(stat("/dev/full", &info), 0);
    EXPECT_TRUE(S_ISCHR(info.st_mode));
  }
}

TEST_F(PrintFileTest, AFullStreamIsTold) {
  PrintOptions options = Of(PrintFormat::kCsv);
  options.stream = std::fopen("/dev/full", "w");
  ASSERT_NE(options.stream, nullptr);
  auto sink = *NewPrintSink(options);
  EXPECT_TRUE(absl::StrContains(sink->Write(Batch()).message(), "No space left on device"));
  std::fclose(options.stream);
}

TEST_F(PrintFileTest, PathsThatCannotBeWritten) {
  PrintOptions options = To("missing/out.csv");
  EXPECT_EQ((*NewPrintSink(options))->Write(Batch()).message(),
            absl::StrCat("cannot write ", options.path,
                         ": No such file or directory; create the folder first, or choose another path"));
  options.path = folder_;
  EXPECT_TRUE(absl::StrContains((*NewPrintSink(options))->Write(Batch()).message(), "Is a directory"));
  EXPECT_TRUE(Files().empty());
}

}  // namespace
}  // namespace flowacct::sink
