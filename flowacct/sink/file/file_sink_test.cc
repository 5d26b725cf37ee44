#include "flowacct/sink/file/file_sink.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/message/record_decoder.h"
#include "flowacct/message/testing/message_batch.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/sink/print/print_sink.h"
#include "gtest/gtest.h"

namespace flowacct::sink::file {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using message::MessageBatch;
using message::RecordFormat;
using message::SumOf;
using record::FieldId;

constexpr int64_t kNanos = 1000000000;
constexpr int64_t kHour = 1700002800;  // 2023-11-14T23:00:00Z

std::string Scratch() {
  static int number = 0;
  const char* const folder = std::getenv("TEST_TMPDIR");
  const std::string path = absl::StrCat(folder != nullptr ? folder : "/tmp", "/files_", getpid(), "_", ++number);
  std::filesystem::remove_all(path);
  return path;
}

aggregate::TimeBin Bin(int64_t start, int64_t seconds = 300) { return {start * kNanos, (start + seconds) * kNanos}; }

// `rows` rows with one packet and 100 octets each.
AggregateBatch Batch(int64_t start, uint64_t number, int rows = 3, absl::string_view pipeline = "flows") {
  MessageBatch builder({FieldId::kDstPort}, {SumOf(FieldId::kPackets), SumOf(FieldId::kBytes)});
  for (int i = 0; i < rows; ++i) builder.Add({1, 100}).Set<FieldId::kDstPort>(static_cast<uint16_t>(i));
  AggregateBatch batch = builder.Build(Bin(start));
  batch.set_identity({"edge", std::string(pipeline), 7, number});
  return batch;
}

FileOptions Options(const std::string& folder, RecordFormat format = RecordFormat::kJson) {
  FileOptions options;
  options.folder = folder;
  options.format = format;
  return options;
}

std::unique_ptr<FileSink> Open(const FileOptions& options) {
  absl::StatusOr<std::unique_ptr<FileSink>> sink = NewFileSink(options);
  EXPECT_TRUE(sink.ok()) << sink.status();
  return sink.ok() ? *std::move(sink) : nullptr;
}

std::string Output(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "no pipe";
  std::string out;
  char buffer[65536];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) out.append(buffer, n);
  if (const int code = pclose(pipe); code != 0) absl::StrAppend(&out, "\nexit ", code);
  return out;
}

std::string Unpacked(const std::string& path) { return Output("zstd -dc '" + path + "'"); }

// Finished files below the folder, by their names, without parts.
std::vector<std::string> Files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().string().substr(folder.size() + 1);
    if (entry.is_regular_file() && !absl::StartsWith(name, ".parts/")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Parts(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/.parts")) {
    names.insert(entry.path().filename().string());
  }
  names.erase("lock");
  return absl::StrJoin(names, " ");
}

// How many lines of each bin all files have.
std::map<std::string, int> LinesOfBins(const std::string& folder) {
  std::map<std::string, int> lines;
  for (const std::string& file : Files(folder)) {
    const std::string text = Unpacked(folder + "/" + file);
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      ++lines[std::string(line.substr(0, line.find(',')))];
    }
  }
  return lines;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(FileSink, AFileAnHourAppearsWhole) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder));
  for (uint64_t i = 0; i < 14; ++i) {
    ASSERT_TRUE(sink->Write(Batch(kHour + static_cast<int64_t>(i) * 300, i + 1)).ok());
    // The second bin of the next hour ends ten minutes after the hour's last.
    EXPECT_EQ(Files(folder).size(), i < 13 ? 0u : 1u) << i;
  }
  EXPECT_EQ(Parts(folder), "flows%2F2023%2F11%2F15%2F00.json.zst");
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_FALSE(sink->Write(Batch(kHour, 99)).ok());
  EXPECT_EQ(Files(folder), (std::vector<std::string>{"flows/2023/11/14/23.json.zst", "flows/2023/11/15/00.json.zst"}));
  EXPECT_EQ(Parts(folder), "");
  EXPECT_EQ(sink->counters().rows, 42u);
  EXPECT_EQ(sink->counters().files_finished, 2u);
  std::string expected;
  for (int i = 0; i < 3; ++i) {
    absl::StrAppend(&expected, R"({"bin_start":"2023-11-15T00:00:00Z","bin_end":"2023-11-15T00:05:00Z","dst_port":)", i,
                    R"(,"packets":1,"bytes":100})", "\n");
  }
  EXPECT_TRUE(absl::StartsWith(Unpacked(folder + "/flows/2023/11/15/00.json.zst"), expected));
  EXPECT_EQ(std::filesystem::file_size(folder + "/flows/2023/11/14/23.json.zst") +
                std::filesystem::file_size(folder + "/flows/2023/11/15/00.json.zst"),
            sink->counters().octets);
}

