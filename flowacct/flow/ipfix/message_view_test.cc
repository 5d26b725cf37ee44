#include "flowacct/flow/ipfix/message_view.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/flow/template/testing/message_builder.h"

namespace flowacct::ipfix {
namespace {

using base::DecodeCode;
using base::Octets;
using flow::testing::kVariable;
using flow::testing::MessageBuilder;

std::string Hex(Octets octets) {
  std::string out;
  for (uint8_t octet : octets) {
    out.push_back("0123456789abcdef"[octet >> 4]);
    out.push_back("0123456789abcdef"[octet & 15]);
  }
  return out;
}

std::string SpecifierText(const FieldSpecifier& field) {
  return std::to_string(field.enterprise_number) + ":" + std::to_string(field.id) + "(" +
         (field.variable() ? "var" : std::to_string(field.length)) + ")" + (field.scope ? "*" : "");
}

std::string TemplateText(const TemplateView& format) {
  std::string out = std::to_string(format.id()) + (format.options() ? " options" : "");
  if (format.withdrawal()) return out + " withdrawn";
  SpecifierReader fields = format.fields();
  for (FieldSpecifier field; fields.Next(&field);) out += " " + SpecifierText(field);
  return out;
}

std::string RecordText(const RecordView& record) {
  std::string out;
  ValueReader values(record);
  for (FieldView field; values.Next(&field);) out += (out.empty() ? "" : " ") + Hex(field.octets);
  return out;
}

// All that a message has, in words; with the templates that came before each set. Views point into `octets`.
struct Reading {
  explicit Reading(Octets octets) {
    result = MessageView::Parse(octets, &message);
    if (!result.ok()) return;
    SetReader sets = message.sets();
    for (SetView set; sets.Next(&set);) {
      EXPECT_LE(set.offset() + set.octets().size(), octets.size());
      ++set_count;
      TemplateReader reader(set);
      for (TemplateView format; reader.Next(&format);) {
        lines.push_back(TemplateText(format));
        templates.push_back(format);
      }
      if (!reader.result().ok()) template_result = reader.result();
      if (!set.is_data()) continue;
      for (const TemplateView& format : templates) {
        if (format.id() != set.id()) continue;
        RecordReader records(format, set);
        for (RecordView record; records.Next(&record);) {
          EXPECT_EQ(octets.data() + record.offset(), record.octets().data());
          lines.push_back(RecordText(record));
        }
        record_result = records.result();
      }
    }
    result = sets.result();
  }

