#include "flowacct/flow/template/compiled_template.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/octet_writer.h"
#include "flowacct/testing/allocation_counter.h"

namespace flowacct::flow {
namespace {

using record::FieldId;
using record::RecordKind;

struct Field {
  uint16_t id;
  uint16_t length;
  uint32_t pen = 0;
};

Template Make(const std::vector<Field>& fields, RecordKind kind = RecordKind::kFlow) {
  std::vector<TemplateField> made;
  for (const Field& field : fields) made.push_back(MakeTemplateField(field.pen, field.id, field.length));
  Template format;
  EXPECT_EQ(MakeTemplate(kind, std::move(made), TemplateOptions(), &format), base::DecodeCode::kOk);
  return format;
}

TEST(CompiledTemplatesTest, TheSameFieldsAreCompiledOnce) {
  const record::Layout layout({FieldId::kBytes});
  CompiledTemplates table(&layout, 9);
  const size_t empty = table.memory_octets();
  {
    const CompiledTemplateRef a = table.Intern(Make({{1, 4}, {2, 4}})), b = table.Intern(Make({{1, 4}, {2, 4}}));
    EXPECT_EQ(a.get(), b.get());
    EXPECT_EQ(table.size(), 1u);
    const size_t one = table.memory_octets();
    const CompiledTemplateRef other_length = table.Intern(Make({{1, 4}, {2, 8}})),
                              other_kind = table.Intern(Make({{1, 4}, {2, 4}}, RecordKind::kOption)),
                              other_order = table.Intern(Make({{2, 4}, {1, 4}}));
    EXPECT_EQ(table.size(), 4u);
    EXPECT_GT(table.memory_octets(), one);
  }
  EXPECT_EQ(table.size(), 0u);
  EXPECT_GE(table.memory_octets(), empty) << "the table keeps its slots";
  EXPECT_LT(table.memory_octets(), empty + 1000);
}

TEST(CompiledTemplatesTest, NothingOfOneExporterStaysInThePlanOfAnother) {
  const record::Layout layout = record::Layout::All();
  base::Interner interner;
  record::FlowBatch rows(&layout, &interner);
  record::DecodeOutput output;
  output.flows = &rows;
  CompiledTemplates table(&layout, 9);
  const CompiledTemplateRef compiled = table.Intern(Make({{1, 4}}));
  base::OctetWriter record;
  record.U32(77);
  SamplingTable sampling(10);
  sampling.SetAll(100);
  MessageContext first, second;
  first.exporter = base::IpAddress::V4(1);
  first.domain = 5;
  first.has_sequence = true;
  first.sequence = 9;
  first.sampling = &sampling;
  second.exporter = base::IpAddress::V4(2);
  compiled->DecodeFlows(300, record.octets(), &first, output, nullptr);
  compiled->DecodeFlows(0, record.octets(), &second, output, nullptr);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows.row(0).Get<FieldId::kTemplateId>(), 300);
  EXPECT_EQ(rows.row(0).Get<FieldId::kExportSequence>(), 9u);
  EXPECT_EQ(rows.row(0).Get<FieldId::kSamplingRate>(), 100u);
  EXPECT_EQ(rows.row(1).Get<FieldId::kExporter>(), base::IpAddress::V4(2));
  for (FieldId field : {FieldId::kTemplateId, FieldId::kExportSequence, FieldId::kSamplingRate}) {
    EXPECT_FALSE(rows.row(1).Has(field)) << record::Info(field).name;
  }
  EXPECT_EQ(rows.row(1).Get<FieldId::kObservationDomain>(), 0u);
  EXPECT_EQ(rows.row(1).Get<FieldId::kBytes>(), 77u);
}

// What is said to be taken of the heap is what is taken: bounds on memory stand on it.
TEST(CompiledTemplatesTest, MemoryIsToldAsItIs) {
  FLOWACCT_REQUIRE_ALLOCATION_COUNT();
  std::vector<Field> twenty, thousand, labels;
  for (uint16_t i = 1; i <= 20; ++i) twenty.push_back({i, 4});
  for (uint16_t i = 0; i < 1000; ++i) thousand.push_back({static_cast<uint16_t>(1 + i % 400), 1});
  for (uint16_t i = 70; i <= 79; ++i) labels.push_back({i, 3});
  struct Case {
    const char* what;
    std::vector<Field> fields;
    RecordKind kind = RecordKind::kFlow;
  };
  const Case kCases[] = {
      {"one field", {{1, 4}}},
      {"twenty fields", twenty},
      {"a thousand", thousand},
      {"labels", labels},
      {"a biflow", {{1, 4}, {2, 4}, {1, 4, kReversePen}, {2, 4, kReversePen}}},
      {"variable", {{371, kVariableLength}, {460, kVariableLength}, {1, 4}}},
      {"options", twenty, RecordKind::kOption},
  };
  const record::Layout all = record::Layout::All();
  const record::Layout five({FieldId::kSrcAddr, FieldId::kDstAddr, FieldId::kSrcPort, FieldId::kDstPort,
                             FieldId::kProtocol, FieldId::kPackets, FieldId::kBytes});
  for (const record::Layout* layout : {&all, &five}) {
    for (const Case& c : kCases) {
      CompiledTemplates table(layout, 10);
      std::vector<CompiledTemplateRef> refs;
      refs.reserve(100);
      const flowacct::testing::AllocationCounter counter;
      for (uint16_t i = 0; i < 100; ++i) {
        std::vector<Field> fields = c.fields;
        fields.push_back({static_cast<uint16_t>(1000 + i), 2});  // another one each time
        refs.push_back(table.Intern(Make(fields, c.kind)));
      }
      const double held = static_cast<double>(counter.heap_octets());
      EXPECT_GT(held, 100 * sizeof(CompiledTemplate));
      EXPECT_NEAR(static_cast<double>(table.memory_octets()) / held, 1, 0.08) << c.what << ", " << layout->size();
    }
  }
}

}  // namespace
}  // namespace flowacct::flow
