#include "flowacct/collector/stores/store_kind.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StoreKind, KindAndPlace) {
  const auto store = ParseStore("postgresql:host=db.example dbname=a:b");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->kind->name, "postgresql");
  EXPECT_EQ(store->place.place, "host=db.example dbname=a:b");
  for (const StoreKind& kind : StoreKinds()) EXPECT_EQ(FindStoreKind(kind.name), &kind);
}

TEST(StoreKind, WhatIsNoneIsToldWhatThereIs) {
  for (const char* wrong : {"", "sqlite", "sqlite:", "oracle:x", ":x", "SQLITE:x"}) {
    const auto store = ParseStore(wrong);
    ASSERT_FALSE(store.ok()) << wrong;
    EXPECT_EQ(store.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(store.status().message()), HasSubstr("sqlite:FILE, postgresql:CONNECTION"));
  }
}

// A user may be in a URL, a password may not, and is not repeated.
TEST(StoreKind, UsersAndPasswordsInUrls) {
  const auto open = [](const char* text) {
    const auto store = ParseStore(text);
    return store.ok() ? store->kind->open(store->place).status() : store.status();
  };
  EXPECT_TRUE(open("clickhouse:http://flowacct@127.0.0.1:1/flows").ok());
  EXPECT_TRUE(open("clickhouse:http://127.0.0.1:1/flows").ok());
  for (const char* told :
       {"clickhouse:http://flowacct:hunter2@127.0.0.1:1/flows", "mongodb://u:hunter2@127.0.0.1:1/",
        "mariadb:host=127.0.0.1 database=f password=hunter2", "postgresql:host=127.0.0.1 password=hunter2"}) {
    const absl::Status status = open(told);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << told;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace flowacct::collector