  MessageView message;
  base::DecodeResult result, template_result, record_result;
  size_t set_count = 0;
  std::vector<TemplateView> templates;
  std::vector<std::string> lines;
};

MessageBuilder Golden() {
  MessageBuilder message(10, /*sequence=*/99, /*domain=*/7);
  message.Template(256, {{8, 4}, {371, kVariable}, {1, 8, 29305}});
  message.OptionsTemplate(300, 1, {{144, 4}, {305, 2}});
  message.BeginSet(256);
  message.body().U32(0xc0000201).U8(3).Text("ann").U64(5);
  message.body().U32(0xc0000202).U8(255).U16(2).Text("bo").U64(6);
  message.EndSet(/*padding=*/1);
  message.BeginSet(300).body().U32(1).U16(10).U32(2).U16(20);
  message.EndSet();
  message.Withdraw(256);
  return message;
}

const char* const kGoldenLines[] = {
    "256 0:8(4) 0:371(var) 29305:1(8)",
    "300 options 0:144(4)* 0:305(2)",
    "c0000201 616e6e 0000000000000005",
    "c0000202 626f 0000000000000006",
    "00000001 000a",
    "00000002 0014",
    "256 withdrawn",
};

TEST(MessageViewTest, ReadsAllThatAMessageHas) {
  MessageBuilder message = Golden();
  const std::vector<uint8_t> octets = message.Copy();
  const Reading reading(octets);
  EXPECT_TRUE(reading.result.ok());
  EXPECT_TRUE(reading.template_result.ok());
  EXPECT_TRUE(reading.record_result.ok());
  EXPECT_EQ(reading.message.length(), octets.size());
  EXPECT_EQ(reading.message.export_time_seconds(), flow::testing::kExportSeconds);
  EXPECT_EQ(reading.message.sequence_number(), 99u);
  EXPECT_EQ(reading.message.observation_domain_id(), 7u);
  EXPECT_FALSE(reading.message.cut());
  EXPECT_EQ(reading.set_count, 5u);
  EXPECT_EQ(reading.lines, std::vector<std::string>(std::begin(kGoldenLines), std::end(kGoldenLines)));
  EXPECT_TRUE(reading.templates[0].variable());
  EXPECT_EQ(reading.templates[0].record_octets(), 13u);
  EXPECT_EQ(reading.templates[1].scope_field_count(), 1u);
}

TEST(MessageViewTest, CutsAtEveryOctetReadWhatIsWhole) {
  MessageBuilder message = Golden();
  const std::vector<uint8_t> whole = message.Copy();
  const std::vector<std::string> golden(std::begin(kGoldenLines), std::end(kGoldenLines));
  size_t lines_before = 0;
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    // A copy of its own, so that a sanitizer sees a read past the end.
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    const Reading reading(octets);
    if (cut < kMessageHeaderOctets) {
      EXPECT_EQ(reading.result.code, DecodeCode::kTruncated) << cut;
      continue;
    }
    EXPECT_EQ(reading.message.cut(), cut < whole.size()) << cut;
    EXPECT_GE(reading.lines.size(), lines_before) << cut;
    ASSERT_LE(reading.lines.size(), golden.size()) << cut;
    for (size_t i = 0; i < reading.lines.size(); ++i) EXPECT_EQ(reading.lines[i], golden[i]) << cut;
    lines_before = reading.lines.size();
  }
  EXPECT_EQ(lines_before, golden.size());
}

TEST(MessageViewTest, EndsWhateverTheOctetsAre) {
  MessageBuilder message = Golden();
  const std::vector<uint8_t> whole = message.Copy();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (uint8_t value : {uint8_t{0}, uint8_t{1}, uint8_t{0x7f}, uint8_t{0xff}}) {
      std::vector<uint8_t> octets = whole;
      octets[at] = value;
      const Reading reading(octets);
      EXPECT_LE(reading.set_count, whole.size() / flow::kSetHeaderOctets);
      EXPECT_LE(reading.lines.size(), whole.size());
    }
  }
}

TEST(MessageViewTest, SaysWhyAHeaderCannotBeRead) {
  struct Case {
    const char* what;
    std::vector<uint8_t> begin;
    DecodeCode code;
    uint32_t offset;
  };
  const Case kCases[] = {
      {"version 9", {0, 9, 0, 16}, DecodeCode::kBadVersion, 0},
      {"shorter than its header", {0, 10, 0, 15}, DecodeCode::kBadLength, 2},
      {"a header alone", {0, 10, 0, 16}, DecodeCode::kOk, 0},
  };
  for (const Case& c : kCases) {
    std::vector<uint8_t> octets = c.begin;
    octets.resize(16);
    const Reading reading(octets);
    EXPECT_EQ(reading.result.code, c.code) << c.what;
    EXPECT_EQ(reading.result.offset, c.offset) << c.what;
  }
}

TEST(MessageViewTest, SaysWhereSetsEnd) {
  struct Case {
    const char* what;
    std::vector<uint8_t> tail;  // behind a set of one data record
    DecodeCode code;
    uint32_t offset;
  };
  const Case kCases[] = {
      {"nothing", {}, DecodeCode::kOk, 0},
      {"zeros", {0, 0, 0, 0, 0, 0}, DecodeCode::kOk, 0},
      {"zeros, less than a header", {0, 0}, DecodeCode::kOk, 0},
      {"a set shorter than its header", {1, 0, 0, 3, 9}, DecodeCode::kBadLength, 26},
      {"a set of no length", {1, 0, 0, 0}, DecodeCode::kBadLength, 26},
      {"less than a header", {1, 0, 0}, DecodeCode::kTrailingOctets, 24},
      {"a set that is cut", {1, 0, 0, 9, 0, 0}, DecodeCode::kTruncated, 30},
  };
  for (const Case& c : kCases) {
    MessageBuilder message(10);
    message.BeginSet(256).body().U32(1);
    message.EndSet();
    message.body().Bytes(c.tail);
    const std::vector<uint8_t> octets = message.Copy();
    const Reading reading(octets);
    EXPECT_EQ(reading.result.code, c.code) << c.what;
    EXPECT_EQ(reading.result.offset, c.offset) << c.what;
  }
}

