// Avro, read by a small reader that knows nothing but the schema's JSON, against the JSON of the same rows.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/message/testing/message_batch.h"
#include "flowacct/record/value_text.h"
#include "gtest/gtest.h"
#include "rapidjson/document.h"
#include "rapidjson/stringbuffer.h"
#include "rapidjson/writer.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using rapidjson::Value;
using record::FieldId;

constexpr aggregate::TimeBin kBin{1700000000000000000, 1700000300000000000};

// Reads a datum of a schema (Avro 1.11, "Binary encoding") and writes it as JSON.
class AvroReader {
 public:
  explicit AvroReader(absl::string_view octets) : octets_(octets) {}

  bool done() const { return octets_.empty(); }
  bool failed() const { return failed_; }

  // A text that is nothing but digits is a number that is too large for a long: `numbers` writes it as one.
  void Read(const Value& type, bool numbers, std::string* out) {
    if (type.IsArray()) {
      const int64_t index = Long();
      if (index < 0 || index >= type.Size()) {
        failed_ = true;
        return;
      }
      return Read(type[static_cast<rapidjson::SizeType>(index)], type.Size() > 1 && type[type.Size() - 2] == "long",
                  out);
    }
    const std::string name = type.IsObject() ? type["type"].GetString() : type.GetString();
    if (name == "null") {
      *out += "null";
    } else if (name == "boolean") {
      *out += Take(1) == "\1" ? "true" : "false";
    } else if (name == "int" || name == "long") {
      const int64_t number = Long();
      if (type.IsObject()) {
        EXPECT_STREQ(type["logicalType"].GetString(), "timestamp-nanos");
        char text[64];
        *out += '"';
        out->append(text, static_cast<size_t>(record::WriteTime(number, text) - text));
        *out += '"';
      } else {
        EXPECT_TRUE(name == "long" || (number >= INT32_MIN && number <= INT32_MAX));
        absl::StrAppend(out, number);
      }
    } else if (name == "float") {
      float number = 0;
      const absl::string_view octets = Take(4);
      if (octets.size() == 4) std::memcpy(&number, octets.data(), 4);
      absl::StrAppend(out, number);
    } else if (name == "string") {
      const absl::string_view text = Take(static_cast<size_t>(Long()));
      if (numbers) {
        absl::StrAppend(out, text);
      } else {
        record::AppendJsonString(text, out);
      }
    } else if (name == "array") {
      *out += '[';
      for (bool first = true;;) {
        const int64_t count = Long();
        if (count == 0 || failed_) break;
        for (int64_t i = 0; i < count && !failed_; ++i, first = false) {
          if (!first) *out += ',';
          Read(type["items"], false, out);
        }
      }
      *out += ']';
    } else {
      ADD_FAILURE() << name;
      failed_ = true;
    }
  }

 private:
  absl::string_view Take(size_t size) {
    if (size > octets_.size()) failed_ = true;
    if (failed_) return "";
    const absl::string_view taken = octets_.substr(0, size);
    octets_.remove_prefix(size);
    return taken;
  }
  int64_t Long() {
    uint64_t zigzag = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const absl::string_view octet = Take(1);
      if (octet.empty()) return 0;
      zigzag |= static_cast<uint64_t>(octet[0] & 0x7f) << shift;
      if ((octet[0] & 0x80) == 0) return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
    }
    failed_ = true;
    return 0;
  }

  absl::string_view octets_;
  bool failed_ = false;
};

// The whole datum as the line that JSON has of the row.
std::string AsJson(const Value& schema, absl::string_view octets) {
  std::string line = "{";
  AvroReader reader(octets);
  for (const Value& field : schema["fields"].GetArray()) {
    std::string value;
    reader.Read(field["type"], false, &value);
    if (value == "null" || value == "false") continue;
    if (line.size() > 1) line += ',';
    record::AppendJsonString(field.HasMember("doc") ? field["doc"].GetString() : field["name"].GetString(), &line);
    absl::StrAppend(&line, ":", value);
  }
  EXPECT_FALSE(reader.failed());
  EXPECT_TRUE(reader.done());
  return line + "}";
}

