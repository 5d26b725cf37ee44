// What needs no cluster: texts, which parts count, and messages taken apart.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/base/interner.h"
#include "flowacct/collector/kafka/batch_parts.h"
#include "flowacct/collector/kafka/kafka_datagram.h"
#include "flowacct/collector/kafka/kafka_position.h"
#include "flowacct/collector/kafka/record_messages.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/queue/batch_messages.h"
#include "flowacct/sink/queue/testing/numbered_batch.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using base::DecodeCode;
using record::FieldId;
using sink::queue::BatchPart;
using sink::queue::NumberedBatch;

BatchPart Part(uint64_t number, uint64_t part, uint64_t rows = 1, uint64_t batch_rows = 3) {
  return {{"edge", "flows", 7, number}, part, rows, batch_rows};
}

TEST(BatchParts, EachCountsOnce) {
  BatchParts parts;
  EXPECT_TRUE(parts.Take(Part(1, 0)));
  EXPECT_FALSE(parts.Take(Part(1, 0)));
  EXPECT_TRUE(parts.Take(Part(2, 0)));
  EXPECT_TRUE(parts.Take(Part(1, 2)));
  EXPECT_EQ(parts.parts(), 3u);
  EXPECT_TRUE(parts.Take(Part(1, 1)));
  EXPECT_EQ(parts.parts(), 1u);  // the first batch is whole, and takes no room for its parts
  // What is said to be of a whole batch does not count, whatever it is.
  EXPECT_FALSE(parts.Take(Part(1, 1)));
  EXPECT_FALSE(parts.Take(Part(1, 3)));
  // Another collector's, pipeline's or run's.
  for (const BatchPart& other :
       {BatchPart{{"edge2", "flows", 7, 1}, 0, 1, 3}, BatchPart{{"edge", "other", 7, 1}, 0, 1, 3},
        BatchPart{{"edge", "flows", 8, 1}, 0, 1, 3}}) {
    EXPECT_TRUE(parts.Take(other));
  }
}

TEST(BatchParts, AreBounded) {
  BatchPartsOptions options;
  options.max_batches = 10;
  options.max_parts = 100;
  BatchParts parts(options);
  for (uint64_t number = 0; number < 50; ++number) EXPECT_TRUE(parts.Take(Part(number, 0)));
  EXPECT_EQ(parts.batches(), 10u);
  EXPECT_EQ(parts.forgotten(), 40u);
  EXPECT_TRUE(parts.Take(Part(0, 0)));  // long forgotten
  EXPECT_FALSE(parts.Take(Part(49, 0)));
  for (uint64_t part = 0; part < 1000; ++part) parts.Take(Part(60 + part / 50, part, 1, 1000000));
  EXPECT_LE(parts.parts(), 100u);
}

TEST(KafkaPosition, IsReadAsItWasWritten) {
  KafkaPosition position;
  position.next = {{{"a.b-c_d", 3}, 17}, {{"a.b-c_d", 11}, 9223372036854775807}, {{"z", 0}, 0}};
  EXPECT_EQ(position.ToText(), "a.b-c_d 3 17\na.b-c_d 11 9223372036854775807\nz 0 0\n");
  EXPECT_EQ(KafkaPosition::Parse(position.ToText()), position);
  EXPECT_EQ(KafkaPosition::Parse(""), KafkaPosition());
  for (const char* wrong : {"a 3 17", "a 3\n", "a 3 17 4\n", " 3 17\n", "a -1 17\n", "a 3 -1\n", "a x 1\n",
                            "a 3 9223372036854775808\n", "a 1 1\na 1 2\n"}) {
    EXPECT_FALSE(KafkaPosition::Parse(wrong).has_value()) << wrong;
  }
}

