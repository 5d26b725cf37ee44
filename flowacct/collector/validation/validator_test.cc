// Caches that do as they should, and those that do not; files that change, break and go.

#include "flowacct/collector/validation/validator.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/mutex.h"
#include "flowacct/collector/validation/testing/fake_cache.h"
#include "flowacct/collector/validation/validation_options.h"
#include "flowacct/rpki/published_vrps.h"
#include "flowacct/rpki/vrp_table.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

using rpki::PduType;

// Whether it becomes true within ten seconds.
bool Eventually(const std::function<bool()>& condition) {
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

ValidationOptions QuickOptions() {
  ValidationOptions options;
  options.first_retry = absl::Milliseconds(10);
  options.connect_timeout = absl::Seconds(2);
  options.look_at_files = absl::Milliseconds(5);
  options.between_tables = absl::Milliseconds(1);
  return options;
}

class ValidatorTest : public ::testing::Test {
 protected:
  void Start(const ValidationOptions& options) {
    published_ = std::make_shared<rpki::PublishedVrps>();
    auto made = Validator::New(options, published_, [this](absl::string_view line) {
      base::MutexLock lock(&mutex_);
      log_.emplace_back(line);
    });
    ASSERT_TRUE(made.ok()) << made.status();
    validator_ = *std::move(made);
    validator_->Start();
  }
  // "64500 64501" of those who may originate 10.0.0.0/8; "none": there is no table.
  std::string Holders() {
    const auto table = published_->Get();
    if (table == nullptr) return "none";
    std::set<uint32_t> holders;
    for (const rpki::Vrp& vrp : table->Covering(*base::IpPrefix::Parse("10.0.0.0/8"))) holders.insert(vrp.as);
    return absl::StrJoin(holders, " ");
  }
  bool Become(const std::string& holders) {
    const bool did = Eventually([&] { return Holders() == holders; });
    EXPECT_EQ(Holders(), holders);
    return did;
  }
  RpkiCacheStatus CacheStatus(size_t i = 0) { return validator_->Status().caches[i]; }
  RpkiFileStatus FileStatus(size_t i = 0) { return validator_->Status().files[i]; }
  size_t LinesWith(absl::string_view text) {
    base::MutexLock lock(&mutex_);
    return static_cast<size_t>(
        std::count_if(log_.begin(), log_.end(), [&](const std::string& l) { return absl::StrContains(l, text); }));
  }
  std::string File(absl::string_view name) {
    return absl::StrCat(::testing::TempDir(), "/", ::testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
                        name);
  }
  // As who replaces a file does it.
  static void Put(const std::string& path, const std::string& text) {
    std::ofstream(path + ".new") << text;
    ASSERT_EQ(std::rename((path + ".new").c_str(), path.c_str()), 0);
  }
  static std::string Roas(const std::vector<uint32_t>& holders) {
    std::vector<std::string> roas;
    for (uint32_t as : holders) {
      roas.push_back(absl::StrCat("{\"asn\":", as, ",\"prefix\":\"10.0.0.0/8\",\"maxLength\":24}"));
    }
    return absl::StrCat("{\"roas\":[", absl::StrJoin(roas, ","), "]}");
  }
  static rpki::Vrp Held(uint32_t as) { return MakeVrp("10.0.0.0/8", 24, as); }

  base::Mutex mutex_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<rpki::PublishedVrps> published_;
  std::unique_ptr<Validator> validator_;
};

TEST_F(ValidatorTest, ACachesSetAndItsChanges) {
  FakeCache cache;
  ValidationOptions options = QuickOptions();
  options.caches = {cache.url()};
  Start(options);
  EXPECT_EQ(Holders(), "none");
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(1), MakeVrp("2001:db8::/32", 48, 2)}));
  ASSERT_TRUE(Become("1"));
  ASSERT_TRUE(cache.Notify(7, 2));
  ASSERT_TRUE(cache.AwaitQuery(PduType::kSerialQuery, 7, 1));
  ASSERT_TRUE(cache.AnswerChanges(7, 2, {{true, Held(3)}, {false, Held(1)}}));
  ASSERT_TRUE(Become("3"));
  ASSERT_TRUE(Eventually([&] { return CacheStatus().serial == 2; }));
  const RpkiCacheStatus status = CacheStatus();
  EXPECT_EQ(status.state, "synchronized");
  EXPECT_EQ(status.version, 1u);
  EXPECT_EQ(status.session, 7u);
  EXPECT_EQ(status.vrps, 2u);
  EXPECT_EQ(status.updates, 2u);
  EXPECT_EQ(status.announced, 3u);
  EXPECT_EQ(status.withdrawn, 1u);
  EXPECT_EQ(status.connections, 1u);
  EXPECT_EQ(status.failures, 0u);
  EXPECT_EQ(status.last_error, "");
  EXPECT_LT(status.updated, status.expires);
  EXPECT_EQ(validator_->Status().vrps, 2u);
  EXPECT_TRUE(validator_->Status().validates);

  // It has forgotten what it told, and tells all anew; what was known holds meanwhile.
  ASSERT_TRUE(cache.Notify(7, 9));
  ASSERT_TRUE(cache.AwaitQuery(PduType::kSerialQuery, 7, 2));
  base::OctetWriter reset;
  rpki::WriteCacheReset(1, &reset);
  ASSERT_TRUE(cache.Send(reset.octets()));
  ASSERT_TRUE(cache.AnswerWhole(7, 9, {Held(4)}));
  ASSERT_TRUE(Become("4"));
}

