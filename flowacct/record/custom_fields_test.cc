#include "flowacct/record/custom_fields.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::record {
namespace {

using F = FieldId;
using Type = CustomFieldOptions::Type;

CustomFieldOptions Option(std::string name, Type type, std::string element, std::vector<std::string> packet = {},
                          uint16_t length = 0) {
  return {std::move(name), type, std::move(element), std::move(packet), length};
}

TEST(CustomFields, GetRowsByTypeAndNames) {
  const auto custom = CustomFields::New({
      Option("mtla", Type::kAddress, "47"),
      Option("Alu_91", Type::kNumber, "637:91"),
      Option("ttl_of", Type::kNumber, "", {"l3:0x800+8", "L3:0x86dd+7"}, 1),
      Option("raw", Type::kHex, "", {"payload", "l4:6+14"}, 16),
  });
  ASSERT_TRUE(custom.ok()) << custom.status();
  ASSERT_EQ(custom->fields().size(), 4u);
  EXPECT_EQ(custom->fields()[0].field, F::kCustomAddr1);
  EXPECT_EQ(custom->fields()[0].element, 47);
  EXPECT_EQ(custom->fields()[1].field, F::kCustom1);
  EXPECT_EQ(custom->fields()[1].pen, 637u);
  EXPECT_EQ(custom->fields()[2].field, F::kCustom2);
  EXPECT_FALSE(custom->fields()[2].has_element);
  ASSERT_EQ(custom->fields()[2].packet.size(), 2u);
  EXPECT_EQ(custom->fields()[2].packet[1].layer, PacketPlace::Layer::kNetwork);
  EXPECT_EQ(custom->fields()[2].packet[1].protocol, 0x86dd);
  EXPECT_EQ(custom->fields()[2].packet[1].offset, 7);
  EXPECT_EQ(custom->fields()[3].field, F::kCustomText1);
  EXPECT_EQ(custom->fields()[3].packet[0].layer, PacketPlace::Layer::kPayload);
  const FieldNames& names = custom->names();
  EXPECT_EQ(names.Find("ALU_91"), F::kCustom1);
  EXPECT_EQ(names.Find("src_as"), F::kSrcAs);
  EXPECT_EQ(names.Find("nothing"), std::nullopt);
  EXPECT_EQ(names.NameOf(F::kCustom1), "alu_91");
  EXPECT_EQ(names.NameOf(F::kCustom3), "custom_3");
  EXPECT_EQ(names.Canonical("distinct(mtla),MTLA/24,xmtla,top(alu_91,5)"),
            "distinct(custom_addr_1),custom_addr_1/24,xmtla,top(custom_1,5)");
  EXPECT_EQ(names.FromName("mtlb").status().message(), "no field is called \"mtlb\"; did you mean mtla?");
  EXPECT_EQ(names.FromName("src_sa").status().message(), FieldFromName("src_sa").status().message());
}

TEST(CustomFields, ErrorsNameTheFieldAndWhatToDo) {
  const auto error = [](std::vector<CustomFieldOptions> options) {
    return std::string(CustomFields::New(options).status().message());
  };
  EXPECT_EQ(error({Option("x", Type::kNumber, "0")}), "custom field \"x\": \"0\" is no element, such as 47 or 637:91");
  EXPECT_EQ(error({Option("x", Type::kNumber, "1:2:3")}),
            "custom field \"x\": \"1:2:3\" is no element, such as 47 or 637:91");
  EXPECT_EQ(error({Option("x", Type::kNumber, "", {"l5+1"}, 1)}),
            "custom field \"x\": \"l5+1\" is no place in a packet, such as l3:0x800+8 or payload+4; layers are packet, "
            "mac, vlan, mpls, l3, l4 and payload");
  EXPECT_EQ(error({Option("x", Type::kNumber, "", {"mac:6+1"}, 1)}).substr(0, 27), "custom field \"x\": \"mac:6+1\"");
  EXPECT_EQ(error({Option("x", Type::kNumber, "")}), "custom field \"x\": give an element, or a place in a packet");
  EXPECT_EQ(error({Option("x", Type::kNumber, "", {"l4"})}),
            "custom field \"x\": give the length of what is read of packets");
  EXPECT_EQ(error({Option("x", Type::kNumber, "1", {}, 9)}),
            "custom field \"x\": length = 9 is more than 8, the most for its type");
  EXPECT_EQ(error({Option("x", Type::kAddress, "1", {}, 6)}),
            "custom field \"x\": length = 6, but an address has 4 or 16 octets");
  EXPECT_EQ(error({Option("src_as", Type::kNumber, "1")}),
            "custom field \"src_as\": \"src_as\" is the name of a field already (src_as); give another");
  EXPECT_EQ(error({Option("x", Type::kNumber, "1"), Option("X", Type::kText, "2")}),
            "custom field \"X\": \"X\" is the name of a field already (x); give another");
  EXPECT_EQ(error({Option("9x", Type::kNumber, "1")}),
            "custom field \"9x\": \"9x\" is no name of a field: give letters, digits and '_', a letter first");
  std::vector<CustomFieldOptions> many;
  for (int i = 0; i < 5; ++i) many.push_back(Option("a" + std::to_string(i), Type::kAddress, "1"));
  EXPECT_EQ(error(many), "custom field \"a4\": more than 4 custom fields are addresses");
}

TEST(CustomFields, AValueIsReadByItsType) {
  const auto custom = CustomFields::New({Option("n", Type::kNumber, "1"), Option("t", Type::kText, "2"),
                                         Option("h", Type::kHex, "3", {}, 2), Option("a", Type::kAddress, "4"),
                                         Option("absent", Type::kNumber, "5")});
  ASSERT_TRUE(custom.ok()) << custom.status();
  const Layout layout({F::kCustom1, F::kCustomText1, F::kCustomText2, F::kCustomAddr1});
  base::Interner interner;
  FlowBatch batch(&layout, &interner);
  const auto set = [&](size_t field, absl::string_view octets) {
    return SetCustomField(custom->fields()[field], base::AsOctets(octets), &interner, batch.row(batch.size() - 1));
  };
  const auto text = [&](F field) {
    return std::string(
        base::AsText(interner.Find(static_cast<base::InternId>(batch.row(batch.size() - 1).GetNumber(field)))));
  };
  batch.Append();
  EXPECT_TRUE(set(0, absl::string_view("\x01\x02\x03", 3)));
  EXPECT_TRUE(set(1, absl::string_view("core1\0\0", 7)));
  EXPECT_TRUE(set(2, "\xca\xfe\xba\xbe"));
  EXPECT_TRUE(set(3, absl::string_view("\xc0\x00\x02\x01", 4)));
  EXPECT_TRUE(set(4, "x"));  // the layout lacks it
  EXPECT_EQ(batch.row(0).Get<F::kCustom1>(), 0x010203u);
  EXPECT_EQ(text(F::kCustomText1), "core1");
  EXPECT_EQ(text(F::kCustomText2), "cafe");
  EXPECT_EQ(batch.row(0).Get<F::kCustomAddr1>().ToString(), "192.0.2.1");

  batch.Append();
  EXPECT_FALSE(set(0, "nineoctet"));
  EXPECT_TRUE(set(1, absl::string_view("\0\0", 2)));
  EXPECT_TRUE(set(2, ""));
  EXPECT_FALSE(set(3, "five5"));
  for (F field : layout.fields()) EXPECT_FALSE(batch.row(1).Has(field)) << Info(field).name;
}

}  // namespace
}  // namespace flowacct::record
