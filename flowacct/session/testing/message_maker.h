// Control messages for tests, element by element, without a wire in between.
//
//     MessageMaker(2, Procedure::kCreateSession, Role::kRequest, /*sequence=*/7, /*teid=*/0)
//         .Imsi("262011234567890").Control(gtp::kS11MmeGtpC, "10.1.0.1", 0x11).Bearer(5).Qci(9)

#ifndef FLOWACCT_SESSION_TESTING_MESSAGE_MAKER_H_
#define FLOWACCT_SESSION_TESTING_MESSAGE_MAKER_H_

#include <algorithm>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/values.h"

namespace flowacct::session::testing {

inline base::IpAddress Address(absl::string_view text) { return base::IpAddress::Parse(text).value(); }

class MessageMaker {
 public:
  MessageMaker(uint8_t version, gtp::Procedure procedure, gtp::Role role, uint32_t sequence, uint32_t teid) {
    m_.version = version;
    m_.procedure = procedure;
    m_.role = role;
    m_.sequence = sequence;
    m_.teid = teid;
    m_.has_teid = true;
  }
  operator const gtp::ControlMessage&() const { return m_; }  // NOLINT: it is one

  MessageMaker& Cause(uint8_t cause) { return Set(&m_.cause, cause); }
  MessageMaker& Recovery(uint8_t counter) { return Set(&m_.recovery, counter); }
  MessageMaker& Imsi(absl::string_view digits) { return Set(&m_.imsi, base::Digits::Parse(digits)); }
  MessageMaker& Msisdn(absl::string_view digits) { return Set(&m_.msisdn, base::Digits::Parse(digits)); }
  MessageMaker& Imei(absl::string_view digits) { return Set(&m_.imei, base::Digits::Parse(digits)); }
  MessageMaker& Rat(uint8_t rat) { return Set(&m_.rat, rat); }
  MessageMaker& Serving(absl::string_view plmn) { return Set(&m_.serving_network, base::Digits::Parse(plmn)); }
  MessageMaker& Linked(uint8_t ebi) { return Set(&m_.linked_ebi, ebi); }
  MessageMaker& Ebi(uint8_t ebi) { return Set(&m_.ebi, ebi); }
  MessageMaker& Characteristics(uint16_t value) { return Set(&m_.charging_characteristics, value); }
  MessageMaker& Teardown() {
    m_.teardown = true;
    return *this;
  }
  MessageMaker& Indication(uint64_t flags) {
    m_.indication = flags;
    return *this;
  }
  MessageMaker& Apn(absl::string_view text) {
    m_.apn = ApnOf(text);
    return *this;
  }
  MessageMaker& Cell(absl::string_view plmn, uint32_t cell) {
    gtp::UserLocation location;
    location.Set(gtp::LocationForm::kEcgi, {*base::Digits::Parse(plmn), 0, cell});
    return Set(&m_.location, location);
  }
  // IPv4 address, or IPv6 prefix of 64 bits.
  MessageMaker& Ue(absl::string_view address) {
    if (!m_.ue) m_.ue.emplace();
    const base::IpAddress a = Address(address);
    (a.IsV4() ? m_.ue->v4 : m_.ue->v6) = a;
    return *this;
  }
  MessageMaker& UeLength(uint8_t bits) {
    m_.ue->v6_length = bits;
    return *this;
  }
  MessageMaker& Control(gtp::InterfaceType type, absl::string_view address, uint32_t teid) {
    *m_.AddControl() = Endpoint(type, address, teid);
    return *this;
  }
  // What follows of bearers is of this one.
  MessageMaker& Bearer(uint8_t ebi) {
    gtp::BearerContext* b = m_.AddBearer();
    b->ebi = ebi;
    b->has_ebi = true;
    return *this;
  }
  MessageMaker& UnnumberedBearer() {
    m_.AddBearer();
    return *this;
  }
  MessageMaker& Removed(uint8_t ebi) {
    Bearer(ebi);
    bearer().to_be_removed = true;
    return *this;
  }
  MessageMaker& Qci(uint8_t qci) { return Set(&bearer().qci, qci); }
  MessageMaker& Arp(uint8_t arp) { return Set(&bearer().arp, arp); }
  MessageMaker& ChargingId(uint32_t id) { return Set(&bearer().charging_id, id); }
  MessageMaker& BearerCause(uint8_t cause) { return Set(&bearer().cause, cause); }
  MessageMaker& BearerLinked(uint8_t ebi) { return Set(&bearer().linked_ebi, ebi); }
  MessageMaker& User(gtp::InterfaceType type, absl::string_view address, uint32_t teid) {
    *m_.AddEndpoint(&bearer()) = Endpoint(type, address, teid);
    return *this;
  }
  // Of a node of both families; the endpoint that was added last.
  MessageMaker& UserToo(absl::string_view address) {
    gtp::Fteid& f = bearer().fteids[bearer().fteid_count - 1];
    const base::IpAddress a = Address(address);
    (a.IsV4() ? f.v4 : f.v6) = a;
    return *this;
  }
  // A PDN connection with the bearers from here on, up to `bearers`.
  MessageMaker& Connection(absl::string_view apn, uint8_t linked_ebi, uint8_t bearers) {
    gtp::ConnectionContext* c = m_.AddConnection();
    c->apn = ApnOf(apn);
    c->linked_ebi = linked_ebi;
    c->first_bearer = m_.bearer_count;
    c->bearer_count = bearers;
    return *this;
  }
  MessageMaker& ConnectionUe(absl::string_view v4) {
    m_.connections[m_.connection_count - 1].ue.v4 = Address(v4);
    return *this;
  }
  MessageMaker& ConnectionPgw(gtp::InterfaceType type, absl::string_view address, uint32_t teid) {
    m_.connections[m_.connection_count - 1].pgw_control = Endpoint(type, address, teid);
    return *this;
  }

 private:
  template <typename T, typename U>
  MessageMaker& Set(T* field, const U& value) {
    *field = value;
    return *this;
  }
  gtp::BearerContext& bearer() { return m_.bearers[m_.bearer_count - 1]; }
  static gtp::Apn ApnOf(absl::string_view text) {
    gtp::Apn apn;
    apn.size = static_cast<uint8_t>(text.size());
    std::copy(text.begin(), text.end(), apn.octets.begin());
    return apn;
  }
  static gtp::Fteid Endpoint(gtp::InterfaceType type, absl::string_view address, uint32_t teid) {
    gtp::Fteid f;
    f.interface_type = type;
    f.teid = teid;
    if (address.empty()) return f;
    const base::IpAddress a = Address(address);
    (a.IsV4() ? f.v4 : f.v6) = a;
    return f;
  }

  gtp::ControlMessage m_;
};

}  // namespace flowacct::session::testing

#endif  // FLOWACCT_SESSION_TESTING_MESSAGE_MAKER_H_