TEST_F(ValidatorTest, SetsOfCachesAndFilesAreJoined) {
  FakeCache a, b;
  const std::string file = File("roas.json");
  Put(file, Roas({1, 5}));
  ValidationOptions options = QuickOptions();
  options.caches = {a.url(), b.url()};
  options.roa_files = {file};
  Start(options);
  ASSERT_TRUE(a.Accept());
  ASSERT_TRUE(a.AnswerWhole(1, 1, {Held(1), Held(2)}));
  ASSERT_TRUE(Eventually([&] { return CacheStatus(0).vrps == 2; }));
  // What some know is not enough to call a route invalid.
  EXPECT_EQ(Holders(), "none");
  ASSERT_TRUE(b.Accept());
  ASSERT_TRUE(b.AnswerWhole(2, 1, {Held(1), Held(3)}));
  ASSERT_TRUE(Become("1 2 3 5"));
  EXPECT_TRUE(Eventually([&] { return validator_->Status().vrps == 4; }));
  // One that is withdrawn by the one, and told by others, stays.
  ASSERT_TRUE(a.Notify(1, 2));
  ASSERT_TRUE(a.AwaitQuery(PduType::kSerialQuery, 1, 1));
  ASSERT_TRUE(a.AnswerChanges(1, 2, {{false, Held(1)}, {false, Held(2)}}));
  ASSERT_TRUE(Become("1 3 5"));
}

TEST_F(ValidatorTest, TheFirstTableWaitsForSilentCachesOnlySoLong) {
  FakeCache silent, good;
  ValidationOptions options = QuickOptions();
  options.caches = {silent.url(), good.url()};
  options.first_table_waits = absl::Milliseconds(100);
  Start(options);
  ASSERT_TRUE(good.Accept());
  ASSERT_TRUE(good.AnswerWhole(1, 1, {Held(1)}));
  ASSERT_TRUE(Become("1"));
}

TEST_F(ValidatorTest, ACacheThatIsAwayKeepsItsSetAndIsAskedForWhatChanged) {
  FakeCache cache;
  ValidationOptions options = QuickOptions();
  options.caches = {cache.url()};
  Start(options);
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(1)}));
  ASSERT_TRUE(Become("1"));
  cache.HangUp();
  ASSERT_TRUE(cache.Accept());
  EXPECT_EQ(Holders(), "1");
  ASSERT_TRUE(cache.AwaitQuery(PduType::kSerialQuery, 7, 1));
  ASSERT_TRUE(cache.AnswerChanges(7, 2, {{true, Held(2)}}));
  ASSERT_TRUE(Become("1 2"));
  // Restarted: what another session told is nothing that changes can be told of.
  cache.HangUp();
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AwaitQuery(PduType::kSerialQuery, 7, 2));
  ASSERT_TRUE(cache.AnswerChanges(8, 1, {}));
  ASSERT_TRUE(Become("none"));
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(8, 1, {Held(3)}));
  ASSERT_TRUE(Become("3"));
  // Gone for good: refused from now on, each time later.
  cache.Leave();
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(CacheStatus().last_error, "refused"); }));
  EXPECT_EQ(Holders(), "3");
  EXPECT_EQ(LinesWith("refused"), 1u) << "one line, however often";
}

