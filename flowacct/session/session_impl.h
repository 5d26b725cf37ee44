// The engine behind SessionEngine: pairs answers with requests, and does to the store what an accepted request says.

#ifndef FLOWACCT_SESSION_SESSION_IMPL_H_
#define FLOWACCT_SESSION_SESSION_IMPL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_store.h"

namespace flowacct::session {

// What of a message outlives it: a request until its answer.
struct Request {
  gtp::Procedure procedure = gtp::Procedure::kNone;
  uint8_t version = 0;
  uint32_t sender = 0, receiver = 0;  // peers
  uint32_t teid = 0;
  int64_t time_nanos = 0;
  std::optional<base::Digits> imsi, msisdn, imei;
  std::optional<gtp::Apn> apn;
  std::optional<gtp::UeAddresses> ue;
  std::optional<gtp::RatType> rat;
  std::optional<gtp::Plmn> serving_network;
  std::optional<gtp::UserLocation> location;
  std::optional<uint16_t> charging_characteristics;
  std::optional<uint32_t> charging_id;
  std::optional<uint8_t> linked_ebi, ebi;
  bool teardown = false;
  uint64_t indication = 0;
  std::vector<gtp::Fteid> control;
  std::vector<gtp::BearerContext> bearers;
  std::vector<gtp::ConnectionContext> connections;

  // Keeps the memory of what it was before.
  void Set(const gtp::ControlMessage& message);
};

class SessionEngine::Impl {
 public:
  Impl(lpm::ReaderEpochs* epochs, SessionOptions options);

  void Take(const gtp::ControlMessage& message, const Transport& transport);
  bool Advance(int64_t now_nanos);
  size_t transactions() const { return waiting_.size(); }
  size_t octets() const;

  SessionView ViewOf(uint32_t leg) const;
  std::string Save() const;
  absl::Status Restore(base::Octets sealed);

  SessionStore store;

 private:
  // Of both addresses, in the direction of the request, and the sequence number.
  struct Key {
    uint32_t sender, receiver;
    uint32_t sequence;  // with the version above it
    bool operator==(const Key& o) const {
      return sender == o.sender && receiver == o.receiver && sequence == o.sequence;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.sender, k.receiver, k.sequence);
    }
  };
  struct Expiry {
    int64_t time_nanos;
    Key key;
    int64_t begun_nanos;  // of the request, which may be gone
  };
  // A request and its accepted answer.
  struct Exchange {
    const Request& request;
    const gtp::ControlMessage& response;
    int64_t time_nanos;  // of the answer
  };
  // Session, and by which of its endpoints the request found it.
  struct Target {
    uint32_t session;
    PathKind path;
    Side side;  // the receiver's
  };
  using Apply = void (Impl::*)(const Exchange&);
  static Apply ApplyOf(gtp::Procedure procedure);

  void TakeRequest(const gtp::ControlMessage& message, const Transport& transport, uint32_t sender, uint32_t receiver);
  void TakeResponse(const gtp::ControlMessage& message, const Transport& transport, uint32_t sender,
                    uint32_t receiver);
  void TakeRecovery(uint32_t peer, uint8_t counter, int64_t time_nanos);
  void ErrorIndication(const gtp::ControlMessage& message, const Transport& transport);
  void Drop(uint32_t request);

  void CreateSession(const Exchange& x);
  void ModifyBearer(const Exchange& x);
  void UpdateBearer(const Exchange& x);
  void DeleteSession(const Exchange& x);
  void CreateBearer(const Exchange& x);
  void DeleteBearer(const Exchange& x);
  void ReleaseAccessBearers(const Exchange& x);
  void ChangeNotification(const Exchange& x);
  void Suspend(const Exchange& x);
  void Resume(const Exchange& x);
  void Context(const Exchange& x);
  void ForwardRelocation(const Exchange& x);
  void CreateForwarding(const Exchange& x);
  void DeleteForwarding(const Exchange& x);
  void PgwRestart(const Exchange& x);
  void Refused(const Exchange& x);

  // Whom a request is for: by the receiver's control endpoint, else by the sender's as the answer tells it, else by
  // the IMSI.
  std::vector<Target>& TargetsOf(const Exchange& x);
  const Target* TargetWithEbi(uint8_t ebi) const;  // of the targets
  void Modify(const Exchange& x, bool of_paths);

  ControlEnd EndOf(const gtp::Fteid& fteid);
  // The first of these on that path and side.
  const gtp::Fteid* FindControl(absl::Span<const gtp::Fteid> fteids, PathKind path, Side side) const;
  void SetEndpoints(uint32_t session, uint8_t ebi, absl::Span<const gtp::Fteid> fteids, bool by_far_node, uint8_t version,
                    int64_t time_nanos);
  void SetForwarding(uint32_t session, uint8_t ebi, absl::Span<const gtp::Fteid> fteids, int64_t time_nanos);
  // What a message tells of the session and of its bearer goes to `facts`.
  template <typename Message>
  void Learn(const Message& message, Facts* facts);
  void LearnBearer(const gtp::BearerContext& bearer, Facts* facts);
  void SetNetworks(Facts* facts, uint32_t near_peer) const;
  base::Digits HomeOf(base::Digits imsi, absl::string_view apn_operator) const;
  void SetApn(const gtp::Apn& apn, Facts* facts);
  uint32_t LearnConnection(const Exchange& x, base::Digits imsi, const gtp::ConnectionContext& connection,
                           absl::Span<const gtp::BearerContext> bearers, absl::Span<const gtp::Fteid> control);

  absl::flat_hash_map<Key, uint32_t> waiting_;
  std::deque<Request> requests_;  // a pool
  std::vector<uint32_t> free_requests_;
  std::deque<Expiry> expiries_;
  std::vector<Target> targets_;  // scratch
  std::vector<bool> three_digits_;
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_IMPL_H_