TEST(FileSink, ABatchWrittenTwiceCountsOnce) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.finish_at_close = false;
  {
    auto sink = Open(options);
    ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());
    ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());  // in the open part
    EXPECT_EQ(sink->counters().batches_skipped, 1u);
    ASSERT_TRUE(sink->Write(Batch(kHour, 1, 3, "other")).ok());  // another's
    ASSERT_TRUE(sink->Close().ok());
  }
  options.finish_at_close = true;
  {
    auto sink = Open(options);
    ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());  // in the part that was left
    EXPECT_EQ(sink->counters().batches_skipped, 1u);
    ASSERT_TRUE(sink->Close().ok());
  }
  auto sink = Open(options);
  ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());  // in the finished file
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
  ASSERT_TRUE(sink->Write(Batch(kHour, 2, 1)).ok());  // late
  ASSERT_TRUE(sink->Write(Batch(kHour, 0, 1)).ok());  // nobody said which it is
  ASSERT_TRUE(sink->Write(Batch(kHour, 0, 1)).ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Files(folder), (std::vector<std::string>{"flows/2023/11/14/23.2.json.zst", "flows/2023/11/14/23.json.zst",
                                                     "other/2023/11/14/23.json.zst"}));
  EXPECT_EQ(LinesOfBins(folder).begin()->second, 3 + 3 + 3);
}

// What the files hold is what sink/print prints of the same batch: names, values and order.
TEST(FileSink, TellsWhatPrintPrints) {
  std::mt19937_64 random(11);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 200; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(Bin(kHour));
  batch.set_overflow_row(17);
  for (const RecordFormat format : {RecordFormat::kJson, RecordFormat::kCsv}) {
    const std::string folder = Scratch();
    batch.set_correction(format == RecordFormat::kJson);
    auto sink = Open(Options(folder, format));
    ASSERT_TRUE(sink->Write(batch).ok());
    ASSERT_TRUE(sink->Close().ok());
    PrintOptions print_options;
    print_options.format = format == RecordFormat::kJson ? PrintFormat::kJson : PrintFormat::kCsv;
    print_options.path = folder + "/printed";
    auto print = NewPrintSink(print_options);
    ASSERT_TRUE(print.ok() && (*print)->Write(batch).ok() && (*print)->Close().ok());
    EXPECT_EQ(Unpacked(folder + "/" + Files(folder).front()), ReadFile(folder + "/printed"));
  }
}

// Python's json and csv read what zstd gives: as many rows, and the same sums.
TEST(FileSink, PythonReadsIt) {
  if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "python3 is not installed";
  std::mt19937_64 random(12);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 100; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(Bin(kHour));
  absl::uint128 sum = 0;
  for (size_t row = 0; row < batch.size(); ++row) sum += batch.wide_value(row, 1);
  const std::string expected =
      absl::StrCat("200 ", static_cast<uint64_t>(sum * 2 >> 64), " ", static_cast<uint64_t>(sum * 2), "\n");
  for (const RecordFormat format : {RecordFormat::kJson, RecordFormat::kCsv}) {
    const std::string folder = Scratch();
    auto sink = Open(Options(folder, format));
    for (uint64_t number = 1; number <= 2; ++number) {
      batch.set_identity({"edge", "flows", 7, number});
      ASSERT_TRUE(sink->Write(batch).ok());
    }
    ASSERT_TRUE(sink->Close().ok());
    std::ofstream(folder + "/read.py") << (format == RecordFormat::kJson ? R"(
import json, sys
rows = [json.loads(line) for line in open(0, encoding="utf-8", newline="\n")]
)"
                                                                         : R"(
import csv, sys
csv.field_size_limit(2**30)
rows = list(csv.DictReader(open(0, encoding="utf-8", newline="")))
)") << "total = sum(int(row['bytes']) for row in rows)\nprint(len(rows), total >> 64, total % 2**64)\n";
    // NUL is no text to some versions of Python's csv.
    EXPECT_EQ(Output("zstd -dc " + folder + "/flows/*/*/*/*.zst | tr -d '\\000' | python3 " + folder + "/read.py"),
              expected);
  }
}

