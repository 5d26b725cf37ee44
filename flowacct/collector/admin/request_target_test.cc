#include "flowacct/collector/admin/request_target.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

RequestTarget Parsed(absl::string_view text) {
  absl::StatusOr<RequestTarget> target = RequestTarget::Parse(text);
  EXPECT_TRUE(target.ok()) << text << ": " << target.status();
  return target.value_or(RequestTarget());
}

TEST(RequestTargetTest, PathAndParameters) {
  EXPECT_EQ(Parsed("/").path, "/");
  EXPECT_TRUE(Parsed("/x?").parameters.empty());
  const RequestTarget target = Parsed("/a%2Fb+c?x=1&y=a+b%20c&z&empty=&ü=%C3%BC&e==");
  EXPECT_EQ(target.path, "/a/b+c");
  EXPECT_EQ(*target.Find("x"), "1");
  EXPECT_EQ(*target.Find("y"), "a b c");
  EXPECT_EQ(*target.Find("z"), "");
  EXPECT_EQ(*target.Find("empty"), "");
  EXPECT_EQ(*target.Find("ü"), "ü");
  EXPECT_EQ(*target.Find("e"), "=");
  EXPECT_EQ(target.Find("w"), nullptr);
}

TEST(RequestTargetTest, Refused) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {"", "begins with no /"},
      {"http://x/", "begins with no /"},
      {"*", "begins with no /"},
      {"/%", "path: a % is not followed by two hexadecimal digits"},
      {"/?a=%4", "a: a % is not followed"},
      {"/?a=%4g", "a: a % is not followed"},
      {"/?a=%00", "a: control characters"},
      {"/?a=%0a", "a: control characters"},
      {"/?%0d=1", "the name of a parameter: control characters"},
      {"/?a=%ff", "a: is no UTF-8"},
      {"/?a=1&a=2", "a: is given twice"},
      {"/?=1", "has no name"},
      {absl::StrCat("/", std::string(8192, 'a')), "8193 octets; 8192 are allowed"},
      {"/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", "more than 16 parameters"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = RequestTarget::Parse(c.text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.text;
    EXPECT_TRUE(absl::StrContains(status.message(), c.error)) << c.text << ": " << status;
  }
  EXPECT_TRUE(RequestTarget::Parse("/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p").ok());
  EXPECT_TRUE(RequestTarget::Parse(absl::StrCat("/", std::string(8191, 'a'))).ok());
}

TEST(RequestTargetTest, NamesThatAreNotKnown) {
  const RequestTarget target = Parsed("/p?exprter=1");
  EXPECT_EQ(target.CheckNames({"exporter", "limit"}).message(),
            "no parameter of /p is called \"exprter\"; did you mean exporter?");
  EXPECT_EQ(target.CheckNames({"zzz"}).message(), "no parameter of /p is called \"exprter\"; known are zzz");
  EXPECT_EQ(target.CheckNames({}).message(), "no parameter of /p is called \"exprter\"; it takes none");
  EXPECT_TRUE(target.CheckNames({"exprter"}).ok());
}

TEST(RequestTargetTest, Values) {
  const RequestTarget target =
      Parsed("/?t=true&o=1&f=false&z=0&bad=yes&n=42&minus=-1&blank=+1&huge=18446744073709551616");
  bool flag = false;
  EXPECT_TRUE(target.Get("t", &flag).ok() && flag);
  EXPECT_TRUE(target.Get("f", &flag).ok() && !flag);
  EXPECT_TRUE(target.Get("o", &flag).ok() && flag);
  EXPECT_TRUE(target.Get("z", &flag).ok() && !flag);
  EXPECT_FALSE(target.Get("bad", &flag).ok());
  size_t number = 7;
  EXPECT_TRUE(target.Get("missing", &number).ok());
  EXPECT_EQ(number, 7u);
  EXPECT_TRUE(target.Get("n", &number).ok());
  EXPECT_EQ(number, 42u);
  for (const char* name : {"minus", "blank", "huge", "t"}) EXPECT_FALSE(target.Get(name, &number).ok()) << name;
}

TEST(QuestionTest, AllOfIt) {
  const absl::StatusOr<MemoryQuestion> question = ParseQuestion(
      Parsed("/api/v1/query?pipeline=as&by=src_as,dst_as&where=proto+tcp+and+dst_port+in+(80,443)&top=20&since=90s&"
             "order=bytes&reset=1"));
  ASSERT_TRUE(question.ok()) << question.status();
  EXPECT_EQ(question->pipeline, "as");
  EXPECT_EQ(question->by, "src_as,dst_as");
  EXPECT_EQ(question->where, "proto tcp and dst_port in (80,443)");
  EXPECT_EQ(question->top, 20u);
  EXPECT_EQ(question->since, absl::Seconds(90));
  EXPECT_EQ(question->order, "bytes");
  EXPECT_TRUE(question->reset);
}

TEST(QuestionTest, LittleOfIt) {
  const absl::StatusOr<MemoryQuestion> question = ParseQuestion(Parsed("/?pipeline=as"));
  ASSERT_TRUE(question.ok());
  EXPECT_EQ(question->top, 0u);
  EXPECT_EQ(question->since, absl::ZeroDuration());
  EXPECT_FALSE(question->reset);
}

TEST(QuestionTest, Wrong) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"/", "pipeline: which one?"},
      {"/?pipeline=", "pipeline: which one?"},
      {"/?pipeline=as&since=5x", "since: \"5x\" is no duration; such as 30s"},
      {"/?pipeline=as&since=-5m", "since: "},
      {"/?pipeline=as&top=ten", "top: \"ten\" is no whole number"},
      {"/?pipeline=as&reset=maybe", "reset: \"maybe\" is neither true nor false"},
      {"/?pipeline=as&wher=x", "did you mean where"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ParseQuestion(Parsed(c.text)).status();
    EXPECT_TRUE(absl::StrContains(status.message(), c.error)) << c.text << ": " << status;
  }
}

}  // namespace
}  // namespace flowacct::collector
