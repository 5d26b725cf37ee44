#include "flowacct/message/message_fields.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "flowacct/message/flow_message.pb.h"
#include "gtest/gtest.h"

namespace flowacct::message {
namespace {

using google::protobuf::FieldDescriptor;
using record::FieldId;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(MessageFields, ProtoIsMadeFromTheTable) {
  EXPECT_EQ(ReadFile("flowacct/message/flow_message.proto"), FlowMessageProto())
      << "bazel run //flowacct/message:write_flow_message_proto > flowacct/message/flow_message.proto";
}

// What protoc understood, as the list of numbers writes it.
std::map<int, std::string> CompiledFields() {
  std::map<int, std::string> fields;
  const google::protobuf::Descriptor* const message = flowpb::FlowMessage::descriptor();
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* const field = message->field(i);
    std::string type = field->type_name();
    if (field->type() == FieldDescriptor::TYPE_ENUM) type = field->enum_type()->name();
    if (field->type() == FieldDescriptor::TYPE_MESSAGE) type = field->message_type()->name();
    if (field->is_map())
      type = absl::StrCat("map<", field->message_type()->map_key()->type_name(), ", ",
                          field->message_type()->map_value()->type_name(), ">");
    if (field->is_repeated() && !field->is_map()) type = absl::StrCat("repeated ", type);
    fields[field->number()] = absl::StrCat(field->name(), " ", field->number(), " ", type);
    EXPECT_EQ(field->has_presence(), !field->is_repeated()) << field->name();
  }
  return fields;
}

TEST(MessageFields, TableIsWhatProtocReads) {
  const std::map<int, std::string> compiled = CompiledFields();
  EXPECT_EQ(compiled.size(), MessageFields().size());
  for (const MessageField& field : MessageFields()) {
    const auto found = compiled.find(static_cast<int>(field.number));
    ASSERT_NE(found, compiled.end()) << field.name;
    EXPECT_EQ(found->second, absl::StrCat(field.name, " ", field.number, " ", field.type));
  }
}

// Messages outlive programs: what a number meant once it means always.
TEST(MessageFields, NumbersNeverChange) {
  const std::map<int, std::string> compiled = CompiledFields();
  std::istringstream list(ReadFile("flowacct/message/flow_message_numbers.txt"));
  std::map<int, std::string> pinned;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name;
    int number = 0;
    words >> name >> number;
    ASSERT_TRUE(pinned.emplace(number, line).second) << "flow_message_numbers.txt has " << number << " twice";
  }
  for (const auto& [number, line] : pinned) {
    const auto found = compiled.find(number);
    if (found == compiled.end()) {
      EXPECT_TRUE(flowpb::FlowMessage::descriptor()->IsReservedNumber(number))
          << "\"" << line << "\" was in FlowMessage and is not any more: make it a RESERVED row of message_fields.inc";
      continue;
    }
    EXPECT_EQ(found->second, line) << "the number " << number << " of FlowMessage means something else than it did: "
                                   << "take a new number for what is new, and leave the old row as it was";
  }
  for (const auto& [number, line] : compiled) {
    EXPECT_TRUE(pinned.count(number) == 1)
        << "a new field: add this line to flow_message_numbers.txt, where it stays for ever\n"
        << line;
  }
}

TEST(MessageFields, AreFoundByNumber) {
  for (size_t i = 0; i < record::kFieldCount; ++i) {
    const FieldId field = static_cast<FieldId>(i);
    EXPECT_EQ(FieldOfNumber(MessageFieldOf(field).number), field);
  }
  for (const uint64_t number : {uint64_t{0}, uint64_t{1}, uint64_t{5}, uint64_t{128}, uint64_t{3000}, uint64_t{3999},
                                uint64_t{4000}, UINT64_MAX}) {
    EXPECT_EQ(FieldOfNumber(number), FieldId::kFieldCount) << number;
  }
}

TEST(MessageFields, FactsHaveTheNumbersOfTheTable) {
  const google::protobuf::Descriptor* const message = flowpb::FlowMessage::descriptor();
  const std::pair<Fact, const char*> facts[] = {{Fact::kBinStart, "bin_start_ns"},
                                                {Fact::kBinEnd, "bin_end_ns"},
                                                {Fact::kCollector, "collector"},
                                                {Fact::kPipeline, "pipeline"},
                                                {Fact::kRun, "run"},
                                                {Fact::kNumber, "number"},
                                                {Fact::kRow, "row"},
                                                {Fact::kCorrection, "correction"},
                                                {Fact::kIncomplete, "incomplete"},
                                                {Fact::kOverflow, "overflow"},
                                                {Fact::kValues, "values"},
                                                {Fact::kWideSums, "wide_sums"},
                                                {Fact::kExactOctets, "exact_octets"},
                                                {Fact::kNotKept, "not_kept"}};
  for (const auto& [fact, name] : facts) {
    const FieldDescriptor* const field = message->FindFieldByNumber(static_cast<int>(fact));
    ASSERT_NE(field, nullptr) << name;
    EXPECT_EQ(field->name(), name);
  }
}

}  // namespace
}  // namespace flowacct::message