TEST(AvroEncoder, TellsWhatJsonTells) {
  std::mt19937_64 random(5);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 300; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(kBin);
  batch.set_overflow_row(4);
  const auto avro = NewRecordEncoder(RecordFormat::kAvro, &batch.schema());
  const auto json = NewRecordEncoder(RecordFormat::kJson, &batch.schema());
  rapidjson::Document schema;
  schema.Parse(avro->SchemaText().c_str());
  ASSERT_FALSE(schema.HasParseError()) << avro->SchemaText();
  size_t over_63_bits = 0;
  for (size_t row = 0; row < batch.size(); ++row) {
    batch.set_correction(row % 2 == 0);
    batch.set_incomplete(row % 3 == 0);
    std::string octets, line;
    avro->Append(batch, row, &octets);
    json->Append(batch, row, &line);
    ASSERT_EQ(AsJson(schema, octets), line) << row;
    over_63_bits += batch.wide_value(row, 1) > static_cast<uint64_t>(INT64_MAX) ? 1 : 0;
  }
  EXPECT_GT(over_63_bits, 20u);
}

TEST(AvroEncoder, SchemaNamesAreAvros) {
  using aggregate::Function;
  MessageBatch builder({FieldId::kSrcAs}, {SumOf(FieldId::kBytes), ValueOf(Function::kMax, "max", FieldId::kTtl),
                                           ValueOf(Function::kMax, "max_", FieldId::kTtl)});
  const auto avro = NewRecordEncoder(RecordFormat::kAvro, builder.schema().get());
  EXPECT_EQ(avro->content_type(), "avro/binary");
  EXPECT_EQ(avro->SchemaText(),
            R"x({"type":"record","name":"FlowRecord","namespace":"flowacct","fields":[)x"
            R"x({"name":"correction","type":"boolean","default":false},)x"
            R"x({"name":"incomplete","type":"boolean","default":false},)x"
            R"x({"name":"overflow","type":"boolean","default":false},)x"
            R"x({"name":"bin_start","type":["null",{"type":"long","logicalType":"timestamp-nanos"}],"default":null},)x"
            R"x({"name":"bin_end","type":["null",{"type":"long","logicalType":"timestamp-nanos"}],"default":null},)x"
            R"x({"name":"src_as","type":["null","long"],"default":null},)x"
            R"x({"name":"bytes","type":["long","string"]},)x"
            R"x({"name":"max_ttl","doc":"max(ttl)","type":["null","long","string"],"default":null},)x"
            R"x({"name":"max__ttl","doc":"max_(ttl)","type":["null","long","string"],"default":null}]})x");
}

// The same through python3-avro, where it is installed.
TEST(AvroEncoder, PythonReadsIt) {
  if (std::system("python3 -c 'import avro' 2>/dev/null") != 0) GTEST_SKIP() << "python3-avro is not installed";
  std::mt19937_64 random(6);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 20; ++i) builder.AddRandom(&random);
  const AggregateBatch batch = builder.Build(kBin);
  const auto avro = NewRecordEncoder(RecordFormat::kAvro, &batch.schema());
  const std::string stem = absl::StrCat(getenv("TEST_TMPDIR"), "/rows");
  std::ofstream(stem + ".avsc") << avro->SchemaText();
  std::string octets, expected;
  for (size_t row = 0; row < batch.size(); ++row) {
    avro->Append(batch, row, &octets);
    std::string bytes;
    const absl::uint128 sum = batch.wide_value(row, 1);
    absl::StrAppend(&bytes, absl::Uint128High64(sum), " ", absl::Uint128Low64(sum));
    absl::StrAppend(&expected, bytes, "\n");
  }
  std::ofstream(stem + ".avro", std::ios::binary) << octets;
  std::ofstream(stem + ".py") << R"(
import io, sys, avro.schema, avro.io
schema = avro.schema.parse(open(sys.argv[1] + ".avsc").read())
octets = open(sys.argv[1] + ".avro", "rb").read()
stream = io.BytesIO(octets)
decoder = avro.io.BinaryDecoder(stream)
while stream.tell() < len(octets):
    row = avro.io.DatumReader(schema).read(decoder)
    assert row["bin_end"] == 1700000300000000000, row
    print(int(row["bytes"]) >> 64, int(row["bytes"]) % 2**64)
)";
  FILE* const python = popen(absl::StrCat("python3 -W ignore ", stem, ".py ", stem, " 2>&1").c_str(), "r");
  ASSERT_NE(python, nullptr);
  std::string out;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof(buffer), python)) > 0;) out.append(buffer, n);
  EXPECT_EQ(pclose(python), 0);
  EXPECT_EQ(out, expected);
}

}  // namespace
}  // namespace flowacct::message