TEST(FileSink, MessagesHaveTheirLengthBefore) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder, RecordFormat::kProtobuf));
  for (uint64_t number = 1; number <= 3; ++number) ASSERT_TRUE(sink->Write(Batch(kHour, number, 100)).ok());
  ASSERT_TRUE(sink->Close().ok());
  const std::string octets = Unpacked(folder + "/flows/2023/11/14/23.pb.zst");
  const record::Layout layout({FieldId::kDstPort, FieldId::kBytes});
  base::Interner interner;
  record::FlowBatch records(&layout, &interner);
  message::RecordDecoder decoder;
  message::WireReader reader(base::AsOctets(octets));
  uint64_t sum = 0;
  while (!reader.done()) {
    message::MessageFacts facts;
    ASSERT_TRUE(decoder.Decode(reader.Length(), &records, &facts).ok());
    EXPECT_EQ(facts.row, (records.size() - 1) % 100);
    EXPECT_EQ(facts.number, 1 + (records.size() - 1) / 100);
    sum += records.row(records.size() - 1).Get<FieldId::kBytes>();
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(records.size(), 300u);
  EXPECT_EQ(sum, 30000u);
}

TEST(FileSink, AHeaderAFile) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder, RecordFormat::kCsv));
  ASSERT_TRUE(sink->Write(Batch(kHour, 1, 1)).ok());
  ASSERT_TRUE(sink->Write(Batch(kHour, 2, 1)).ok());
  // Other columns need another file.
  MessageBatch builder({FieldId::kSrcPort}, {SumOf(FieldId::kBytes)});
  builder.Add({5}).Set<FieldId::kSrcPort>(53);
  AggregateBatch other = builder.Build(Bin(kHour));
  other.set_identity({"edge", "flows", 7, 3});
  ASSERT_TRUE(sink->Write(other).ok());
  ASSERT_TRUE(sink->Close().ok());
  const std::string bin = "2023-11-14T23:00:00Z,2023-11-14T23:05:00Z,";
  EXPECT_EQ(Unpacked(folder + "/flows/2023/11/14/23.csv.zst"),
            "bin_start,bin_end,dst_port,packets,bytes\n" + bin + "0,1,100\n" + bin + "0,1,100\n");
  EXPECT_EQ(Unpacked(folder + "/flows/2023/11/14/23.2.csv.zst"), "bin_start,bin_end,src_port,bytes\n" + bin + "53,5\n");
}

// A part that is cut anywhere is a part with fewer batches, and the rest can be written again.
TEST(FileSink, CutAtEachOctet) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.finish_at_close = false;
  std::vector<uint64_t> ends;
  {
    auto sink = Open(options);
    for (uint64_t number = 1; number <= 3; ++number) {
      ASSERT_TRUE(sink->Write(Batch(kHour, number)).ok());
      ends.push_back(sink->counters().octets);
    }
  }
  const std::string part = folder + "/.parts/flows%2F2023%2F11%2F14%2F23.json.zst";
  const std::string octets = ReadFile(part);
  ASSERT_EQ(octets.size(), ends.back());
  for (size_t size = 0; size <= octets.size(); ++size) {
    std::ofstream(part, std::ios::binary | std::ios::trunc) << octets.substr(0, size);
    const uint64_t whole =
        static_cast<uint64_t>(std::count_if(ends.begin(), ends.end(), [&](uint64_t end) { return end <= size; }));
    auto sink = Open(options);
    ASSERT_NE(sink, nullptr);
    EXPECT_EQ(sink->counters().batches_cut, size == 0 || (whole > 0 && ends[whole - 1] == size) ? 0u : 1u) << size;
    EXPECT_EQ(sink->counters().octets_damaged, 0u) << size;
    for (uint64_t number = 1; number <= 3; ++number) ASSERT_TRUE(sink->Write(Batch(kHour, number)).ok());
    EXPECT_EQ(sink->counters().batches_skipped, whole) << size;
    sink.reset();
    ASSERT_EQ(ReadFile(part), octets) << size;
  }
}