TEST_F(ValidatorTest, WhatIsNotHeardAgainExpires) {
  FakeCache cache(/*version=*/0);
  ValidationOptions options = QuickOptions();
  options.caches = {cache.url()};
  options.client.version = 0;
  options.client.expire = absl::Seconds(1);
  Start(options);
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(1)}));
  ASSERT_TRUE(Become("1"));
  cache.Leave();
  ASSERT_TRUE(Become("none"));
  EXPECT_TRUE(Eventually([&] { return !validator_->Status().validates && CacheStatus().flushed == 1; }));
}

TEST_F(ValidatorTest, ACacheOfTheOlderVersion) {
  FakeCache cache(/*version=*/0);
  ValidationOptions options = QuickOptions();
  options.caches = {cache.url()};
  options.first_retry = absl::Hours(1);  // the older version is tried at once
  Start(options);
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AwaitQuery(PduType::kResetQuery));
  base::OctetWriter report;
  rpki::WriteErrorReport(0, rpki::ErrorCode::kUnsupportedVersion, {}, "", &report);
  ASSERT_TRUE(cache.Send(report.octets()));
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(1)}));
  ASSERT_TRUE(Become("1"));
  EXPECT_TRUE(Eventually([&] { return CacheStatus().version == 0; }));
}

// Each costs its own connection; the other cache is heard all the time.
TEST_F(ValidatorTest, CachesThatDoHarmToNobody) {
  struct Case {
    const char* what;
    std::function<void(FakeCache&)> misbehave;  // after its Reset Query was read
    const char* error;
  };
  base::OctetWriter long_pdu;
  long_pdu.U8(1).U8(10).U16(0).U32(0x7fffffff);
  const std::vector<Case> cases = {
      {"garbage", [](FakeCache& c) { c.Send(base::AsOctets("GET / HTTP/1.1\r\n\r\n")); }, "version"},
      {"a PDU of gigabytes", [&](FakeCache& c) { c.Send(long_pdu.octets()); }, "corrupt data"},
      {"silence", [](FakeCache&) {}, "the cache does not answer"},
      {"half of an answer",
       [](FakeCache& c) {
         base::OctetWriter out;
         rpki::WriteCacheResponse(1, 7, &out);
         rpki::WritePrefix(1, {true, MakeVrp("10.0.0.0/8", 8, 66)}, &out);
         c.Send(out.octets().subspan(0, out.size() - 3));
       },
       "the cache does not answer"},
      {"too many VRPs",
       [](FakeCache& c) {
         std::vector<std::pair<bool, rpki::Vrp>> all;
         for (uint32_t as = 100; as < 120; ++as) all.emplace_back(true, Held(as));
         c.AnswerChanges(7, 1, all);
       },
       "more than this router takes"},
      {"an error with control characters",
       [](FakeCache& c) {
         base::OctetWriter out;
         rpki::WriteErrorReport(1, rpki::ErrorCode::kInternalError, {}, "\x1b[2Jbad", &out);
         c.Send(out.octets());
       },
       "the cache reports internal error:  [2Jbad"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    FakeCache bad, good;
    ValidationOptions options = QuickOptions();
    options.caches = {bad.url(), good.url()};
    options.client.response_time = absl::Milliseconds(700);
    options.client.max_vrps = 10;
    Start(options);
    ASSERT_TRUE(good.Accept());
    ASSERT_TRUE(good.AnswerWhole(1, 1, {Held(1)}));
    ASSERT_TRUE(bad.Accept());
    ASSERT_TRUE(bad.AwaitQuery(PduType::kResetQuery));
    c.misbehave(bad);
    ASSERT_TRUE(Become("1"));
    EXPECT_TRUE(Eventually([&] { return absl::StrContains(CacheStatus().last_error, c.error); }))
        << CacheStatus().last_error;
    // It may come back.
    ASSERT_TRUE(bad.Accept());
    ASSERT_TRUE(bad.AnswerWhole(1, 1, {Held(2)}));
    ASSERT_TRUE(Become("1 2"));
    ASSERT_TRUE(good.Notify(1, 2));
    ASSERT_TRUE(good.AwaitQuery(PduType::kSerialQuery, 1, 1));
    ASSERT_TRUE(good.AnswerChanges(1, 2, {{true, Held(3)}}));
    ASSERT_TRUE(Become("1 2 3"));
    validator_.reset();
  }
}

TEST_F(ValidatorTest, GarbageAfterASetLeavesTheSet) {
  FakeCache cache;
  ValidationOptions options = QuickOptions();
  options.caches = {cache.url()};
  Start(options);
  ASSERT_TRUE(cache.Accept());
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(1)}));
  ASSERT_TRUE(Become("1"));
  base::OctetWriter out;
  out.U8(1).U8(99).U16(0).U32(8);
  ASSERT_TRUE(cache.Send(out.octets()));
  const std::string report = cache.Read();
  ASSERT_GE(report.size(), 8u);
  EXPECT_EQ(static_cast<PduType>(report[1]), PduType::kErrorReport);
  EXPECT_EQ(report[3], 5) << "unsupported PDU type";
  ASSERT_TRUE(cache.Accept());
  EXPECT_EQ(Holders(), "1");
  ASSERT_TRUE(cache.AnswerWhole(7, 1, {Held(2)}));
  ASSERT_TRUE(Become("2"));
}

