// The engine behind SessionEngine: pairs answers with requests, knows both when they come again, and does to the store
// what an accepted request says.

#ifndef FLOWACCT_SESSION_SESSION_IMPL_H_
#define FLOWACCT_SESSION_SESSION_IMPL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "flowacct/gtp/causes.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/session/answered_transactions.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_store.h"

namespace flowacct::session {

// What of a request outlives it, until its answer.
struct Request {
  gtp::ControlFields fields;
  uint32_t sender = 0, receiver = 0;  // peers
  int64_t time_nanos = 0;
  bool sent_again = false;
  std::vector<gtp::Fteid> control;
  std::vector<gtp::BearerContext> bearers;
  std::vector<gtp::ConnectionContext> connections;

  // Keeps the memory of what it was before.
  void Set(const gtp::ControlMessage& message);
};

inline bool IsRefused(uint8_t version, std::optional<uint8_t> cause) {
  return cause && !gtp::CauseAccepts(version, *cause);
}

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
  using Key = TransactionKey;
  struct Transaction {
    uint32_t request;
    uint32_t serial;  // the key may be another's later
    uint32_t asked;   // FingerprintOf the request
  };
  struct Expiry {
    int64_t time_nanos;
    Key key;
    uint32_t serial;
  };
  // A request and its answer.
  struct Exchange {
    const Request& request;
    const gtp::ControlMessage& response;
    int64_t time_nanos;  // of the answer
    bool v4;             // they came over IPv4
  };
  struct Unproven {  // a new session that was assumed
    int64_t time_nanos;
    uint32_t session;
    uint64_t number;
  };
  struct Late {  // an answer
    int64_t time_nanos;
    uint32_t request;
  };
  // Of a request to create on S11 or S4.
  struct CreateKey {
    uint64_t imsi;
    uint8_t ebi;
    bool operator==(const CreateKey& o) const { return imsi == o.imsi && ebi == o.ebi; }
    template <typename H>
    friend H AbslHashValue(H h, const CreateKey& k) {
      return H::combine(std::move(h), k.imsi, k.ebi);
    }
  };
  static std::optional<CreateKey> CreateKeyOf(const Request& request);
  // Session, and which of its control endpoints the request was sent to.
  struct Target {
    uint32_t session;
    PathKind path;
    Side side;
  };
  // When an answer that was not seen may be assumed: by what was made, which its sender has anyway, or what ended.
  enum class Assumed : uint8_t { kNever, kSoon, kLate };
  // A procedure that changes something here.
  struct Followed {
    gtp::Procedure procedure;
    void (Impl::*apply)(const Exchange&);
    Assumed assumed;
  };
  static const Followed* FollowedBy(gtp::Procedure procedure);

  void TakeRequest(const gtp::ControlMessage& message, int64_t time_nanos, uint32_t sender, uint32_t receiver);
  void TakeResponse(const gtp::ControlMessage& message, const Transport& transport, uint32_t sender, uint32_t receiver);
  void TakeUnpaired(const gtp::ControlMessage& message, uint32_t answered, bool accepts, int64_t time_nanos,
                    uint32_t sender, uint32_t receiver);
  void TakeRecovery(uint32_t peer, uint8_t counter, int64_t time_nanos);
  void ErrorIndication(const gtp::ControlMessage& message, int64_t time_nanos);
  // Of what a message that comes again has, and another one with its sequence number has not; never 0.
  uint32_t FingerprintOf(const gtp::ControlMessage& message) const;
  Key KeyOf(const gtp::ControlMessage& message, uint32_t asker, uint32_t answerer) const {
    return {asker, answerer, message.sequence | uint32_t{message.version} << 24};
  }
  void ForgetFirst();
  Transaction* Find(const Expiry& expiry);  // null: it is no more
  uint32_t NewRequest();
  void Drop(uint32_t request);
  // The answer was not seen; or the request.
  void Assume(const Request& request);
  void TakeAnswerAlone(const gtp::ControlMessage& message, int64_t time_nanos, uint32_t sender, uint32_t receiver);

