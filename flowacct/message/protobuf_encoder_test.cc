// FlowMessage as libprotobuf reads it, as goflow2's readers do, and as our own decoder does.

#include <random>
#include <string>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/message/exact_octets.h"
#include "flowacct/message/flow_message.pb.h"
#include "flowacct/message/message_fields.h"
#include "flowacct/message/record_decoder.h"
#include "flowacct/message/record_encoder.h"
#include "flowacct/message/testing/message_batch.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/value_text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

namespace flowacct::message {
namespace {

using aggregate::AggregateBatch;
using aggregate::Function;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using record::FieldId;
using record::FieldType;

constexpr aggregate::TimeBin kBin{1700000000000000000, 1700000300000000000};

aggregate::BatchIdentity Identity() {
  aggregate::BatchIdentity identity;
  identity.collector = "collector-1";
  identity.pipeline = "peering";
  identity.run = 1700000000123456789;
  identity.number = 42;
  return identity;
}

// What libprotobuf found of a field, in the words of record/value_text.h or, for lists, as their octets.
std::string Found(const Message& message, const FieldDescriptor* field, FieldType type) {
  const Reflection* const reflection = message.GetReflection();
  std::string text;
  if (IsList(type)) {
    std::vector<uint64_t> numbers;
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      numbers.push_back(type == FieldType::kExtCommunities ? reflection->GetRepeatedUInt64(message, field, i)
                                                           : reflection->GetRepeatedUInt32(message, field, i));
    }
    AppendOctetsOfList(type, numbers, &text);
    return text;
  }
  uint8_t value[17] = {};
  switch (type) {
    case FieldType::kAddress:
    case FieldType::kPrefix: {
      const std::string octets = reflection->GetString(message, field);
      const size_t size = octets.size() - (type == FieldType::kPrefix ? 1 : 0);
      const auto* const bytes = reinterpret_cast<const uint8_t*>(octets.data());
      const base::IpAddress address = size == 4 ? base::IpAddress::FromV4(bytes) : base::IpAddress::FromV6(bytes);
      std::memcpy(value, address.data(), 16);
      if (type == FieldType::kPrefix) value[16] = bytes[size];
      break;
    }
    case FieldType::kMac: {
      uint8_t octets[8];
      base::StoreBe64(octets, reflection->GetUInt64(message, field));
      std::memcpy(value, octets + 2, 6);
      break;
    }
    case FieldType::kCoordinates:
      for (int i = 0; i < 2; ++i)
        base::StoreHost<float>(value + 4 * i, reflection->GetRepeatedFloat(message, field, i));
      break;
    case FieldType::kString:
    case FieldType::kOctets:
    case FieldType::kDigits:
      return reflection->GetString(message, field);
    default:
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
        base::StoreHost<uint64_t>(value, reflection->GetUInt64(message, field));
      } else {
        base::StoreHost<uint64_t>(value, reflection->GetUInt32(message, field));
      }
  }
  record::AppendText(type, value, base::Interner(), &text);
  return text;
}

// What the row has of it, in the same words.
std::string Expected(const AggregateBatch& batch, size_t row, FieldId field) {
  const FieldType type = record::Info(field).type;
  const uint8_t* const value = batch.key(row).octets() + batch.schema().key.offset(field);
  std::string text;
  if (record::IsInterned(type)) {
    const base::Octets octets = batch.interner().Find(base::LoadHost<base::InternId>(value));
    if (type == FieldType::kString) {
      record::AppendUtf8(base::AsText(octets), &text);
    } else {
      text = std::string(base::AsText(octets));
    }
  } else {
    record::AppendText(type, value, batch.interner(), &text);
  }
  return text;
}

