// An RPKI cache on loopback that does what the test says, one connection at a time.
//
//     FakeCache cache;
//     ... a validator asks cache.url() ...
//     ASSERT_TRUE(cache.Accept());
//     ASSERT_TRUE(cache.AnswerWhole(7, 1, {MakeVrp("10.0.0.0/8", 16, 64500)}));
//     cache.Notify(7, 2);
//
// It waits for what the other side does for ten seconds at most. One thread; not for products.

#ifndef FLOWACCT_COLLECTOR_VALIDATION_TESTING_FAKE_CACHE_H_
#define FLOWACCT_COLLECTOR_VALIDATION_TESTING_FAKE_CACHE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/socket/descriptor.h"
#include "flowacct/rpki/pdu.h"
#include "flowacct/rpki/vrp.h"

namespace flowacct::collector {

rpki::Vrp MakeVrp(absl::string_view prefix, uint8_t max_length, uint32_t as);

class FakeCache {
 public:
  explicit FakeCache(uint8_t version = rpki::kMaxVersion);

  std::string url() const;  // "tcp://127.0.0.1:40123"
  // The next connection; the one before is closed.
  bool Accept();
  void HangUp() { connection_.Reset(); }
  // Nobody can connect any more.
  void Leave();

  // The next PDU that comes; empty: none, or the other side has closed.
  std::string Read();
  // The type of a query that comes, and of a Serial Query what it knows.
  bool AwaitQuery(rpki::PduType type, uint16_t session = 0, uint32_t serial = 0);
  bool Send(base::Octets octets);
  // Takes a Reset Query and tells a whole set.
  bool AnswerWhole(uint16_t session, uint32_t serial, const std::vector<rpki::Vrp>& vrps);
  // Answers a query with changes: true announces.
  bool AnswerChanges(uint16_t session, uint32_t serial, const std::vector<std::pair<bool, rpki::Vrp>>& changes);
  bool Notify(uint16_t session, uint32_t serial);

 private:
  const uint8_t version_;
  Descriptor listener_;
  uint16_t port_ = 0;
  Descriptor connection_;
};

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_VALIDATION_TESTING_FAKE_CACHE_H_