TEST_F(ValidatorTest, FilesThatChangeBreakAndGo) {
  const std::string file = File("roas.json");
  Put(file, Roas({1}));
  ValidationOptions options = QuickOptions();
  options.roa_files = {file};
  Start(options);
  EXPECT_EQ(Holders(), "1") << "before anything else happens";
  Put(file, Roas({1, 2}));
  ASSERT_TRUE(Become("1 2"));
  // In place.
  std::ofstream(file) << Roas({3});
  ASSERT_TRUE(Become("3"));
  Put(file, "{\"roas\":[{\"asn\":4,");
  ASSERT_TRUE(Eventually([&] { return FileStatus().failures == 1; }));
  EXPECT_NE(FileStatus().last_error, "");
  EXPECT_EQ(Holders(), "3");
  EXPECT_EQ(LinesWith("what was read before still holds"), 1u);
  Put(file, Roas({5}));
  ASSERT_TRUE(Become("5"));
  EXPECT_TRUE(Eventually([&] { return FileStatus().last_error.empty(); }));
  ASSERT_EQ(unlink(file.c_str()), 0);
  ASSERT_TRUE(Eventually([&] { return FileStatus().failures == 2; }));
  EXPECT_TRUE(absl::StrContains(FileStatus().last_error, "No such file")) << FileStatus().last_error;
  EXPECT_EQ(Holders(), "5");
  Put(file, Roas({6}));
  ASSERT_TRUE(Become("6"));
  // What nobody can read to its end is not begun.
  ASSERT_EQ(unlink(file.c_str()), 0);
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(FileStatus().last_error, "is no file"); }))
      << FileStatus().last_error;
  EXPECT_EQ(Holders(), "6");
  unlink(file.c_str());
}