// The machine lost its power: what was not synced may be anything.
TEST(FileSink, ALastBatchThatIsNotWholeIsCut) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.finish_at_close = false;
  uint64_t first_end = 0;
  {
    auto sink = Open(options);
    ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());
    first_end = sink->counters().octets;
    ASSERT_TRUE(sink->Write(Batch(kHour, 2)).ok());
  }
  const std::string part = folder + "/.parts/flows%2F2023%2F11%2F14%2F23.json.zst";
  const std::string octets = ReadFile(part);
  for (const size_t from : {first_end, first_end + 40, octets.size() - 60, octets.size() - 4}) {
    for (const char octet : {'\0', '\x55'}) {
      std::string broken = octets;
      std::fill(broken.begin() + static_cast<ptrdiff_t>(from), broken.end(), octet);
      std::ofstream(part, std::ios::binary | std::ios::trunc) << broken;
      auto sink = Open(options);
      ASSERT_NE(sink, nullptr);
      for (uint64_t number = 1; number <= 2; ++number) ASSERT_TRUE(sink->Write(Batch(kHour, number)).ok());
      EXPECT_EQ(sink->counters().batches_skipped, 1u) << from;
      sink.reset();
      EXPECT_EQ(ReadFile(part), octets) << from;
    }
  }
}

// A flipped octet in the middle costs what lies behind it, which is set aside and told; nothing is thrown away.
TEST(FileSink, DamageIsSetAsideAndTold) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.finish_at_close = false;
  {
    auto sink = Open(options);
    for (uint64_t number = 1; number <= 3; ++number) ASSERT_TRUE(sink->Write(Batch(kHour, number)).ok());
  }
  const std::string part = folder + "/.parts/flows%2F2023%2F11%2F14%2F23.json.zst";
  std::string octets = ReadFile(part);
  const size_t second = octets.find(
      "flowacct\x0a"
      "file batch",
      20);
  ASSERT_NE(second, std::string::npos);
  octets[second + 40] ^= 1;
  std::ofstream(part, std::ios::binary | std::ios::trunc) << octets;
  auto sink = Open(options);
  const size_t damaged = octets.size() - (second - 8);
  EXPECT_EQ(sink->counters().octets_damaged, damaged);
  EXPECT_NE(sink->trouble().find(part + ".damaged"), std::string::npos) << sink->trouble();
  EXPECT_EQ(ReadFile(part + ".damaged"), octets.substr(octets.size() - damaged));
  for (uint64_t number = 1; number <= 3; ++number) ASSERT_TRUE(sink->Write(Batch(kHour, number)).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);
}

