// Fuzz entry point: octets as a sequence of messages, packets and times. A few nodes, TEIDs, subscribers and sequence
// numbers, so that whatever meets does; bounds so small that all of them bite. No bound is exceeded, each bearer has
// one last record, and no record has octets that were not counted.
//
// A step is an octet for what it is, then what it needs; octets that are missing are 0:
//     0 to 5  a message, field by field        6  an octet of length, and a message as it is on the wire
//     7  time goes on    8  a packet    9  records are taken    10  the state is saved and restored

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "flowacct/base/octet_reader.h"
#include "flowacct/gtp/message_view.h"
#include "flowacct/gtp/read_control_message.h"
#include "flowacct/session/session_engine.h"
#include "flowacct/session/session_reader.h"

namespace flowacct::session {
namespace {

using base::IpAddress;
using gtp::Procedure;

void Require(bool holds) {
  if (!holds) std::abort();
}

constexpr uint32_t kNodes = 6;
const IpAddress kV6 = *IpAddress::Parse("2001:db8::1");
IpAddress Node(uint8_t number) { return IpAddress::V4(0x0a000001 + number % kNodes); }

constexpr Procedure kProcedures[] = {
    Procedure::kCreateSession,
    Procedure::kCreateSession,
    Procedure::kCreateSession,
    Procedure::kModifyBearer,
    Procedure::kModifyBearer,
    Procedure::kModifyAccessBearers,
    Procedure::kUpdateBearer,
    Procedure::kDeleteSession,
    Procedure::kDeleteSession,
    Procedure::kCreateBearer,
    Procedure::kCreateBearer,
    Procedure::kDeleteBearer,
    Procedure::kReleaseAccessBearers,
    Procedure::kChangeNotification,
    Procedure::kSuspend,
    Procedure::kResume,
    Procedure::kContext,
    Procedure::kForwardRelocation,
    Procedure::kCreateForwarding,
    Procedure::kDeleteForwarding,
    Procedure::kRelocationCancel,
    Procedure::kPgwRestart,
    Procedure::kErrorIndication,
    Procedure::kEcho,
};
constexpr gtp::InterfaceType kControlTypes[] = {gtp::kGnSgsnGtpC, gtp::kGnGgsnGtpC, gtp::kS5SgwGtpC, gtp::kS5PgwGtpC,
                                                gtp::kS11MmeGtpC, gtp::kS11SgwGtpC, gtp::kS4SgsnGtpC};
constexpr gtp::InterfaceType kUserTypes[] = {gtp::kGnSgsnGtpU, gtp::kGnGgsnGtpU,         gtp::kS5SgwGtpU,
                                             gtp::kS5PgwGtpU,  gtp::kS1UEnodebGtpU,      gtp::kS1USgwGtpU,
                                             gtp::kS4SgsnGtpU, gtp::kEnodebDlForwarding, gtp::kEnodebUlForwarding};

SessionOptions Options() {
  SessionOptions options;
  options.max_contexts = 12;
  options.max_tunnels = 60;
  options.max_peers = 8;
  options.max_transactions = 6;
  options.max_answered = 10;
  options.max_assumed = 3;
  options.max_history = 3;
  options.max_leases = 2;
  options.max_locations = 4;
  options.texts = {200, 16};
  options.max_records = 20;
  options.linger_nanos = 20'000'000'000;
  options.transaction_nanos = 15'000'000'000;
  options.closing_nanos = 5'000'000'000;
  options.idle_nanos = 600'000'000'000;
  options.record_interval_nanos = 60'000'000'000;
  options.own_networks = {*base::Digits::Parse("26201")};
  return options;
}

class Sequence {
 public:
  explicit Sequence(base::Octets octets) : r_(octets) { Start(); }