TEST(MessageViewTest, SaysWhyATemplateCannotBeRead) {
  struct Case {
    const char* what;
    uint16_t set;
    std::vector<uint16_t> words;
    DecodeCode code;
    uint32_t offset;
  };
  const Case kCases[] = {
      {"whole", 2, {256, 1, 8, 4}, DecodeCode::kOk, 0},
      {"padding", 2, {256, 1, 8, 4, 0, 0}, DecodeCode::kOk, 0},
      {"an id of sets", 2, {255, 1, 8, 4}, DecodeCode::kBadTemplate, 20},
      {"fewer fields than told", 2, {256, 2, 8, 4}, DecodeCode::kBadTemplate, 20},
      {"no enterprise number", 2, {256, 1, 0x8008, 4}, DecodeCode::kBadTemplate, 20},
      {"the second one", 2, {256, 1, 8, 4, 257, 1, 8}, DecodeCode::kBadTemplate, 28},
      {"options", 3, {300, 2, 1, 144, 4, 305, 2}, DecodeCode::kOk, 0},
      {"no scope", 3, {300, 2, 0, 144, 4, 305, 2}, DecodeCode::kBadTemplate, 24},
      {"more scopes than fields", 3, {300, 1, 2, 144, 4, 305, 2}, DecodeCode::kBadTemplate, 24},
      {"options without a scope count", 3, {300, 1}, DecodeCode::kBadTemplate, 20},
  };
  for (const Case& c : kCases) {
    MessageBuilder message(10);
    message.BeginSet(c.set);
    for (uint16_t word : c.words) message.body().U16(word);
    message.EndSet();
    const std::vector<uint8_t> octets = message.Copy();
    const Reading reading(octets);
    EXPECT_EQ(reading.template_result.code, c.code) << c.what;
    EXPECT_EQ(reading.template_result.offset, c.offset) << c.what;
  }
}

TEST(MessageViewTest, SaysWhatIsLeftBehindTheRecords) {
  struct Case {
    const char* what;
    uint16_t length;  // of the template's one field
    std::vector<uint8_t> data;
    size_t records;
    DecodeCode code;
    uint32_t offset;
  };
  const Case kCases[] = {
      {"whole records", 4, {1, 2, 3, 4, 5, 6, 7, 8}, 2, DecodeCode::kOk, 0},
      {"three octets that align", 4, {1, 2, 3, 4, 5, 6, 7}, 1, DecodeCode::kOk, 0},
      {"zeros", 6, {1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0}, 1, DecodeCode::kOk, 0},
      {"part of a record", 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1}, 1, DecodeCode::kTrailingOctets, 38},
      {"no record", 6, {1, 2, 3, 4, 5}, 0, DecodeCode::kBadLength, 32},
      {"a length past the end", kVariable, {1, 9, 200, 4, 5, 6, 7}, 1, DecodeCode::kTrailingOctets, 34},
      {"records of no octets", 0, {1, 2, 3, 4}, 0, DecodeCode::kBadTemplate, 32},
  };
  for (const Case& c : kCases) {
    MessageBuilder message(10);
    message.Template(256, {{8, c.length}});
    message.BeginSet(256).body().Bytes(c.data);
    message.EndSet();
    const std::vector<uint8_t> octets = message.Copy();
    const Reading reading(octets);
    EXPECT_EQ(reading.lines.size(), 1 + c.records) << c.what;
    EXPECT_EQ(reading.record_result.code, c.code) << c.what;
    EXPECT_EQ(reading.record_result.offset, c.offset) << c.what;
  }
}