TEST(ProtobufEncoder, LibprotobufReadsWhatRowsHave) {
  std::mt19937_64 random(1);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 300; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(kBin);
  batch.set_identity(Identity());
  batch.set_correction(true);
  batch.set_incomplete(true);
  batch.set_overflow_row(7);
  const auto encoder = NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema());
  size_t lists = 0, exact_lists = 0, wide = 0, not_kept = 0;
  for (size_t row = 0; row < batch.size(); ++row) {
    SCOPED_TRACE(row);
    std::string octets = "kept";
    encoder->Append(batch, row, &octets);
    flowpb::FlowMessage message;
    ASSERT_TRUE(message.ParseFromString(octets.substr(4)));
    const Reflection* const reflection = message.GetReflection();
    EXPECT_TRUE(reflection->GetUnknownFields(message).empty());
    for (const FieldId field : batch.schema().key.fields()) {
      SCOPED_TRACE(record::Info(field).name);
      const FieldType type = record::Info(field).type;
      const FieldDescriptor* const descriptor =
          message.GetDescriptor()->FindFieldByNumber(static_cast<int>(MessageFieldOf(field).number));
      const bool told = descriptor->is_repeated() ? reflection->FieldSize(message, descriptor) > 0
                                                  : reflection->HasField(message, descriptor);
      const auto exact = message.exact_octets().find(MessageFieldOf(field).number);
      const bool has_exact = exact != message.exact_octets().end();
      if (!batch.key(row).Has(field)) {
        EXPECT_FALSE(told || has_exact);
        continue;
      }
      const bool interned = record::IsInterned(record::Info(field).type);
      if (interned && batch.key(row).GetNumber(field) == base::Interner::kOverflowId) {
        EXPECT_FALSE(told || has_exact);
        EXPECT_EQ(std::count(message.not_kept().begin(), message.not_kept().end(), MessageFieldOf(field).number), 1);
        ++not_kept;
        continue;
      }
      EXPECT_TRUE(told || has_exact);
      if (has_exact) {
        EXPECT_EQ(exact->second, Expected(batch, row, field));
        // Only where it is needed.
        EXPECT_NE(Found(message, descriptor, type), exact->second.empty() ? "x" : exact->second);
        ++exact_lists;
      } else {
        EXPECT_EQ(Found(message, descriptor, type), Expected(batch, row, field));
        lists += IsList(type) ? 1 : 0;
      }
    }
    EXPECT_EQ(message.packets(), batch.value(row, 0));
    EXPECT_EQ(message.bytes(), batch.value(row, 1));
    EXPECT_EQ(message.flows(), batch.value(row, 2));
    const absl::uint128 bytes = batch.wide_value(row, 1);
    EXPECT_EQ(message.wide_sums_size(), absl::Uint128High64(bytes) != 0 ? 1 : 0);
    if (message.wide_sums_size() == 1) {
      EXPECT_EQ(absl::MakeUint128(message.wide_sums(0).high(), message.wide_sums(0).low()), bytes);
      EXPECT_EQ(message.wide_sums(0).field(), 9u);
      ++wide;
    }
    std::string values;
    for (const auto& value : message.values()) {
      values += flowpb::FlowMessage::Function_Name(value.function()) + " " + std::to_string(value.field()) + " " +
                (value.has_number() ? std::to_string(value.number()) : value.text()) + "\n";
    }
    std::string expected;
    const auto add = [&](size_t column, const std::string& what) {
      if (batch.has_value(row, column)) expected += what + std::to_string(batch.value(row, column)) + "\n";
    };
    add(4, "SUM " + std::to_string(MessageFieldOf(FieldId::kDroppedBytes).number) + " ");
    add(5, "MIN 25 ");
    add(6, "MAX 111 ");
    add(7, "MAX " + std::to_string(MessageFieldOf(FieldId::kPostBytes).number) + " ");
    add(8, "DISTINCT 6 ");
    expected += "TOP 22 " + batch.text(row, 9) + "\n";
    EXPECT_EQ(values, expected);
    EXPECT_EQ(message.bin_start_ns(), kBin.start_nanos);
    EXPECT_EQ(message.bin_end_ns(), kBin.end_nanos);
    EXPECT_EQ(message.collector(), "collector-1");
    EXPECT_EQ(message.pipeline(), "peering");
    EXPECT_EQ(message.run(), Identity().run);
    EXPECT_EQ(message.number(), 42u);
    EXPECT_EQ(message.row(), row);
    EXPECT_TRUE(message.correction() && message.incomplete());
    EXPECT_EQ(message.overflow(), row == 7);
  }
  EXPECT_GT(lists, 300u);
  EXPECT_GT(exact_lists, 100u);
  EXPECT_GT(wide, 10u);
  EXPECT_GT(not_kept, 10u);
}