// Nothing that Write answered OK to is lost, nothing is there twice, no file is cut, whenever the writer dies.
TEST(FileSink, Killed50Times) {
  const std::string folder = Scratch();
  std::mt19937 random(7);
  FileOptions options = Options(folder);
  options.finish_after = absl::ZeroDuration();  // a file is finished every twelve batches
  const auto batch = [](uint64_t number) { return Batch(kHour + static_cast<int64_t>(number) * 300, number, 200); };
  uint64_t answered = 0;
  for (int kill_number = 0; kill_number < 50; ++kill_number) {
    int answers[2];
    ASSERT_EQ(pipe(answers), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(answers[0]);
      auto sink = NewFileSink(options);
      if (!sink.ok()) _exit(1);
      // Some that are there already, as a spool would.
      for (uint64_t number = answered > 30 ? answered - 30 : 1;; ++number) {
        if (!(*sink)->Write(batch(number)).ok()) _exit(2);
        if (write(answers[1], &number, sizeof(number)) != sizeof(number)) _exit(3);
      }
    }
    close(answers[1]);
    usleep(1000 + random() % 40000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself with " << WEXITSTATUS(state);
    for (uint64_t number; read(answers[0], &number, sizeof(number)) == sizeof(number);) {
      answered = std::max(answered, number);
    }
    close(answers[0]);
    for (const std::string& file : Files(folder)) {
      if (kill_number % 10 == 9) {
        ASSERT_EQ(Output("zstd -qt " + folder + "/" + file), "") << file;
      }
    }
  }
  ASSERT_GT(answered, 50u);
  auto sink = Open(options);
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counters().octets_damaged, 0u);
  EXPECT_EQ(Parts(folder), "");
  const std::map<std::string, int> lines = LinesOfBins(folder);
  // One more may be there of which nobody read the answer.
  EXPECT_GE(lines.size(), answered);
  EXPECT_LE(lines.size(), answered + 1);
  for (const auto& [bin, count] : lines) EXPECT_EQ(count, 200) << bin;
}

// A limit of file sizes is met as a full disk is: in the middle of a batch.
TEST(FileSink, AFullDiskKeepsNothingOfTheBatch) {
  const std::string folder = Scratch();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::filesystem::create_directory(folder);
    const bool mounted = unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", folder.c_str(), "tmpfs", 0, "size=256k") == 0;
    if (!mounted) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{200 << 10, 200 << 10};
      if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    }
    // Random values, so that nothing compresses them away.
    std::mt19937_64 random(13);
    const auto large = [&](uint64_t number) {
      MessageBatch builder({FieldId::kTag}, {SumOf(FieldId::kBytes)});
      for (int i = 0; i < 4000; ++i) builder.Add({random()}).Set<FieldId::kTag>(random());
      AggregateBatch batch = builder.Build(Bin(kHour));
      batch.set_identity({"edge", "flows", 7, number});
      return batch;
    };
    auto sink = NewFileSink(Options(folder));
    if (!sink.ok()) _exit(3);
    uint64_t kept = 0, refused = 0;
    for (uint64_t number = 1; number <= 5; ++number) {
      const absl::Status status = (*sink)->Write(large(number));
      if (status.ok()) {
        ++kept;
      } else if (absl::IsResourceExhausted(status) && absl::StrContains(status.message(), folder)) {
        ++refused;
      } else {
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
        _exit(4);
      }
    }
    // What is smaller fits still, and is not written behind a half batch.
    if (!(*sink)->Write(Batch(kHour, 99, 5)).ok()) _exit(5);
    if (!(*sink)->Close().ok()) _exit(6);
    if (kept == 0 || refused == 0) _exit(7);
    const std::string text = Unpacked(folder + "/flows/2023/11/14/23.json.zst");
    const uint64_t lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    _exit(lines == kept * 4000 + 5 ? 0 : 8);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFEXITED(state));
  EXPECT_EQ(WEXITSTATUS(state), 0);
}

TEST(FileSink, HostileNamesStayInTheFolder) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.name = "{collector}/{pipeline}-{time:%H}";
  auto sink = Open(options);
  const std::string names[] = {
      "../../etc/passwd",    "/etc/passwd", "..",       ".hidden",   "a\nb", std::string("a\0b", 3), "",
      std::string(500, 'x'), "\xff\xfe",    "%2F..%2F", "a b;rm -rf"};
  uint64_t number = 0;
  for (const std::string& name : names) {
    AggregateBatch batch = Batch(kHour, ++number);
    batch.set_identity({name, name, 7, number});
    ASSERT_TRUE(sink->Write(batch).ok()) << name;
  }
  // A name that is no name at all is refused before it is written.
  AggregateBatch batch = Batch(kHour, ++number);
  batch.set_identity({std::string(70000, 'x'), "p", 7, number});
  EXPECT_TRUE(absl::IsInvalidArgument(sink->Write(batch)));
  ASSERT_TRUE(sink->Close().ok());
  for (const std::string& file : Files(folder)) {
    for (const char c : file) EXPECT_TRUE(absl::ascii_isalnum(c) || absl::StrContains("._-/", c)) << file;
    EXPECT_EQ(std::count(file.begin(), file.end(), '/'), 1) << file;
    EXPECT_FALSE(absl::StrContains(file, "..") && absl::StartsWith(file, ".")) << file;
  }
  EXPECT_EQ(LinesOfBins(folder).begin()->second, 3 * 11);
  EXPECT_EQ(Files(folder)[0], "_._.._etc_passwd/_._.._etc_passwd-23.json.zst");
}

