#include "flowacct/enrich/rules/rule_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowacct::enrich {
namespace {

std::string ErrorOf(absl::string_view text) {
  RuleParser parser(text, "r");
  RuleStatement statement;
  while (parser.Next(&statement)) {
  }
  return std::string(parser.status().message());
}

TEST(RuleParser, ReadsStatements) {
  RuleParser parser(
      "# customers\n"
      "list \"my customers\"\n"
      "\n"
      "set tag 100, label = \"a # b\", continue where in_if = 5  # behind\n"
      "out: fill tag2 7,\n"
      "  # a comment between\n"
      "  append label x, goto end\n"
      "\t where exporter in 192.0.2.0/24\r\n"
      "   and in_if = 6\n"
      "copy in_if to tag, unset label, drop\n"
      "end: stop",
      "r");
  RuleStatement s;
  ASSERT_TRUE(parser.Next(&s)) << parser.status();
  EXPECT_EQ(s.kind, RuleStatement::Kind::kList);
  EXPECT_EQ(s.name, "my customers");
  ASSERT_TRUE(parser.Next(&s)) << parser.status();
  EXPECT_EQ(s.line, 4u);
  ASSERT_EQ(s.actions.size(), 2u);
  EXPECT_EQ(s.actions[0].value.number(), 100u);
  EXPECT_EQ(s.actions[1].value.text, "a # b");
  EXPECT_EQ(s.next, RuleStatement::Next::kContinue);
  EXPECT_EQ(s.where.fields().size(), 1u);
  ASSERT_TRUE(parser.Next(&s)) << parser.status();
  EXPECT_EQ(s.line, 5u);
  EXPECT_EQ(s.name, "out");
  ASSERT_EQ(s.actions.size(), 2u);
  EXPECT_EQ(s.actions[0].op, RuleAction::Op::kFill);
  EXPECT_EQ(s.actions[1].op, RuleAction::Op::kAppend);
  EXPECT_EQ(s.target, "end");
  EXPECT_EQ(s.where.fields().size(), 2u);
  ASSERT_TRUE(parser.Next(&s)) << parser.status();
  EXPECT_EQ(s.line, 10u);
  ASSERT_EQ(s.actions.size(), 3u);
  EXPECT_EQ(s.actions[0].op, RuleAction::Op::kCopy);
  EXPECT_EQ(s.actions[2].op, RuleAction::Op::kDrop);
  EXPECT_TRUE(s.where.passes_all());
  ASSERT_TRUE(parser.Next(&s)) << parser.status();
  EXPECT_EQ(s.name, "end");
  EXPECT_TRUE(s.actions.empty());
  EXPECT_FALSE(parser.Next(&s));
  EXPECT_TRUE(parser.status().ok());
}

TEST(RuleParser, ErrorsNameLineColumnAndTheNearestWord) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"\nst tag 1", "r:2:1: no action is called \"st\"; did you mean set?"},
           {"mark it",
            "r:1:1: no action is called \"mark\"; there are set, fill, add, or, append, unset, copy, drop, "
            "continue, goto, stop"},
           {"set tga 1", "r:1:5: no field is called \"tga\"; did you mean tag?"},
           {"set tag", "r:1:8: here a value of tag was expected"},
           {"set tag x", "r:1:9: \"x\" is no value that tag can have; it is of type u64"},
           {"set tag 1,", "r:1:11: here an action was expected, such as: set tag 100"},
           {"set tag 1 in_if 5", "r:1:11: here \",\", \"where\" or the end of the rule was expected, not \"in_if\""},
           {"set tag 1 where", "r:1:16: here a condition was expected, such as exporter = 192.0.2.1"},
           {"set tag 1\n  where in_fi = 5", "r:2:9: no field is called \"in_fi\"; did you mean in_if?"},
           {"set tag 1 where in_if = 5\n  and out_if = x",
            "r:2:16: \"x\" is no whole number that fits, which out_if is "
            "compared with"},
           {"set tag 1 where in_if = 5\n and (a", "r:2:7: no field is called \"a\"; `flowacct fields` lists them"},
           {"drop, set tag 1", "r:1:7: after drop, continue, goto and stop no action follows"},
           {"goto", "r:1:5: here the name of a later rule was expected, as in: goto out"},
           {"list", "r:1:5: here the list's name was expected, as in: list customers"},
           {"list a b", "r:1:8: a list is only named here; its rules are on the lines that follow"},
           {"x:", "r:1:3: here an action was expected, such as: set tag 100"},
           {"append tag 1", "r:1:8: tag is no text to append to"},
           {"add label x", "r:1:5: label is no number"},
           {"copy src_addr to tag",
            "r:1:18: tag cannot hold src_addr: the one is of type u64, the other of type address"},
           {"copy src_addr tag", "r:1:15: here \"to\" was expected, as in: copy in_vrf to tag"},
           {"set label 'x", "r:1:11: the quote that begins here does not close"},
       }) {
    EXPECT_EQ(ErrorOf(c.text), c.error) << c.text;
  }
}

}  // namespace
}  // namespace flowacct::enrich
