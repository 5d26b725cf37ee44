#include "flowacct/collector/import/pmacct_key.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/collector/config/config.pb.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

TEST(PmacctKeyTest, NamesAreExpanded) {
  EXPECT_EQ(KeyNames("a_{b,c} d"), (std::vector<std::string>{"a_b", "a_c", "d"}));
  EXPECT_EQ(KeyNames("{a,b}_{c,d}"), (std::vector<std::string>{"a_c", "a_d", "b_c", "b_d"}));
}

TEST(PmacctKeyTest, NoNameIsInTwoRows) {
  std::set<std::string> names;
  for (const PmacctKey& key : PmacctKeys()) {
    for (const std::string& name : KeyNames(key.names)) {
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_EQ(FindPmacctKey(name), &key) << name;
    }
  }
  EXPECT_GT(names.size(), 600u);
}

TEST(PmacctKeyTest, RowsSayWhatTheyMust) {
  constexpr absl::string_view kDaemons[] = {"nfacctd", "sfacctd", "pmacctd", "uacctd"};
  for (const PmacctKey& key : PmacctKeys()) {
    for (absl::string_view daemon : absl::StrSplit(key.daemons, ' ', absl::SkipEmpty())) {
      EXPECT_NE(std::find(std::begin(kDaemons), std::end(kDaemons), daemon), std::end(kDaemons)) << key.names;
    }
    EXPECT_TRUE(key.status == KeyStatus::kMapped || !key.note.empty()) << key.names;
    // What is the same here is read by the import; what has no counterpart is not.
    EXPECT_FALSE(key.status == KeyStatus::kMapped && key.setting == Setting::kNone) << key.names;
    EXPECT_FALSE(key.status == KeyStatus::kNotYet && key.setting != Setting::kNone) << key.names;
  }
}

// A counterpart is a path in our schema.
TEST(PmacctKeyTest, CounterpartsAreThere) {
  for (const PmacctKey& key : PmacctKeys()) {
    const google::protobuf::Descriptor* message = config::Config::descriptor();
    for (absl::string_view word : absl::StrSplit(key.counterpart, '.', absl::SkipEmpty())) {
      ASSERT_NE(message, nullptr) << key.counterpart;
      const google::protobuf::FieldDescriptor* field = message->FindFieldByName(std::string(word));
      ASSERT_NE(field, nullptr) << key.names << ": " << key.counterpart;
      message = field->message_type();
    }
  }
}

TEST(PmacctKeyTest, NearWordsAreFound) {
  EXPECT_EQ(FindPmacctKey("nfacctd_prot"), nullptr);
  EXPECT_EQ(NearestPmacctKeys("nfacctd_prot").front(), "nfacctd_port");
  EXPECT_TRUE(NearestPmacctKeys(std::string(100000, 'x')).empty());
  EXPECT_TRUE(NearestPmacctKeys("nothing_like_it_anywhere").empty());
}

TEST(PmacctKeyTest, TheDocumentIsCurrent) {
  std::ifstream file("docs/reference/pmacct-keys.md", std::ios::binary);
  const std::string committed(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(committed == PmacctKeysAsMarkdown())
      << "the table has changed: flowacct config keys > docs/reference/pmacct-keys.md";
  if (const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    std::ofstream(std::string(folder) + "/pmacct-keys.md", std::ios::binary) << PmacctKeysAsMarkdown();
  }
}

// Every key that an installed pmacct documents is in the table: the lines "KEY: [ a | b ] (-x) [FLAGS]" of CONFIG-KEYS.
TEST(PmacctKeyTest, HasEveryKeyThatPmacctDocuments) {
  std::string text;
  for (const char* command :
       {"cat /usr/share/pmacct/CONFIG-KEYS 2>/dev/null", "gzip -dc /usr/share/doc/pmacct/CONFIG-KEYS.gz 2>/dev/null"}) {
    FILE* pipe = popen(command, "r");
    if (pipe == nullptr) continue;
    char block[4096];
    while (const size_t n = fread(block, 1, sizeof(block), pipe)) text.append(block, n);
    pclose(pipe);
    if (!text.empty()) break;
  }
  if (text.empty()) GTEST_SKIP() << "no CONFIG-KEYS of pmacct here (Debian's package pmacct has it)";
  size_t keys = 0;
  bool in_key = false;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::StartsWith(line, "KEY:")) {
      in_key = true;
    } else if (!line.empty() && !absl::ascii_isspace(static_cast<unsigned char>(line[0]))) {
      in_key = false;
    } else if (!absl::StrContains(line, "|") && !absl::StrContains(line, "]")) {
      in_key = false;  // prose
    }
    if (!in_key) continue;
    absl::ConsumePrefix(&line, "KEY:");
    for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t[]|,()"), absl::SkipEmpty())) {
      // Flags are in capitals, switches begin with '-'.
      if (!absl::ascii_islower(static_cast<unsigned char>(word[0]))) continue;
      EXPECT_NE(FindPmacctKey(word), nullptr) << word;
      ++keys;
    }
  }
  EXPECT_GT(keys, 500u);
}

}  // namespace
}  // namespace flowacct::collector
