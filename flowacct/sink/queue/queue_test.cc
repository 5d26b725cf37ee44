#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/sink/print/batch_builder.h"
#include "flowacct/sink/queue/batch_messages.h"
#include "flowacct/sink/queue/batch_part.h"
#include "flowacct/sink/queue/secret.h"
#include "gtest/gtest.h"

namespace flowacct::sink::queue {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using message::RecordFormat;
using print::BatchBuilder;
using record::FieldId;

BatchBuilder Flows(int rows) {
  BatchBuilder builder({FieldId::kDstPort, FieldId::kProtocol}, {{FieldId::kBytes, Function::kSum, ""}});
  for (int i = 0; i < rows; ++i) {
    auto row = builder.Add({static_cast<uint64_t>(i)});
    row.Set<FieldId::kDstPort>(static_cast<uint16_t>(i % 3));
    row.Set<FieldId::kProtocol>(6);
  }
  return builder;
}

struct Told {
  std::string address, key, octets, part;
  uint64_t rows;
};

std::vector<Told> Messages(const MessageOptions& options, const AggregateBatch& batch) {
  std::vector<Told> told;
  const absl::Status status = ForEachMessage("test", options, batch, [&](const Message& message) {
    told.push_back({std::string(message.address), std::string(message.key), std::string(message.octets),
                    std::string(message.part), message.rows});
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return told;
}

std::string Record(RecordFormat format, const AggregateBatch& batch, size_t row) {
  std::string record;
  message::NewRecordEncoder(format, &batch.schema())->Append(batch, row, &record);
  return record;
}

TEST(BatchPart, IsReadAsItWasWritten) {
  const BatchPart part = {{"edge 1/a%", "fl\xc3\xb6ws\n", 1699920000000000000, 17}, 3, 100, 25000};
  const std::string text = BatchPartText(part);
  EXPECT_EQ(text, "edge%201%2fa%25/fl%c3%b6ws%0a/1699920000000000000/17 3 100 25000");
  const std::optional<BatchPart> read = ParseBatchPart(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->batch, part.batch);
  EXPECT_EQ(read->part, 3u);
  EXPECT_EQ(read->rows, 100u);
  EXPECT_EQ(read->batch_rows, 25000u);
  for (const char* wrong : {"", "a/b/1/2", "a/b/1/2 3 4", "a/b/1/2 3 4 5 6", "a/b/x/2 3 4 5", "a/1/2 3 4 5",
                            "a%/b/1/2 3 4 5", "a%2/b/1/2 3 4 5", "a%zz/b/1/2 3 4 5", "a/b/1/2 3 4 -5"}) {
    EXPECT_FALSE(ParseBatchPart(wrong).has_value()) << wrong;
  }
  for (size_t length = 0; length < text.size(); ++length) {
    const std::optional<BatchPart> cut = ParseBatchPart(text.substr(0, length));
    EXPECT_TRUE(!cut.has_value() || cut->batch_rows < 25000) << length;
  }
}

TEST(BatchMessages, OneRecordEach) {
  AggregateBatch batch = Flows(3).Build();
  batch.set_identity({"edge", "flows", 7, 1});
  MessageOptions options;
  options.address = "{pipeline}.{dst_port}";
  options.key = "{protocol}-{dst_port}";
  options.format = RecordFormat::kJson;
  const std::vector<Told> told = Messages(options, batch);
  ASSERT_EQ(told.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(told[i].address, absl::StrCat("flows.", i));
    EXPECT_EQ(told[i].key, absl::StrCat("tcp-", i));
    EXPECT_EQ(told[i].octets, Record(RecordFormat::kJson, batch, i));
    EXPECT_EQ(told[i].part, absl::StrCat("edge/flows/7/1 ", i, " 1 3"));
  }
  batch.set_identity({});
  EXPECT_EQ(Messages(options, batch)[0].part, "");
  EXPECT_TRUE(Messages(options, Flows(0).Build()).empty());
}

// A varint of length before each record of Protocol Buffers.
TEST(BatchMessages, Delimits) {
  const AggregateBatch batch = Flows(2).Build();
  const std::string first = Record(RecordFormat::kProtobuf, batch, 0),
                    second = Record(RecordFormat::kProtobuf, batch, 1);
  ASSERT_LT(first.size(), 128u);
  const auto delimited = [](const std::string& record) {
    return std::string(1, static_cast<char>(record.size())) + record;
  };
  MessageOptions options;
  options.address = "t";
  EXPECT_EQ(Messages(options, batch)[1].octets, delimited(second));
  options.length_delimited = false;
  EXPECT_EQ(Messages(options, batch)[1].octets, second);
  options.records_per_message = 5;
  ASSERT_EQ(Messages(options, batch).size(), 1u);
  EXPECT_EQ(Messages(options, batch)[0].octets, delimited(first) + delimited(second));
  options.format = RecordFormat::kCsv;
  EXPECT_EQ(Messages(options, batch)[0].octets,
            Record(RecordFormat::kCsv, batch, 0) + "\n" + Record(RecordFormat::kCsv, batch, 1) + "\n");
}

// Each row in one message of its own address, whatever bound ends a message, and the same twice.
TEST(BatchMessages, Packs) {
  AggregateBatch batch = Flows(1000).Build();
  batch.set_identity({"edge", "flows", 7, 1});
  MessageOptions options;
  options.format = RecordFormat::kJson;
  for (const char* address : {"t", "t{dst_port}"}) {
    for (const size_t records : {2, 7, 100, 5000}) {
      for (const size_t max_octets : {1000, 100000}) {
        for (const size_t max_open : {500, 1000000}) {
          SCOPED_TRACE(absl::StrCat(address, " ", records, " ", max_octets, " ", max_open));
          options.address = address;
          options.records_per_message = records;
          options.max_message_octets = max_octets;
          options.max_open_octets = max_open;
          std::multiset<std::string> expected, seen;
          for (size_t row = 0; row < batch.size(); ++row) {
            const std::string to = options.address == "t" ? "t" : absl::StrCat("t", row % 3);
            expected.insert(absl::StrCat(to, " ", Record(RecordFormat::kJson, batch, row)));
          }
          uint64_t number = 0, most = 0;
          const std::vector<Told> told = Messages(options, batch), again = Messages(options, batch);
          for (const Told& message : told) {
            const std::optional<BatchPart> part = ParseBatchPart(message.part);
            ASSERT_TRUE(part.has_value());
            EXPECT_EQ(part->part, number);
            EXPECT_EQ(part->batch_rows, 1000u);
            EXPECT_LE(message.octets.size(), max_octets);
            uint64_t rows = 0;
            for (size_t from = 0; from < message.octets.size(); ++rows) {
              const size_t end = message.octets.find('\n', from);
              seen.insert(absl::StrCat(message.address, " ", message.octets.substr(from, end - from)));
              from = end + 1;
            }
            EXPECT_EQ(rows, message.rows);
            EXPECT_EQ(rows, part->rows);
            EXPECT_LE(rows, records);
            most = std::max(most, rows);
            EXPECT_EQ(message.part, again[number].part);
            EXPECT_EQ(message.octets, again[number].octets);
            ++number;
          }
          EXPECT_EQ(seen, expected);
          EXPECT_GT(most, 1u);
        }
      }
    }
  }
}

TEST(BatchMessages, TellsWhatIsWrong) {
  MessageOptions options;
  options.address = "t";
  EXPECT_TRUE(CheckMessageOptions("test", options, &Flows(1).Build().schema()).ok());
  const AggregateBatch batch = Flows(1).Build();
  options.key = "{src_as}";
  EXPECT_EQ(CheckMessageOptions("test", options, &batch.schema()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(CheckMessageOptions("test", options, nullptr).ok());
  // Kept, until the configuration is right.
  const auto none = [](const Message&) { return absl::OkStatus(); };
  EXPECT_EQ(ForEachMessage("test", options, batch, none).code(), absl::StatusCode::kFailedPrecondition);
  options.key = std::string(1000, 'k');
  options.max_message_octets = 1000;
  EXPECT_EQ(ForEachMessage("test", options, batch, none).code(), absl::StatusCode::kInvalidArgument);
  options.key = "";
  EXPECT_EQ(ForEachMessage("test", options, batch, [](const Message&) { return absl::AbortedError("so"); }).message(),
            "so");
  options.records_per_message = 0;
  EXPECT_FALSE(CheckMessageOptions("test", options, nullptr).ok());
}

TEST(Secret, ComesFromAFileOrTheEnvironment) {
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/secret");
  std::ofstream(path) << "open sesame \r\nnot this\n";
  setenv("FLOWACCT_TEST_SECRET", "another", 1);
  EXPECT_EQ(*ReadSecret({path, ""}, "kafka: password"), "open sesame ");
  EXPECT_EQ(*ReadSecret({"", "FLOWACCT_TEST_SECRET"}, "kafka: password"), "another");
  EXPECT_EQ(*ReadSecret({}, "kafka: password"), "");
  EXPECT_EQ(ReadSecret({path, "FLOWACCT_TEST_SECRET"}, "").status().code(), absl::StatusCode::kInvalidArgument);
  for (const Secret& secret : {Secret{path + ".not", ""}, Secret{"", "FLOWACCT_TEST_NO_SECRET"}}) {
    const absl::Status status = ReadSecret(secret, "kafka: password").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(absl::StartsWith(status.message(), "kafka: password: ")) << status;
  }
}

}  // namespace
}  // namespace flowacct::sink::queue
