#include "flowacct/sink/password.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::sink {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kVariable[] = "FLOWACCT_PASSWORD_TEST";

std::string Write(const std::string& text) {
  const std::string path = testing::TempDir() + "/password";
  std::ofstream(path) << text;
  return path;
}

TEST(Password, IsTheFirstLineOfItsFileReadAnew) {
  struct Case {
    const char* file;
    const char* password;
  };
  for (const Case& c : {Case{"hunter2", "hunter2"}, Case{"hunter2\n", "hunter2"}, Case{"hunter2\r\n", "hunter2"},
                        Case{" a b \nmore", " a b "}, Case{"\n", ""}}) {
    const auto password = ReadPassword("x: password_file", Write(c.file), kVariable);
    ASSERT_TRUE(password.ok()) << password.status();
    EXPECT_EQ(*password, c.password);
  }
}

TEST(Password, OfTheEnvironmentWhereThereIsNoFile) {
  unsetenv(kVariable);
  EXPECT_EQ(*ReadPassword("x: password_file", "", kVariable), "");
  setenv(kVariable, "open sesame", 1);
  EXPECT_EQ(*ReadPassword("x: password_file", "", kVariable), "open sesame");
  EXPECT_EQ(*ReadPassword("x: password_file", "", nullptr), "");
  EXPECT_EQ(*ReadPassword("x: password_file", Write("hunter2"), kVariable), "hunter2");
  unsetenv(kVariable);
}

// The environment does not stand in for a file that was asked for, and its password is told to nobody.
TEST(Password, AFileThatCannotBeReadIsNamed) {
  setenv(kVariable, "open sesame", 1);
  for (const std::string& file : {std::string("/no/such/file"), Write("")}) {
    const auto password = ReadPassword("mariadb: password_file", file, kVariable);
    EXPECT_EQ(password.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(password.status().message()),
                AllOf(HasSubstr("mariadb: password_file " + file), Not(HasSubstr("sesame"))));
  }
  unsetenv(kVariable);
}

}  // namespace
}  // namespace flowacct::sink