TEST(Exporter, IsReadInAllItsForms) {
  const struct {
    std::string text;
    std::string expected;
  } cases[] = {
      {"192.0.2.1", "192.0.2.1:0"},
      {"192.0.2.1:2055", "192.0.2.1:2055"},
      {"2001:db8::1", "[2001:db8::1]:0"},
      {"[2001:db8::1]:2055", "[2001:db8::1]:2055"},
      {std::string("\xc0\x00\x02\x01", 4), "192.0.2.1:0"},
      {std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16), "[2001:db8::1]:0"},
      {std::string(10, '\0') + std::string("\xff\xff\xc0\x00\x02\x01", 6), "192.0.2.1:0"},
      {"", ""},
      {"edge", "101.100.103.101:0"},  // four octets are an address
      {"edge7", ""},
      {"192.0.2.1:", ""},
      {"192.0.2.1:65536", ""},
      {"[192.0.2.1]:1", ""},
      {"[2001:db8::1]", ""},
      {"2001:db8::1:x", ""},
  };
  for (const auto& test : cases) {
    const std::optional<ExporterAddress> exporter = ParseExporter(test.text);
    EXPECT_EQ(exporter.has_value() ? ExporterText(exporter->address, exporter->port) : "", test.expected) << test.text;
  }
}

class Records : public testing::Test {
 protected:
  Records() : layout_({FieldId::kSrcAddr, FieldId::kDstPort, FieldId::kBytes}), rows_(&layout_, &interner_) {}

  std::vector<std::string> Messages(const aggregate::AggregateBatch& batch, size_t records, bool delimited) {
    sink::queue::MessageOptions options;
    options.records_per_message = records;
    options.length_delimited = delimited;
    std::vector<std::string> messages;
    EXPECT_TRUE(sink::queue::ForEachMessage("test", options, batch, [&](const sink::queue::Message& message) {
                  messages.emplace_back(message.octets);
                  return absl::OkStatus();
                }).ok());
    return messages;
  }

  record::Layout layout_;
  base::Interner interner_;
  record::FlowBatch rows_;
};

TEST_F(Records, ComeBackAsTheyWere) {
  const NumberedBatch numbered(3, 100);
  const aggregate::AggregateBatch batch = numbered.batch();
  for (const auto& [records, delimited] : std::vector<std::pair<size_t, bool>>{{1, false}, {1, true}, {7, true}}) {
    rows_.Clear();
    RecordMessagesOptions options;
    options.length_delimited = delimited;
    RecordMessages decoder(options);
    for (const std::string& message : Messages(batch, records, delimited)) {
      const base::DecodeResult result = decoder.Decode(base::AsOctets(message), &rows_);
      ASSERT_TRUE(result.ok()) << base::DecodeCodeName(result.code) << " at " << result.offset;
    }
    ASSERT_EQ(rows_.size(), 100u);
    EXPECT_EQ(decoder.counters().records, 100u);
    for (size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(rows_.row(i).Get<FieldId::kBytes>(), 3000 + i);
      EXPECT_EQ(rows_.row(i).Get<FieldId::kSrcAddr>(), batch.key(i).Get<FieldId::kSrcAddr>());
      EXPECT_EQ(rows_.row(i).Get<FieldId::kDstPort>(), i % 10);
    }
  }
}

// The records that are whole are there, and the end is told.
TEST_F(Records, CutAtEveryOctet) {
  const NumberedBatch numbered(1, 3);
  const std::string message = Messages(numbered.batch(), 3, true)[0];
  const size_t first = 1 + static_cast<uint8_t>(message[0]);
  ASSERT_LT(first, message.size());
  RecordMessages decoder;
  for (size_t length = 0; length < message.size(); ++length) {
    rows_.Clear();
    const base::DecodeResult result = decoder.Decode(base::AsOctets(message.substr(0, length)), &rows_);
    EXPECT_EQ(result.ok(), length % first == 0) << length;
    EXPECT_EQ(rows_.size(), length / first) << length;
  }
  EXPECT_EQ(decoder.counters().messages[DecodeCode::kTruncated], message.size() - 3);
  // Lengths that are no lengths.
  rows_.Clear();
  EXPECT_EQ(decoder.Decode(base::AsOctets("\x80\x80\x80\x80\x80\x01"), &rows_).code, DecodeCode::kBadLength);
  EXPECT_EQ(decoder.Decode(base::AsOctets("\xff\xff\xff\xff\x7f"), &rows_).code, DecodeCode::kTruncated);
  EXPECT_EQ(decoder.Decode(base::AsOctets("\x80"), &rows_).code, DecodeCode::kTruncated);
  EXPECT_TRUE(rows_.empty());
}

}  // namespace
}  // namespace flowacct::collector