  void CreatedAlone(const gtp::ControlMessage& message, int64_t time_nanos, uint32_t sender, uint32_t receiver);
  // Of an answer without its request, and with the PGW's tunnel of a request without its answer. False: whose they are
  // may yet be known.
  bool LearnCreatedBearers(const gtp::ControlFields& fields, absl::Span<const gtp::BearerContext> bearers,
                           uint32_t sender, uint32_t receiver, int64_t time_nanos);
  void KeepForLater(const gtp::ControlMessage& message, int64_t time_nanos, uint32_t sender, uint32_t receiver);
  void LearnBearersByCore(const Request& request);
  // A session of S5 has the MME's endpoint of the request on S11 that it followed from.
  void LinkWaiting(uint32_t session, base::Digits imsi, uint8_t ebi);
  // A creation whose answer was not seen. It is bounded, takes nothing from others, and ends where nothing follows.
  void AssumeNew(const Exchange& x);
  void EndUnproven(const Unproven& u);
  void EndAssumed(const Request& request, int64_t time_nanos);
  // A creation waits that has this endpoint of an MME or SGSN, and is assumed now.
  bool AssumeWaiting(ControlEnd near);
  static ControlEnd NearOf(const Request& request);
  // Whether a request to create is about a session that is there.
  bool IsOfKnown(const Exchange& x);

  // Each does what an accepted exchange says. ModifyBearer is of both directions: update bearer, too.
  void CreateSession(const Exchange& x);
  void ModifyBearer(const Exchange& x);
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
  // The receiver does not know the session.
  void Unknown(const Exchange& x);

  // Whom a request is for, to targets_: by the receiver's control endpoint, else by the sender's as the answer tells
  // it, else by the IMSI.
  void FindTargets(const Exchange& x);
  const Target* TargetWith(std::optional<uint8_t> default_ebi) const;
  uint32_t SessionWith(base::Digits imsi, uint8_t ebi) const;
  // Of an attach or a relocation, the session that is there already and is the same; 0: it is a new one.
  uint32_t FindSame(const Exchange& x, PathKind path, uint8_t ebi, ControlEnd near, ControlEnd far, const Facts& facts,
                    bool replace);
  void ApplyBearers(const Exchange& x, uint32_t session, bool sender_is_far, bool make);
  void DeletePath(uint32_t session, PathKind path, bool whole, int64_t time_nanos, uint8_t cause);
  void LearnConnections(const Exchange& x, const gtp::ControlFields& fields, absl::Span<const gtp::Fteid> control,
                        absl::Span<const gtp::BearerContext> bearers,
                        absl::Span<const gtp::ConnectionContext> connections);

  // 0 if it has no address.
  uint32_t PeerOf(const gtp::Fteid& fteid, bool v4);
  // `sender`: of a message of GTPv1 between an SGSN and a GGSN, which of them it is.
  ControlEnd FindControl(absl::Span<const gtp::Fteid> fteids, PathKind path, Side side, bool v4,
                         std::optional<Side> sender = std::nullopt);
  void SetControls(uint32_t session, absl::Span<const gtp::Fteid> fteids, bool v4,
                   std::optional<Side> sender = std::nullopt);
  // `only_missing`: what is known stays.
  void SetEndpoints(uint32_t session, uint8_t ebi, const gtp::BearerContext& bearer, std::optional<Side> sender,
                    bool only_missing, int64_t time_nanos);

  // What a message tells of the session goes to `facts`.
  void Learn(const gtp::ControlFields& fields, Facts* facts);
  void LearnApn(const gtp::Apn& apn, Facts* facts);
  static void LearnUe(const gtp::UeAddresses& ue, Facts* facts);
  static void LearnBearer(const gtp::BearerContext& bearer, Facts* facts);
  void SetNetworks(uint32_t near_peer, Facts* facts) const;
  gtp::Plmn HomeOf(base::Digits imsi) const;

  absl::flat_hash_map<Key, Transaction> waiting_;  // for an answer
  AnsweredTransactions answered_;
  uint32_t next_serial_ = 0;
  std::deque<Request> requests_;  // a pool
  std::vector<uint32_t> free_requests_;
  std::deque<Expiry> expiries_;            // of all that wait, and of some that do no more
  std::deque<Expiry> assumptions_, made_;  // of those whose answer may be assumed
  std::deque<Late> late_;
  std::deque<Unproven> unproven_;
  // Requests that wait, on S11 and S4.
  absl::flat_hash_map<CreateKey, uint32_t> creates_;
  absl::flat_hash_map<ControlEnd, uint32_t> creates_by_near_;
  gtp::ControlMessage unseen_;   // an answer
  std::vector<Target> targets_;  // scratch
};

}  // namespace flowacct::session

#endif  // FLOWACCT_SESSION_SESSION_IMPL_H_