TEST(MessageViewTest, KeepsATemplateAsOctets) {
  MessageBuilder first = Golden();
  const std::vector<uint8_t> octets = first.Copy();
  const Reading reading(octets);
  const std::string kept(base::AsText(reading.templates[1].octets()));
  TemplateView format;
  ASSERT_TRUE(ParseTemplate(/*options=*/true, base::AsOctets(kept), &format).ok());
  EXPECT_EQ(TemplateText(format), kGoldenLines[1]);
  EXPECT_EQ(format.octets().size(), kept.size());
  for (size_t cut = 0; cut < kept.size(); ++cut) {
    EXPECT_EQ(ParseTemplate(true, base::AsOctets(kept).first(cut), &format).code, DecodeCode::kBadTemplate) << cut;
  }
}

TEST(MessageViewTest, ReadsNumbersOfAnyLength) {
  FieldView field;
  EXPECT_FALSE(field.Unsigned().has_value());
  const uint8_t kOctets[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  field.octets = Octets(kOctets, 3);
  EXPECT_EQ(field.Unsigned(), 0x010203u);
  field.octets = Octets(kOctets, 8);
  EXPECT_EQ(field.Unsigned(), 0x0102030405060708u);
  field.octets = Octets(kOctets, 9);
  EXPECT_FALSE(field.Unsigned().has_value());
}

TEST(MessageViewTest, CutsAStreamIntoMessages) {
  MessageBuilder message = Golden();
  const std::vector<uint8_t> whole = message.Copy();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const MessageBoundary boundary = NextMessage(Octets(whole).first(cut));
    EXPECT_EQ(boundary.code, DecodeCode::kTruncated) << cut;
    EXPECT_EQ(boundary.length, cut < 4 ? 0 : whole.size()) << cut;
  }
  EXPECT_EQ(NextMessage(whole).code, DecodeCode::kOk);
}

TEST(ListViewTest, ReadsBasicLists) {
  base::OctetWriter writer;
  writer.U8(3).U16(0x8000 | 12).U16(kVariable).U32(9).U8(2).Text("ab").U8(0).U8(1).Text("c");
  const std::vector<uint8_t> whole(writer.octets().begin(), writer.octets().end());
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::vector<uint8_t> octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(cut));
    BasicListView list;
    ASSERT_EQ(BasicListView::Parse(octets, &list), cut >= 9) << cut;
    if (cut < 9) continue;
    EXPECT_EQ(list.semantic(), 3);
    EXPECT_EQ(SpecifierText(list.specifier()), "9:12(var)");
    std::string values;
    for (Octets value; list.Next(&value);) values += "[" + Hex(value) + "]";
    EXPECT_EQ(values, cut < 12 ? "" : cut < 13 ? "[6162]" : cut < 15 ? "[6162][]" : "[6162][][63]") << cut;
  }
  const uint8_t kNoOctets[] = {3, 0, 12, 0, 0, 1, 2};
  BasicListView list;
  EXPECT_FALSE(BasicListView::Parse(kNoOctets, &list)) << "elements of no octets would repeat without end";
}

TEST(ListViewTest, ReadsListsOfRecords) {
  base::OctetWriter writer;
  writer.U8(4).U16(256).U16(6).U16(7);
  SubTemplateListView list;
  ASSERT_TRUE(SubTemplateListView::Parse(writer.octets(), &list));
  EXPECT_EQ(list.semantic(), 4);
  EXPECT_EQ(list.template_id(), 256);
  EXPECT_EQ(Hex(list.records()), "00060007");
  EXPECT_FALSE(SubTemplateListView::Parse(writer.octets().first(2), &list));

  base::OctetWriter multi;
  multi.U8(4).U16(256).U16(6).U16(7).U16(257).U16(4).U16(258).U16(3).U16(1);
  SubTemplateMultiListView lists;
  ASSERT_TRUE(SubTemplateMultiListView::Parse(multi.octets(), &lists));
  EXPECT_FALSE(SubTemplateMultiListView::Parse(Octets(), &lists));
  uint16_t id = 0;
  Octets records;
  std::string read;
  while (lists.Next(&id, &records)) read += std::to_string(id) + "[" + Hex(records) + "]";
  EXPECT_EQ(read, "256[0007]257[]") << "the third is shorter than its header";
}

}  // namespace
}  // namespace flowacct::ipfix
