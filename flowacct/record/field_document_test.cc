#include "flowacct/record/field_document.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "flowacct/record/field.h"
#include "gtest/gtest.h"

namespace flowacct::record {
namespace {

size_t Lines(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

TEST(FieldDocumentTest, HasEveryFieldInEveryForm) {
  const std::string markdown = FieldsAsMarkdown(), table = FieldsAsTable(), json = FieldsAsJson(), csv = FieldsAsCsv();
  for (size_t i = 0; i < kFieldCount; ++i) {
    const std::string name(Info(static_cast<FieldId>(i)).name);
    EXPECT_TRUE(absl::StrContains(markdown, "\n| `" + name + "` |")) << name;
    EXPECT_TRUE(absl::StrContains(table, "\n" + name + " ")) << name;
    EXPECT_TRUE(absl::StrContains(json, "{\"name\":\"" + name + "\",")) << name;
    EXPECT_TRUE(absl::StrContains(csv, "\n" + name + ",")) << name;
  }
  EXPECT_EQ(Lines(json), kFieldCount);
  EXPECT_EQ(Lines(csv), kFieldCount + 1);
  EXPECT_EQ(Lines(table), kFieldCount + 1);
}

TEST(FieldDocumentTest, TellsWhatTheRegistrySays) {
  EXPECT_TRUE(absl::StrContains(FieldsAsMarkdown(),
                                "| `src_addr` | address | key |  | 8 | sourceIPv4Address | `src_host` | ip_src | "
                                "SRC_IP | source IP address |\n"));
  EXPECT_TRUE(absl::StrContains(FieldsAsJson(),
                                "{\"name\":\"bytes\",\"type\":\"u64\",\"kind\":\"counter\",\"unit\":\"octets\","
                                "\"ipfix_element\":\"1\",\"ipfix_name\":\"octetDeltaCount\""));
  EXPECT_TRUE(absl::StrContains(FieldsAsCsv(), "\"source port (TCP, UDP, SCTP)\"\n"));
}

// The committed document is what the registry says now.
TEST(FieldDocumentTest, DocsFieldsIsCurrent) {
  std::ifstream file("docs/fields.md", std::ios::binary);
  const std::string committed(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(committed == FieldsAsMarkdown())
      << "the registry has changed: flowacct fields --format markdown > docs/fields.md";
}

}  // namespace
}  // namespace flowacct::record