// goflow2 knows no field from 3000 on, and nothing of presence.
TEST(ProtobufEncoder, AReaderOfGoflow2sFieldsAloneReadsIt) {
  google::protobuf::FileDescriptorProto file;
  flowpb::FlowMessage::descriptor()->file()->CopyTo(&file);
  google::protobuf::DescriptorProto* const fields = file.mutable_message_type(0);
  fields->clear_oneof_decl();
  for (int i = fields->field_size(); i-- > 0;) {
    fields->mutable_field(i)->clear_proto3_optional();
    fields->mutable_field(i)->clear_oneof_index();
    if (fields->field(i).number() >= 3000) fields->mutable_field()->DeleteSubrange(i, 1);
  }
  google::protobuf::DescriptorPool pool;
  const google::protobuf::FileDescriptor* const built = pool.BuildFile(file);
  ASSERT_NE(built, nullptr);
  google::protobuf::DynamicMessageFactory factory(&pool);
  const google::protobuf::Descriptor* const descriptor = built->message_type(0);

  MessageBatch builder({FieldId::kSrcAddr, FieldId::kDstAs, FieldId::kSrcNet, FieldId::kSrcMask, FieldId::kSrcMac},
                       {SumOf(FieldId::kBytes), SumOf(FieldId::kPackets), SumOf(FieldId::kFlows)});
  record::MutableRow row = builder.Add({1500, 1, 1});
  row.Set<FieldId::kSrcAddr>(*base::IpAddress::Parse("192.0.2.1"));
  row.Set<FieldId::kDstAs>(64496);
  row.Set<FieldId::kSrcNet>(*base::IpPrefix::Parse("192.0.2.0/24"));
  row.Set<FieldId::kSrcMask>(24);
  row.Set<FieldId::kSrcMac>(*base::MacAddress::Parse("02:00:00:00:00:01"));
  AggregateBatch batch = builder.Build(kBin);
  batch.set_identity(Identity());
  std::string octets;
  NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema())->Append(batch, 0, &octets);
  const std::unique_ptr<Message> message(factory.GetPrototype(descriptor)->New());
  ASSERT_TRUE(message->ParseFromString(octets));
  message->GetReflection()->MutableUnknownFields(message.get())->Clear();
  EXPECT_EQ(
      message->ShortDebugString(),
      "src_addr: \"\\300\\000\\002\\001\" bytes: 1500 packets: 1 dst_as: 64496 src_net: 24 src_mac: 2199023255553");
}

TEST(ProtobufEncoder, AbsentIsNotZero) {
  MessageBatch builder({FieldId::kSrcPort, FieldId::kDstPort}, {SumOf(FieldId::kBytes)});
  builder.Add({0}).Set<FieldId::kSrcPort>(0);
  const AggregateBatch batch = builder.Build();
  std::string octets;
  NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema())->Append(batch, 0, &octets);
  flowpb::FlowMessage message;
  ASSERT_TRUE(message.ParseFromString(octets));
  EXPECT_TRUE(message.has_src_port() && message.has_bytes());
  EXPECT_FALSE(message.has_dst_port() || message.has_bin_start_ns() || message.has_row() || message.has_collector());
  EXPECT_EQ(octets.size(), 5u);  // nothing else
}

// Facts of one batch do not stay for the next.
TEST(ProtobufEncoder, FactsFollowTheBatch) {
  MessageBatch builder({FieldId::kSrcPort}, {SumOf(FieldId::kBytes)});
  builder.Add({1}).Set<FieldId::kSrcPort>(1);
  const auto encoder = NewRecordEncoder(RecordFormat::kProtobuf, builder.schema().get());
  AggregateBatch with = builder.Build(kBin), without = builder.Build();
  with.set_identity(Identity());
  for (int i = 0; i < 2; ++i) {
    std::string octets;
    flowpb::FlowMessage message;
    encoder->Append(with, 0, &octets);
    ASSERT_TRUE(message.ParseFromString(octets));
    EXPECT_EQ(message.number(), 42u);
    octets.clear();
    encoder->Append(without, 0, &octets);
    ASSERT_TRUE(message.ParseFromString(octets));
    EXPECT_FALSE(message.has_number() || message.has_collector() || message.has_bin_start_ns());
  }
}