TEST_F(ValidatorTest, FilesAreCountedAndBounded) {
  const std::string odd = File("odd.json"), large = File("large.json"), gone = File("gone.json");
  Put(odd,
      "{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\"},{\"asn\":\"x\",\"prefix\":\"10.0.0.0/8\"},"
      "{\"asn\":2,\"prefix\":\"10.0.0.0/8\",\"expires\":1000000}]}");
  Put(large, Roas({1, 2, 3}) + std::string(500, ' '));
  ValidationOptions options = QuickOptions();
  options.roa_files = {odd, large, gone};
  options.max_file_octets = 400;
  Start(options);
  EXPECT_EQ(Holders(), "1");
  EXPECT_EQ(FileStatus(0).vrps, 1u);
  EXPECT_EQ(FileStatus(0).malformed, 1u);
  EXPECT_EQ(FileStatus(0).expired, 1u);
  EXPECT_TRUE(absl::StrContains(FileStatus(1).last_error, "at most 400 are read")) << FileStatus(1).last_error;
  EXPECT_TRUE(absl::StrContains(FileStatus(2).last_error, "is the path right?")) << FileStatus(2).last_error;
}

TEST_F(ValidatorTest, WhatExpiresInAFileGoesThoughItDoesNotChange) {
  const std::string file = File("roas.json");
  Put(file, absl::StrCat("{\"roas\":[{\"asn\":1,\"prefix\":\"10.0.0.0/8\"},{\"asn\":2,\"prefix\":\"10.0.0.0/8\","
                         "\"expires\":",
                         absl::ToUnixSeconds(absl::Now()) + 2, "}]}"));
  ValidationOptions options = QuickOptions();
  options.roa_files = {file};
  options.read_files_again = absl::Milliseconds(50);
  Start(options);
  EXPECT_EQ(Holders(), "1 2");
  ASSERT_TRUE(Become("1"));
}

TEST_F(ValidatorTest, TablesAreMadeNoMoreOftenThanAsked) {
  const std::string file = File("roas.json");
  Put(file, Roas({1}));
  ValidationOptions options = QuickOptions();
  options.roa_files = {file};
  options.between_tables = absl::Milliseconds(300);
  Start(options);
  const absl::Time begun = absl::Now();
  for (uint32_t as = 2; as < 40; ++as) {
    Put(file, Roas({as}));
    absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_TRUE(Become("39"));
  const double allowed = 2 + (absl::Now() - begun) / absl::Milliseconds(300);
  EXPECT_LE(static_cast<double>(validator_->Status().tables), allowed);
}

TEST_F(ValidatorTest, StopsWhateverItWaitsFor) {
  FakeCache silent;
  ValidationOptions options = QuickOptions();
  // The other is an address that nobody answers for (RFC 5737).
  options.caches = {silent.url(), "tcp://192.0.2.1:323"};
  Start(options);
  ASSERT_TRUE(silent.Accept());
  const absl::Time begun = absl::Now();
  validator_->Stop();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(1));
}

TEST(ValidationOptions, WhatCannotBeIsSaid) {
  const auto error = [](const std::function<void(ValidationOptions*)>& change) {
    ValidationOptions options;
    options.caches = {"tcp://192.0.2.1:323"};
    change(&options);
    return std::string(CheckValidationOptions(options).message());
  };
  EXPECT_EQ(error([](ValidationOptions*) {}), "");
  EXPECT_TRUE(absl::StartsWith(error([](ValidationOptions* o) { o->caches.clear(); }), "give cache: "));
  EXPECT_TRUE(absl::StartsWith(error([](ValidationOptions* o) { o->caches = {"udp://192.0.2.1:323"}; }), "cache: "));
  EXPECT_TRUE(absl::StrContains(error([](ValidationOptions* o) { o->caches = {"tcp://192.0.2.1:0"}; }), "port 0"));
  EXPECT_TRUE(absl::StrContains(error([](ValidationOptions* o) { o->caches = {"tcp://[::]:323"}; }), "is no address"));
  EXPECT_TRUE(absl::StrContains(error([](ValidationOptions* o) { o->caches.push_back(o->caches[0]); }), "twice"));
  EXPECT_TRUE(absl::StrContains(error([](ValidationOptions* o) { o->client.version = 2; }), "version: 2"));
  EXPECT_TRUE(absl::StrContains(error([](ValidationOptions* o) { o->client.max_vrps = 0; }), "max_vrps: 0"));
  EXPECT_TRUE(
      absl::StrContains(error([](ValidationOptions* o) { o->first_retry = absl::ZeroDuration(); }), "first_retry: 0"));
}

}  // namespace
}  // namespace flowacct::collector