TEST(FileSink, RetentionByAge) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  absl::Time now = absl::Now();
  options.now = [&now] { return now; };
  options.retention = absl::Hours(48);
  auto sink = Open(options);
  ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());
  ASSERT_TRUE(sink->Write(Batch(kHour + 7200, 2)).ok());
  // Of others, however old; and what only looks like ours.
  std::ofstream(folder + "/notes.txt") << "keep";
  std::ofstream(folder + "/flows/old.json.zst") << "keep";
  std::filesystem::create_symlink(folder + "/flows/2023/11/14/23.json.zst", folder + "/link.json.zst");
  ASSERT_EQ(Files(folder).size(), 4u);
  now += absl::Hours(47);
  ASSERT_TRUE(sink->Retain().ok());
  EXPECT_EQ(sink->counters().files_removed, 0u);
  now += absl::Hours(2);
  ASSERT_TRUE(sink->Write(Batch(kHour + 7200, 3)).ok());  // Write sees to it now and then
  EXPECT_EQ(sink->counters().files_removed, 1u);
  EXPECT_FALSE(std::filesystem::exists(folder + "/flows/2023"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/notes.txt"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/flows/old.json.zst"));
  EXPECT_NE(Parts(folder), "");  // what is not finished is not old
}

TEST(FileSink, RetentionBySize) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  uint64_t octets = 0;
  {
    auto sink = Open(options);
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(sink->Write(Batch(kHour + i * 3600, static_cast<uint64_t>(i) + 1)).ok());
    ASSERT_TRUE(sink->Close().ok());
    octets = sink->counters().octets;
  }
  ASSERT_EQ(Files(folder).size(), 6u);
  options.max_total_octets = octets - 1;
  { EXPECT_EQ(Open(options)->counters().files_removed, 1u); }
  options.max_total_octets = octets / 2;
  { EXPECT_EQ(Open(options)->counters().files_removed, 2u); }
  EXPECT_EQ(Files(folder), (std::vector<std::string>{"flows/2023/11/15/02.json.zst", "flows/2023/11/15/03.json.zst",
                                                     "flows/2023/11/15/04.json.zst"}));
}

TEST(FileSink, BoundsOfOpenFilesAndSizes) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder);
  options.max_open_files = 2;
  options.finish_after = absl::Hours(100);
  {
    auto sink = Open(options);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(sink->Write(Batch(kHour + i * 3600, static_cast<uint64_t>(i) + 1)).ok());
    EXPECT_EQ(Files(folder).size(), 2u);
    EXPECT_EQ(Parts(folder), "flows%2F2023%2F11%2F15%2F01.json.zst flows%2F2023%2F11%2F15%2F02.json.zst");
  }
  options.max_open_files = 1;  // as many as were left are too many
  options.max_file_octets = 1;
  auto sink = Open(options);
  EXPECT_EQ(Files(folder).size(), 3u);
  ASSERT_TRUE(sink->Write(Batch(kHour + 3 * 3600, 5)).ok());
  ASSERT_TRUE(sink->Write(Batch(kHour + 3 * 3600, 4)).ok());
  EXPECT_EQ(sink->counters().batches_skipped, 1u);  // also if its file is finished meanwhile
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Files(folder).size(), 5u);
  EXPECT_EQ(Parts(folder), "");
}