// What the decoder gives of each row is what the row has.
TEST(RecordDecoder, ReadsWhatTheEncoderWrote) {
  std::mt19937_64 random(2);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 300; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(kBin);
  batch.set_identity(Identity());
  batch.set_overflow_row(3);
  const auto encoder = NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema());
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch records(&layout, &interner);
  RecordDecoder decoder;
  for (size_t row = 0; row < batch.size(); ++row) {
    SCOPED_TRACE(row);
    std::string octets;
    encoder->Append(batch, row, &octets);
    MessageFacts facts;
    ASSERT_TRUE(decoder.Decode(base::AsOctets(octets), &records, &facts).ok());
    ASSERT_EQ(records.size(), row + 1);
    const record::RowView read = records.row(row);
    const record::RowView key = batch.key(row);
    EXPECT_EQ(facts.unfit_values, 0u);
    for (const FieldId field : batch.schema().key.fields()) {
      SCOPED_TRACE(record::Info(field).name);
      if (field == FieldId::kTtl && !key.Has(field)) continue;  // its min
      if (field == FieldId::kStartTime && !key.Has(field)) continue;
      if (field == FieldId::kEndTime && !key.Has(field)) continue;
      EXPECT_EQ(read.Has(field), key.Has(field));
      if (!key.Has(field)) continue;
      const FieldType type = record::Info(field).type;
      std::string ours, theirs;
      record::AppendText(read, field, interner, &ours);
      record::AppendText(key, field, batch.interner(), &theirs);
      EXPECT_EQ(ours, theirs);
      if (record::IsInterned(type) && type != FieldType::kString) {
        EXPECT_EQ(base::AsText(interner.Find(static_cast<base::InternId>(read.GetNumber(field)))),
                  base::AsText(batch.interner().Find(static_cast<base::InternId>(key.GetNumber(field)))));
      } else if (!record::IsInterned(type)) {
        EXPECT_EQ(std::memcmp(read.octets() + layout.offset(field), key.octets() + batch.schema().key.offset(field),
                              record::FieldTypeSize(type)),
                  0);
      }
    }
    EXPECT_EQ(read.Get<FieldId::kPackets>(), batch.value(row, 0));
    EXPECT_EQ(read.Get<FieldId::kBytes>(), batch.value(row, 1));
    if (!key.Has(FieldId::kTtl)) {
      EXPECT_EQ(read.Has(FieldId::kTtl), batch.has_value(row, 5));
      if (batch.has_value(row, 5)) {
        EXPECT_EQ(read.Get<FieldId::kTtl>(), batch.value(row, 5));
      }
    }
    if (!key.Has(FieldId::kEndTime)) {
      EXPECT_EQ(read.Get<FieldId::kEndTime>(), kBin.end_nanos);
    }
    EXPECT_EQ(facts.wide_sums.size(), absl::Uint128High64(batch.wide_value(row, 1)) != 0 ? 1u : 0u);
    if (!facts.wide_sums.empty()) {
      EXPECT_EQ(facts.wide_sums[0].first, FieldId::kBytes);
      EXPECT_EQ(facts.wide_sums[0].second, batch.wide_value(row, 1));
    }
    EXPECT_EQ(facts.collector, "collector-1");
    EXPECT_EQ(facts.pipeline, "peering");
    EXPECT_EQ(facts.run, Identity().run);
    EXPECT_EQ(facts.number, 42u);
    EXPECT_EQ(facts.row, row);
    EXPECT_EQ(facts.overflow, row == 3);
    EXPECT_EQ(facts.bin.start_nanos, kBin.start_nanos);
  }
}

