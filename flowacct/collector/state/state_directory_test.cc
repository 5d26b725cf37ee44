#include "flowacct/collector/state/state_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

std::string Folder() {
  return absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
                      getpid());
}

TEST(StateDirectoryTest, WhatIsWrittenIsRead) {
  auto folder = StateDirectory::Open(Folder());
  ASSERT_TRUE(folder.ok()) << folder.status();
  struct stat info;
  ASSERT_EQ(stat(Folder().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_EQ((*folder)->Read("a").status().code(), absl::StatusCode::kNotFound);
  const std::string octets(100000, '\x80');
  ASSERT_TRUE((*folder)->Write("a", octets).ok());
  EXPECT_EQ(*(*folder)->Read("a"), octets);
  ASSERT_TRUE((*folder)->Write("a", "less").ok());
  EXPECT_EQ(*(*folder)->Read("a"), "less");
  ASSERT_TRUE((*folder)->Overwrite("b", "0123").ok());
  ASSERT_TRUE((*folder)->Overwrite("b", "4567").ok());
  EXPECT_EQ(*(*folder)->Read("b"), "4567");
  const auto aside = (*folder)->SetAside("a");
  ASSERT_TRUE(aside.ok());
  EXPECT_EQ(access(aside->c_str(), R_OK), 0);
  EXPECT_FALSE((*folder)->Read("a").ok());
  EXPECT_TRUE((*folder)->Remove("b").ok());
  EXPECT_TRUE((*folder)->Remove("b").ok());
}

TEST(StateDirectoryTest, AnyNameIsOneFileWithin) {
  auto folder = StateDirectory::Open(Folder());
  ASSERT_TRUE(folder.ok());
  const std::string names[] = {"../../etc/passwd",    "..", ".",    "", "a/b", "a%2fb", "a b",
                               std::string("\0x", 2), "~",  "lock~"};
  for (const std::string& name : names) {
    if (name.empty()) continue;
    ASSERT_TRUE((*folder)->Write(name, name).ok()) << name;
  }
  for (const std::string& name : names) {
    if (name.empty()) continue;
    EXPECT_EQ(*(*folder)->Read(name), name);
  }
  EXPECT_NE(access(absl::StrCat(Folder(), "/../passwd").c_str(), F_OK), 0);
}

TEST(StateDirectoryTest, OneProgramAtATime) {
  auto first = StateDirectory::Open(Folder());
  ASSERT_TRUE(first.ok());
  const auto second = StateDirectory::Open(Folder());
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(absl::StrContains(second.status().message(), "another collector")) << second.status();
  first->reset();
  EXPECT_TRUE(StateDirectory::Open(Folder()).ok());
}

TEST(StateDirectoryTest, ErrorsSayWhere) {
  const auto folder = StateDirectory::Open("/nonexistent/deeper");
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(std::string(folder.status().message()), "/nonexistent/deeper: cannot be made: No such file or directory");
}

}  // namespace
}  // namespace flowacct::collector
