// Options as one text.

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "flowacct/sink/mariadb/connection_options.h"
#include "gtest/gtest.h"

namespace flowacct::sink::mariadb {
namespace {

TEST(ConnectionOptions, OfOneText) {
  const auto options = ParseConnectionOptions(
      " host=db.example port=3307 user='it''s me'  database=flows\tpassword_file='/etc/a b' tls=verify "
      "tls_ca_file=/ca.pem timeout=2m");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->host, "db.example");
  EXPECT_EQ(options->port, 3307);
  EXPECT_EQ(options->user, "it's me");
  EXPECT_EQ(options->database, "flows");
  EXPECT_EQ(options->password_file, "/etc/a b");
  EXPECT_EQ(options->tls, Tls::kVerify);
  EXPECT_EQ(options->tls_ca_file, "/ca.pem");
  EXPECT_EQ(options->timeout, absl::Minutes(2));
  const auto local = ParseConnectionOptions("socket=/run/s database=flows");
  ASSERT_TRUE(local.ok()) << local.status();
  EXPECT_EQ(local->socket, "/run/s");
  EXPECT_EQ(local->tls, Tls::kOff);
}

TEST(ConnectionOptions, ErrorsAreOneLineWithoutAPassword) {
  struct Case {
    absl::string_view text, told;
  };
  for (const Case& c : {Case{"", "no database"},
                        {"host=a", "no database"},
                        {"database=", "database: a name"},
                        {"database=flows port=0", "port: a number from 1 to 65535"},
                        {"database=flows port=x", "port: a number"},
                        {"database=flows tls=maybe", "tls: off, require or verify"},
                        {"database=flows timeout=soon", "timeout: a time"},
                        {"database=flows timeout=1ms", "from a second to a day"},
                        {"database=flows host=a socket=b", "choose one"},
                        {"database=flows user='x", "user: the quote does not end"},
                        {"database=flows user='x'y", "user: the quote does not end"},
                        {"database=flows database=b", "database is there twice"},
                        {"database=flows hunter2", "a word without"},
                        {"database=flows passwd=hunter2", "none of host, port, socket"},
                        {"database=flows password=hunter2", "password_file"}}) {
    const absl::Status status = ParseConnectionOptions(c.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_TRUE(absl::StrContains(status.message(), c.told)) << c.text << ": " << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hunter2")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "\n")) << status;
  }
}

}  // namespace
}  // namespace flowacct::sink::mariadb
