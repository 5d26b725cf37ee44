// JSON and CSV against goldens; texts with values of a row. That they are what sink/print prints is tested in
// sink/file.

#include <string>

#include "flowacct/message/record_encoder.h"
#include "flowacct/message/testing/message_batch.h"
#include "gtest/gtest.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using record::FieldId;

constexpr aggregate::TimeBin kBin{1700000000000000000, 1700000300000000000};

MessageBatch Rows() {
  MessageBatch builder(
      {FieldId::kSrcAddr, FieldId::kProtocol, FieldId::kLabel, FieldId::kStdComm, FieldId::kSrcCoords},
      {SumOf(FieldId::kBytes), ValueOf(Function::kMin, "min", FieldId::kTtl),
       ValueOf(Function::kMax, "max", FieldId::kEndTime), ValueOf(Function::kTop, "top", FieldId::kDstPort)});
  record::MutableRow row = builder.Add({1500, 64, 1700000000500000000, 0});
  row.Set<FieldId::kSrcAddr>(*base::IpAddress::Parse("192.0.2.1"));
  row.Set<FieldId::kProtocol>(6);
  row.Set<FieldId::kLabel>(builder.interner().Intern("a,\"b\"\n{c}"));
  row.Set<FieldId::kStdComm>(builder.interner().Intern(absl::string_view("\xfb\xf0\0\1\xfb\xf0\0\2", 8)));
  const float coordinates[] = {52.5F, -4.25F};
  builder.SetOctets(row, FieldId::kSrcCoords, coordinates);
  builder.Add({7, 0, 0, 0}, 0);
  builder.SetCarry(1, 0, 1);
  return builder;
}

std::string Text(RecordEncoder* encoder, const AggregateBatch& batch, size_t row) {
  std::string text;
  encoder->Append(batch, row, &text);
  return text;
}

TEST(JsonEncoder, Rows) {
  AggregateBatch batch = Rows().Build(kBin);
  const auto encoder = NewRecordEncoder(RecordFormat::kJson, &batch.schema());
  EXPECT_EQ(encoder->Header(), "");
  EXPECT_EQ(encoder->content_type(), "application/json");
  EXPECT_EQ(Text(encoder.get(), batch, 0),
            R"x({"bin_start":"2023-11-14T22:13:20Z","bin_end":"2023-11-14T22:18:20Z","src_addr":"192.0.2.1",)x"
            R"x("protocol":"tcp","label":"a,\"b\"\n{c}","std_comm":["64496:1","64496:2"],"src_coords":[52.5,-4.25],)x"
            R"x("bytes":1500,"min(ttl)":64,"max(end_time)":"2023-11-14T22:13:20.5Z","top(dst_port)":"443:0 80:3"})x");
  batch.set_overflow_row(1);
  batch.set_correction(true);
  batch.set_incomplete(true);
  EXPECT_EQ(Text(encoder.get(), batch, 1),
            R"x({"correction":true,"incomplete":true,"overflow":true,"bin_start":"2023-11-14T22:13:20Z",)x"
            R"x("bin_end":"2023-11-14T22:18:20Z","bytes":18446744073709551623,"top(dst_port)":"443:1 80:3"})x");
  const AggregateBatch whole = Rows().Build();
  EXPECT_EQ(Text(encoder.get(), whole, 1), R"x({"bytes":18446744073709551623,"top(dst_port)":"443:1 80:3"})x");
}

TEST(JsonEncoder, ARowOfNothing) {
  MessageBatch builder({FieldId::kSrcAddr}, {ValueOf(Function::kMin, "min", FieldId::kTtl)});
  builder.Add({0}, 0);
  const AggregateBatch batch = builder.Build();
  EXPECT_EQ(Text(NewRecordEncoder(RecordFormat::kJson, &batch.schema()).get(), batch, 0), "{}");
}

TEST(CsvEncoder, Rows) {
  AggregateBatch batch = Rows().Build(kBin);
  const auto encoder = NewRecordEncoder(RecordFormat::kCsv, &batch.schema());
  EXPECT_EQ(encoder->Header(),
            "bin_start,bin_end,src_addr,protocol,label,std_comm,src_coords,bytes,min(ttl),max(end_time),top(dst_port)");
  EXPECT_EQ(Text(encoder.get(), batch, 0),
            "2023-11-14T22:13:20Z,2023-11-14T22:18:20Z,192.0.2.1,tcp,\"a,\"\"b\"\"\n{c}\",64496:1 64496:2,"
            "\"52.5,-4.25\",1500,64,2023-11-14T22:13:20.5Z,443:0 80:3");
  EXPECT_EQ(Text(encoder.get(), batch, 1),
            "2023-11-14T22:13:20Z,2023-11-14T22:18:20Z,,,,,,18446744073709551623,,,443:1 80:3");
  batch.set_overflow_row(1);
  EXPECT_EQ(Text(encoder.get(), batch, 1),
            "2023-11-14T22:13:20Z,2023-11-14T22:18:20Z,(overflow),,,,,18446744073709551623,,,443:1 80:3");
  const AggregateBatch whole = Rows().Build();
  EXPECT_EQ(Text(encoder.get(), whole, 1), ",,,,,,,18446744073709551623,,,443:1 80:3");
}

struct TextCase {
  const char* text;
  const char* expected;  // of the first row; of what is refused, a part of the message
  bool constant;
};

TEST(RowText, Cases) {
  AggregateBatch batch = Rows().Build(kBin);
  aggregate::BatchIdentity identity;
  identity.collector = "east";
  identity.pipeline = "peering";
  batch.set_identity(identity);
  const TextCase cases[] = {
      {"", "", true},
      {"traffic", "traffic", true},
      {"t.{collector}.{pipeline}.{bin_start}-{bin_end}", "t.east.peering.1700000000-1700000300", true},
      {"{src_addr}.{protocol}", "192.0.2.1.tcp", false},
      {"{src_host}{ proto }", "192.0.2.1tcp", false},  // pmacct's names
      {"{{{bytes}}}", "{1500}", false},
      {"{max(end_time)} {top(dst_port)}", "2023-11-14T22:13:20.5Z 443:0 80:3", false},
      {"{label}", "a,\"b\"\n{c}", false},  // a value is no text to be read
  };
  for (const TextCase& c : cases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<RowText> text = RowText::Parse(c.text, batch.schema());
    ASSERT_TRUE(text.ok()) << text.status();
    std::string out = ">";
    text->Append(batch, 0, &out);
    EXPECT_EQ(out, std::string(">") + c.expected);
    EXPECT_EQ(text->is_constant(), c.constant);
  }
  const absl::StatusOr<RowText> absent = RowText::Parse("a{src_addr}b{bytes}", batch.schema());
  std::string out;
  absent->Append(batch, 1, &out);
  EXPECT_EQ(out, "ab18446744073709551623");
}

TEST(RowText, Refusals) {
  const MessageBatch rows = Rows();
  const TextCase cases[] = {
      {"{dst_as}", "there is no {dst_as} here; there are src_addr, protocol, label, std_comm, src_coords, bytes, ",
       true},
      {"{}", "there is no {} here", true},
      {"{src_addr", "a { is not closed", true},
      {"src_addr}", "a } closes nothing", true},
      {"{time:%Y}", "bin_start, bin_end, collector, pipeline", true},
  };
  for (const TextCase& c : cases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<RowText> text = RowText::Parse(c.text, *rows.schema());
    ASSERT_FALSE(text.ok());
    EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(text.status().message().find(c.expected), absl::string_view::npos) << text.status();
  }
}

}  // namespace
}  // namespace flowacct::message