  void Run() {
    while (r_.ok() && r_.remaining() > 0) {
      const uint8_t step = r_.U8() % 11;
      if (step <= 5) {
        Message();
      } else if (step == 6) {
        Wire(r_.Bytes(std::min<size_t>(r_.U8(), r_.remaining())));
      } else if (step == 7) {
        Advance();
      } else if (step == 8) {
        Packet();
      } else if (step == 9) {
        TakeRecords();
      } else {
        SaveAndRestore();
      }
      const SessionOptions o = Options();
      Require(engine_->contexts() <= o.max_contexts && engine_->transactions() <= o.max_transactions);
      Require(engine_->octets() < 400'000);
    }
    TakeRecords();
    reader_.reset();
    engine_->EndAll(now_);
    TakeRecords();
    const SessionCounters& c = engine_->counters();
    Require(engine_->contexts() == 0 && c.contexts_created + c.restored == c.contexts_ended);
    Require(last_ + c.record_bound == c.contexts_ended);
    // Some of what was counted is with a record that max_records lost, or in a copy of the state; none is made up.
    Require(recorded_ <= counted_);
  }

 private:
  void Start() {
    epochs_ = std::make_unique<lpm::ReaderEpochs>();
    engine_ = std::make_unique<SessionEngine>(epochs_.get(), Options());
    reader_ = std::make_unique<SessionReader>(engine_.get());
  }

  gtp::Fteid Endpoint(const gtp::InterfaceType* types, size_t n) {
    gtp::Fteid f;
    const uint8_t what = r_.U8(), where = r_.U8();
    f.interface_type = types[what % n];
    f.teid = where >> 4;
    if ((where & 8) == 0) f.v4 = Node(where & 7);
    if ((where & 8) != 0 && (where & 1) != 0) f.v6 = kV6;
    return f;
  }

  void Message() {
    gtp::ControlMessage& m = *message_;
    m.Clear();
    const uint8_t way = r_.U8(), what = r_.U8(), who = r_.U8(), has = r_.U8();
    m.version = (what & 0x40) != 0 ? 2 : 1;
    m.role = (what & 0x80) != 0 ? gtp::Role::kResponse : gtp::Role::kRequest;
    m.procedure = kProcedures[(what & 0x3f) % std::size(kProcedures)];
    m.sequence = way & 7;
    m.has_teid = true;
    m.teid = who & 15;
    if (m.role == gtp::Role::kResponse)
      m.cause = (who & 0x80) != 0 ? (m.version == 2 ? 64 : 192) : m.version == 2 ? 16 : 128;
    if ((has & 1) != 0) m.imsi = base::Digits::FromBits(0x262011234567000f + ((who >> 4 & 3) << 4));
    if ((has & 2) != 0) m.linked_ebi = static_cast<uint8_t>(5 + (who >> 6));
    if ((has & 4) != 0) m.ebi = static_cast<uint8_t>(5 + (who >> 6));
    if ((has & 8) != 0) {
      m.ue.emplace();
      m.ue->v4 = IpAddress::V4(0x64400000 + (who >> 5));
      if ((who & 1) != 0) {
        m.ue->v6 = kV6;
        m.ue->v6_length = 64;
      }
    }
    if ((has & 16) != 0) {
      m.rat = static_cast<uint8_t>(1 + who % 6);
      m.location.emplace();
      m.location->Set(gtp::LocationForm::kCgi, {*base::Digits::Parse("26202"), 1, who});
      m.apn.emplace();
      m.apn->size = 1;
      m.apn->octets[0] = static_cast<char>('a' + who % 26);
    }
    if ((has & 32) != 0) m.recovery = who;
    m.teardown = (has & 64) != 0;
    if ((has & 128) != 0) m.indication = gtp::kIndicationOperation;
    const uint8_t lists = r_.U8();
    for (int i = lists & 3; i > 0; --i) *m.AddControl() = Endpoint(kControlTypes, std::size(kControlTypes));
    for (int i = lists >> 2 & 3; i > 0; --i) {
      gtp::BearerContext* const b = m.AddBearer();
      const uint8_t bearer = r_.U8();
      b->ebi = static_cast<uint8_t>(5 + (bearer & 3));
      b->has_ebi = (bearer & 4) == 0;
      b->to_be_removed = (bearer & 0x38) == 0x38;
      if ((bearer & 0xc0) == 0xc0) b->linked_ebi = 5;
      if ((bearer & 0xc0) == 0x80) b->cause = m.version == 2 ? 64 : 192;
      for (int k = (bearer >> 3 & 7) % 4; k > 0; --k) *m.AddEndpoint(b) = Endpoint(kUserTypes, std::size(kUserTypes));
    }
    if ((lists & 0x30) != 0 && m.bearer_count != 0) {
      gtp::ConnectionContext* const c = m.AddConnection();
      c->bearer_count = (lists & 0x10) != 0 ? m.bearer_count : 200;  // one that lies
      c->pgw_control = Endpoint(kControlTypes, std::size(kControlTypes));
    }
    engine_->Take(m, Way(way));
  }

  void Wire(base::Octets octets) {
    const uint8_t way = r_.U8();
    gtp::MessageView view;
    if (!gtp::MessageView::Parse(octets, &view).ok()) return;
    (void)gtp::ReadControlMessage(view, message_.get());
    engine_->Take(*message_, Way(way));
  }

  // Some messages are older than the one before.
  Transport Way(uint8_t way) {
    now_ += 1'000'000;
    return {Node(way >> 3), Node(way >> 6 | (way & 0x20) >> 3), 2123, 2123,
            now_ - ((way & 7) == 7 ? 2'000'000'000 : 0)};
  }

  void Advance() {
    const uint8_t by = r_.U8();
    now_ += int64_t{by & 0x7f} * ((by & 0x80) != 0 ? 1'000'000'000 : 10'000'000);
    for (int i = 0; i < 3; ++i) (void)engine_->Advance(now_);
  }

  void Packet() {
    const uint8_t where = r_.U8(), octets = r_.U8();
    LookUp look_up{
        Node(where & 7), static_cast<uint32_t>(where >> 4), now_ - ((where & 8) != 0 ? 3'000'000'000 : 0), {}};
    reader_->FindBatch(absl::MakeSpan(&look_up, 1));
    reader_->Count(look_up, 1, octets);
    if (look_up.found.facts != nullptr) counted_ += octets;
    (void)reader_->FindByAddress(IpAddress::V4(0x64400000 + (where >> 5)), Node(where), now_);
  }

  void TakeRecords() {
    for (const SessionRecord& record : engine_->TakeRecords()) {
      Require(record.from_nanos <= record.until_nanos && record.facts.session != 0);
      recorded_ += record.volume.bytes_up + record.volume.bytes_down;
      if (record.cause != Cause::kNone) ++last_;
    }
  }

  // What was saved is what is restored, and what is saved of that again.
  void SaveAndRestore() {
    const std::string saved = engine_->Save();
    lpm::ReaderEpochs epochs;
    SessionEngine other(&epochs, Options());
    Require(other.Restore(base::Octets(reinterpret_cast<const uint8_t*>(saved.data()), saved.size())).ok());
    Require(other.contexts() <= engine_->contexts());
    other.EndAll(now_);
    Require(other.contexts() == 0);
  }

  base::OctetReader r_;
  int64_t now_ = 1'700'000'000'000'000'000;
  std::unique_ptr<lpm::ReaderEpochs> epochs_;
  std::unique_ptr<SessionEngine> engine_;
  std::unique_ptr<SessionReader> reader_;
  std::unique_ptr<gtp::ControlMessage> message_ = std::make_unique<gtp::ControlMessage>();
  uint64_t counted_ = 0, recorded_ = 0, last_ = 0;
};

}  // namespace
}  // namespace flowacct::session

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flowacct::session::Sequence(flowacct::base::Octets(data, size)).Run();
  return 0;
}