// A bin of a wrong clock ends the files that are open, and no others.
TEST(FileSink, AWildBinIsNoEnd) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder));
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(sink->Write(Batch(kHour + i * 300, static_cast<uint64_t>(i) + 1)).ok());
    if (i == 2) {
      ASSERT_TRUE(sink->Write(Batch(4000000000, 100)).ok());
    }
  }
  EXPECT_EQ(Files(folder), std::vector<std::string>{"flows/2023/11/14/23.json.zst"});
}

TEST(FileSink, WhatCannotBeFinishedIsTroubleAndTriedAgain) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder));
  ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());
  std::ofstream(folder + "/flows") << "a file where a folder should be";
  ASSERT_TRUE(sink->Write(Batch(kHour + 7200, 2)).ok());
  EXPECT_NE(sink->trouble().find(folder + "/flows"), std::string::npos) << sink->trouble();
  EXPECT_FALSE(sink->Close().ok());
  std::filesystem::remove(folder + "/flows");
  ASSERT_TRUE(sink->Write(Batch(kHour + 7200, 3)).ok());
  EXPECT_EQ(sink->trouble(), "");
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(Files(folder).size(), 2u);
}

TEST(FileSink, OneSinkAFolder) {
  const std::string folder = Scratch();
  auto sink = Open(Options(folder));
  const auto second = NewFileSink(Options(folder));
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_NE(second.status().message().find(folder), absl::string_view::npos);
}

// A part of another format, and what is none at all.
TEST(FileSink, WhatOthersLeft) {
  const std::string folder = Scratch();
  FileOptions options = Options(folder, RecordFormat::kCsv);
  options.finish_at_close = false;
  {
    auto sink = Open(options);
    ASSERT_TRUE(sink->Write(Batch(kHour, 1)).ok());
  }
  std::ofstream(folder + "/.parts/..%2Fescape.json.zst") << "";
  auto sink = Open(Options(folder));
  EXPECT_EQ(Files(folder), std::vector<std::string>{"flows/2023/11/14/23.csv.zst"});
  EXPECT_EQ(Parts(folder), "..%2Fescape.json.zst");
  EXPECT_NE(sink->trouble().find("escape"), std::string::npos);
}

struct Wrong {
  const char* name;
  const char* message;
};

TEST(FileSink, WrongOptions) {
  const std::string folder = Scratch();
  const Wrong wrongs[] = {
      {"", "is not below the folder"},
      {"/etc/{pipeline}", "is not below the folder"},
      {"a//b", "is not below the folder"},
      {"a/", "is not below the folder"},
      {"../{pipeline}", "may begin with a dot"},
      {"a/./b", "may begin with a dot"},
      {".hidden", "may begin with a dot"},
      {"{src_addr}", "a file name knows {time:"},
      {"{time:}", "tells no format"},
      {"{time:%Y", "is not closed"},
  };
  for (const Wrong& wrong : wrongs) {
    FileOptions options = Options(folder);
    options.name = wrong.name;
    const auto sink = NewFileSink(options);
    EXPECT_TRUE(absl::IsInvalidArgument(sink.status())) << wrong.name;
    EXPECT_NE(sink.status().message().find(wrong.message), absl::string_view::npos) << sink.status();
  }
  FileOptions options = Options(folder);
  options.name = std::string(300, 'n');
  EXPECT_TRUE(absl::IsInvalidArgument(NewFileSink(options).status()));
  options = Options("");
  EXPECT_TRUE(absl::IsInvalidArgument(NewFileSink(options).status()));
  options = Options(folder, RecordFormat::kAvro);
  EXPECT_TRUE(absl::IsInvalidArgument(NewFileSink(options).status()));
  options = Options(folder);
  options.compression_level = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(NewFileSink(options).status()));
  options = Options("/proc/nowhere");
  EXPECT_FALSE(NewFileSink(options).ok());
  EXPECT_FALSE(std::filesystem::exists(folder));  // nothing is made of what is refused
}

}  // namespace
}  // namespace flowacct::sink::file
