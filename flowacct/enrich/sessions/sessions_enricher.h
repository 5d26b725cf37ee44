// Joins records to the subscriber's session that they are of: by the tunnel of GTP-U that they were in, at their time.
//
// Reads teid and gtp_dst_addr, which with the record's time (start_time, else end_time, export_time, arrival_time) are
// the key of a tunnel; without both, if asked (by_address), src_addr and dst_addr. Tells imsi, msisdn, imei, imei_tac,
// home_plmn, visited_plmn, home_country, visited_country, roaming, apn, apn_operator, rat, location and its forms, qci,
// arp, ebi, charging_id, charging_characteristics, gtp_up_addr, gtp_down_addr, teid_up, teid_down, ue_addr,
// gtp_interface, gtp_direction, session_id and session_start: what was so at that time, in place of what the record
// said; what the session does not know stays. gtp_match is told of each record of a tunnel, and of others that were
// joined or are somebody's by address: joined or why not. A record of a tunnel is never joined by an address: several
// subscribers may have the same.
//
// A packet may come before the message that made its tunnel. So a record whose tunnel is not known is held, and looked
// up again after an eighth of hold_nanos and after hold_nanos; then, or where max_held others wait already, it goes on
// as it is. What is older than hold_nanos already, as flows that an exporter tells when they end, is not held, nor is
// anything where nobody tells the time (Enricher::Release).
//
// Volumes: each record that is done counts once in its bearer's volume (session/session_reader.h), with its packets and
// bytes times its sampling rate, so that a session's volume is the estimate that the record's own counters are. Where
// several enrichers see the same record, all but one have count_volumes off.
//
// Standards: 3GPP TS 29.281 (tunnels), TS 29.274, TS 29.060, TS 23.003 (identities).
// Ownership: borrows epochs and engine; who owns these outlives it, or is kept by it. Threads: one for each worker;
// look-ups never wait for the engine's writer. Errors: none. Cost: a look-up a record, batch-wise, and what is wanted;
// nothing is allocated a record in steady state. Memory: session_texts.h, and what is held: max_held rows.

#ifndef FLOWACCT_ENRICH_SESSIONS_SESSIONS_ENRICHER_H_
#define FLOWACCT_ENRICH_SESSIONS_SESSIONS_ENRICHER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/sampling_scaler.h"
#include "flowacct/enrich/sessions/held_rows.h"
#include "flowacct/enrich/sessions/session_texts.h"
#include "flowacct/lpm/reader_epochs.h"
#include "flowacct/session/facts.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_reader.h"

namespace flowacct::enrich {

struct SessionsOptions {
  // Records without a tunnel are joined by their addresses and time.
  bool by_address = false;
  // A record of a tunnel whose inner address is not the subscriber's, or of a version of IP of which he has none, is
  // not joined: where the messages that gave the tunnel to another one were lost, it is that one's. Off: for
  // subscribers with networks behind them, or with an IPv4 address that comes by DHCP later (TS 23.401, 5.3.1.2.4).
  bool check_address = true;
  bool count_volumes = true;
  // As the pipeline's: what sampled records count in volumes. Nothing: what they say.
  std::optional<SamplingScalerOptions> sampling = SamplingScalerOptions();
  // Longer than nodes take to answer a request, and the two taps lie apart.
  int64_t hold_nanos = 2'000'000'000;
  // 32,000 records a second of which nothing is known yet, for each worker; some 200 octets each.
  size_t max_held = 65536;
};

// What the control road publishes for all enrichers: the epochs are the engine's.
struct Sessions {
  lpm::ReaderEpochs* epochs = nullptr;
  session::SessionEngine* engine = nullptr;
};

class SessionsEnricher : public Enricher {
 public:
  // `owner` of the sessions, if somebody is to keep it: it lives as long as this.
  SessionsEnricher(const Sessions& sessions, const SessionsOptions& options,
                   std::shared_ptr<const void> owner = nullptr);
  static EnricherFactory Factory(std::shared_ptr<const void> owner, const Sessions& sessions,
                                 const SessionsOptions& options);

  absl::string_view name() const override { return "sessions"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  size_t held() const override { return new_.size() + tried_.size(); }
  void Release(int64_t now_nanos, bool all, record::FlowBatch& batch) override;
  // Of a session itself, as its record: tells what Apply tells of a packet that was found so, whose tunnel has these
  // ends. `row` is of the bound layout.
  using Ends = std::pair<session::Endpoint, session::Endpoint>;
  void TellOf(const session::Found& found, const Ends& ends, uint8_t* row, base::Interner& interner);
  // Records that are done by what became of them, joined / all of which is the correlation ratio.
  std::vector<EnricherCounter> counters() const override;

 private:
  static constexpr size_t kBlock = 64;
  static constexpr size_t kTimes = 4;
  // The wait until the first of the two tries, as a part of the whole.
  static constexpr int64_t kFirstTry = 8;

  // A value that is wanted: a number of the table of fields in the .cc, and where it goes.
  struct Assignment {
    uint8_t value;
    FieldPlace place;
  };
  enum class Key : uint8_t { kNone, kTunnel, kAddress };

  // What the row is looked up by.
  Key KeyOf(const uint8_t* row, session::LookUp* look_up) const;
  int64_t TimeOf(const uint8_t* row) const;
  // Looks `n` rows up, at most a block.
  void FindBlock(const uint8_t* const* rows, size_t n);
  // Whether the record's inner address is one that the session does not have.
  bool IsOfAnother(const session::Found& found, const uint8_t* row) const;
  // Whether it may still be known later.
  bool MayCome(size_t i) const;
  // The row is done: tells and counts what was found.
  void Finish(size_t i, uint8_t* row, base::Interner& interner);
  void Tell(const session::Found& found, const Ends& ends, uint8_t* row, base::Interner& interner);
  void CountVolume(size_t i, const uint8_t* row);
  // Looks up the rows that wait since `until` or before and lets go of those that are joined, or of all if this is
  // the `last` try; others go on waiting.
  void TryAgain(HeldRows* waiting, int64_t until, bool last, record::FlowBatch* batch);

  const std::shared_ptr<const void> owner_;  // goes last
  const SessionsOptions options_;
  std::optional<lpm::ReaderEpochs::Reader> epochs_reader_;
  session::SessionReader reader_;
  bool wanted_ = false;

  // Of the bound layout.
  FieldPlace teid_, gtp_dst_addr_, src_addr_, dst_addr_, packets_, bytes_, sampling_rate_, match_;
  std::array<FieldPlace, kTimes> times_;
  std::vector<Assignment> assignments_;
  bool wants_endpoints_ = false;

  SessionTexts texts_;
  HeldRows new_, tried_;  // before and after the first try
  int64_t now_nanos_ = 0;
  std::vector<uint32_t> kept_;  // scratch
  std::array<session::LookUp, kBlock> look_ups_;
  std::array<session::LookUp, kBlock> tunnels_;
  std::array<Key, kBlock> keys_;

  std::array<uint64_t, session::kMatches> by_match_{};
  uint64_t held_ = 0;
  uint64_t held_joined_ = 0;
  uint64_t hold_ended_ = 0;          // waited for nothing
  uint64_t hold_full_ = 0;           // did not wait, as too many did
  uint64_t volume_overflows_ = 0;    // a counter times its rate left 64 bits
  uint64_t records_not_joined_ = 0;  // there are more readers than epochs know of (lpm::ReaderEpochs::kMaxReaders)
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SESSIONS_SESSIONS_ENRICHER_H_