// A message that is cut is refused, or is a message with fewer fields; and nothing of what is refused stays.
TEST(RecordDecoder, CutAtEachOctet) {
  std::mt19937_64 random(3);
  MessageBatch builder = MessageBatch::OfAllFields();
  for (int i = 0; i < 4; ++i) builder.AddRandom(&random);
  AggregateBatch batch = builder.Build(kBin);
  batch.set_identity(Identity());
  const auto encoder = NewRecordEncoder(RecordFormat::kProtobuf, &batch.schema());
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch records(&layout, &interner);
  RecordDecoder decoder;
  size_t refused = 0;
  const google::protobuf::LogSilencer silencer;
  for (size_t row = 0; row < batch.size(); ++row) {
    std::string octets;
    encoder->Append(batch, row, &octets);
    for (size_t size = 0; size < octets.size(); ++size) {
      const std::vector<uint8_t> cut(octets.begin(), octets.begin() + static_cast<ptrdiff_t>(size));
      MessageFacts facts;
      records.Clear();
      const base::DecodeResult result = decoder.Decode(cut, &records, &facts);
      flowpb::FlowMessage message;
      EXPECT_EQ(result.ok(), message.ParseFromArray(cut.data(), static_cast<int>(size))) << row << " " << size;
      EXPECT_EQ(records.size(), result.ok() ? 1u : 0u);
      EXPECT_LE(result.offset, size);
      refused += result.ok() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 1000u);
}

struct OddCase {
  const char* name;
  std::string octets;
  base::DecodeCode code;
  uint64_t unfit;
  const char* text;  // of the fields below
};

TEST(RecordDecoder, OddMessages) {
  using base::DecodeCode;
  const record::Layout layout({FieldId::kSrcAddr, FieldId::kSrcPort, FieldId::kSrcMac, FieldId::kAsPath,
                               FieldId::kMplsLabelStack, FieldId::kUserName, FieldId::kExportVersion});
  const OddCase cases[] = {
      {"nothing", "", DecodeCode::kOk, 0, ""},
      {"IPv4 in 16 octets", std::string("\x32\x10\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 18), DecodeCode::kOk, 0,
       "src_addr=192.0.2.1"},
      {"address of three octets",
       "\x32\x03"
       "abc",
       DecodeCode::kOk, 1, ""},
      {"empty address", std::string("\x32\0", 2), DecodeCode::kOk, 0, ""},
      {"port of 17 bits", "\xa8\x01\x80\x80\x04", DecodeCode::kOk, 1, ""},
      {"port twice", "\xa8\x01\x01\xa8\x01\x02", DecodeCode::kOk, 0, "src_port=2"},
      {"port as octets",
       "\xaa\x01\x01"
       "x",
       DecodeCode::kOk, 0, ""},
      {"MAC of 49 bits", "\xd8\x01\x80\x80\x80\x80\x80\x80\x40", DecodeCode::kOk, 1, ""},
      {"path packed and not", "\xb2\x06\x02\x01\x02\xb0\x06\x03", DecodeCode::kOk, 0, "as_path=1 2 3"},
      {"label of 21 bits", "\x8a\x05\x03\x80\x80\x40", DecodeCode::kOk, 1, ""},
      {"packed list cut in a number", "\xb2\x06\x01\x80", DecodeCode::kTruncated, 0, ""},
      {"type alone", "\x08\x03", DecodeCode::kOk, 0, "export_version=9"},
      {"unknown fields of each wire type",
       std::string("\xd8\xf2\x01\x05\xd9\xf2\x01"
                   "12345678"
                   "\xda\xf2\x01\x01x\xdd\xf2\x01"
                   "1234",
                   27),
       DecodeCode::kOk, 0, ""},
      {"field 0", std::string("\0\1", 2), DecodeCode::kBadValue, 0, ""},
      {"a group", "\x0b\x0c", DecodeCode::kBadValue, 0, ""},
      {"varint of 11 octets", "\xa8\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", DecodeCode::kBadValue, 0, ""},
      {"length of 2^63",
       "\x32\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
       "ab",
       DecodeCode::kTruncated, 0, ""},
  };
  for (const OddCase& odd : cases) {
    SCOPED_TRACE(odd.name);
    base::Interner interner;
    record::FlowBatch records(&layout, &interner);
    RecordDecoder decoder;
    MessageFacts facts;
    const base::DecodeResult result = decoder.Decode(base::AsOctets(odd.octets), &records, &facts);
    EXPECT_EQ(base::DecodeCodeName(result.code), base::DecodeCodeName(odd.code));
    if (!result.ok()) {
      EXPECT_EQ(records.size(), 0u);
      continue;
    }
    EXPECT_EQ(facts.unfit_values, odd.unfit);
    std::string text;
    for (const FieldId field : layout.fields()) {
      if (!records.row(0).Has(field)) continue;
      text += std::string(record::Info(field).name) + "=";
      record::AppendText(records.row(0), field, interner, &text);
    }
    EXPECT_EQ(text, odd.text);
  }
}

// An id of an interner is nobody's to give but the interner's.
TEST(RecordDecoder, AValueOfATextIsNoId) {
  flowpb::FlowMessage message;
  auto* const value = message.add_values();
  value->set_function(flowpb::FlowMessage::MAX);
  value->set_field(MessageFieldOf(FieldId::kUserName).number);
  value->set_number(123456);
  const record::Layout layout({FieldId::kUserName});
  base::Interner interner;
  record::FlowBatch records(&layout, &interner);
  RecordDecoder decoder;
  MessageFacts facts;
  ASSERT_TRUE(decoder.Decode(base::AsOctets(message.SerializeAsString()), &records, &facts).ok());
  EXPECT_FALSE(records.row(0).Has(FieldId::kUserName));
}

TEST(RecordDecoder, ABoundOfOctets) {
  RecordDecoderOptions options;
  options.max_message_octets = 3;
  RecordDecoder decoder(options);
  const record::Layout layout({FieldId::kSrcPort});
  base::Interner interner;
  record::FlowBatch records(&layout, &interner);
  MessageFacts facts;
  EXPECT_TRUE(decoder.Decode(base::AsOctets("\xa8\x01\x01"), &records, &facts).ok());
  EXPECT_EQ(decoder.Decode(base::AsOctets("\xa8\x01\x81\x01"), &records, &facts).code,
            base::DecodeCode::kLimitExceeded);
  EXPECT_EQ(records.size(), 1u);
}

}  // namespace
}  // namespace flowacct::message
