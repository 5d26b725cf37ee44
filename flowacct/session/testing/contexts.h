// Numbered contexts of GTPv1 for tests and benchmarks: the n-th has an IMSI, an address and TEIDs that say n.

#ifndef FLOWACCT_SESSION_TESTING_CONTEXTS_H_
#define FLOWACCT_SESSION_TESTING_CONTEXTS_H_

#include <algorithm>
#include <cstdint>

#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/session/session_engine.h"

namespace flowacct::session::testing {

class Contexts {
 public:
  // Nodes of each kind; the n-th context is at the n-th of them, modulo.
  explicit Contexts(uint32_t nodes = 16) : nodes_(nodes) {}

  static base::Digits Imsi(uint32_t n) {
    // Fifteen digits, each a nibble.
    uint64_t bits = uint64_t{0x26201} << 44 | 0xf;
    for (int shift = 4; shift < 44; shift += 4, n /= 10) bits |= uint64_t{n % 10} << shift;
    return base::Digits::FromBits(bits);
  }
  base::IpAddress Sgsn(uint32_t n) const { return base::IpAddress::V4(0x0a000001 + n % nodes_); }
  base::IpAddress Ggsn(uint32_t n) const { return base::IpAddress::V4(0x0a010001 + n % nodes_); }
  static uint32_t UpTeid(uint32_t n) { return 0x20000000 + n; }
  static uint32_t DownTeid(uint32_t n) { return 0x10000000 + n; }

  // A request and its answer, 1 ms apart, through `take(message, transport)`.
  template <typename Take>
  void Create(uint32_t n, int64_t time_nanos, Take take) {
    gtp::ControlMessage& m = Request(gtp::Procedure::kCreateSession, 0);
    m.imsi = Imsi(n);
    m.msisdn = Imsi(n);
    m.imei = Imsi(n);
    m.apn.emplace();
    m.apn->size = sizeof(kApn) - 1;
    std::copy(kApn, kApn + sizeof(kApn) - 1, m.apn->octets.begin());
    m.rat = 1;
    m.serving_network = base::Digits::FromBits(0x26201fffffffffff);
    m.location.emplace();
    m.location->Set(gtp::LocationForm::kCgi, {*m.serving_network, n % 1000, n % 7});
    m.charging_characteristics = 0x800;
    Put(gtp::kGnSgsnGtpC, Sgsn(n), 0x50000000 + n, m.AddControl());
    Bearer(n, gtp::kGnSgsnGtpU, Sgsn(n), DownTeid(n));
    take(m, Way(Sgsn(n), Ggsn(n), time_nanos));
    gtp::ControlMessage& r = Begin(gtp::Procedure::kCreateSession, gtp::Role::kResponse, 0x50000000 + n);
    r.cause = 128;
    r.ue.emplace();
    r.ue->v4 = base::IpAddress::V4(0x64000000 + n);
    Put(gtp::kGnGgsnGtpC, Ggsn(n), 0x60000000 + n, r.AddControl());
    Bearer(n, gtp::kGnGgsnGtpU, Ggsn(n), UpTeid(n));
    take(r, Way(Ggsn(n), Sgsn(n), time_nanos + 1'000'000));
  }
  // Another cell, and another tunnel of the SGSN if `down_teid` is not 0.
  template <typename Take>
  void Modify(uint32_t n, uint32_t cell, uint32_t down_teid, int64_t time_nanos, Take take) {
    gtp::ControlMessage& m = Request(gtp::Procedure::kModifyBearer, 0x60000000 + n);
    m.rat = 1;
    m.location.emplace();
    m.location->Set(gtp::LocationForm::kCgi, {base::Digits::FromBits(0x26201fffffffffff), n % 1000, cell % 7});
    if (down_teid != 0) Bearer(n, gtp::kGnSgsnGtpU, Sgsn(n), down_teid);
    take(m, Way(Sgsn(n), Ggsn(n), time_nanos));
    gtp::ControlMessage& r = Begin(gtp::Procedure::kModifyBearer, gtp::Role::kResponse, 0x50000000 + n);
    r.cause = 128;
    take(r, Way(Ggsn(n), Sgsn(n), time_nanos + 1'000'000));
  }
  template <typename Take>
  void Delete(uint32_t n, int64_t time_nanos, Take take) {
    gtp::ControlMessage& m = Request(gtp::Procedure::kDeleteSession, 0x60000000 + n);
    m.ebi = 5;
    m.teardown = true;
    take(m, Way(Sgsn(n), Ggsn(n), time_nanos));
    gtp::ControlMessage& r = Begin(gtp::Procedure::kDeleteSession, gtp::Role::kResponse, 0x50000000 + n);
    r.cause = 128;
    take(r, Way(Ggsn(n), Sgsn(n), time_nanos + 1'000'000));
  }

 private:
  static constexpr char kApn[] = "internet.mnc001.mcc262.gprs";

  gtp::ControlMessage& Request(gtp::Procedure procedure, uint32_t teid) {
    sequence_ = (sequence_ + 1) & 0xffff;
    return Begin(procedure, gtp::Role::kRequest, teid);
  }
  gtp::ControlMessage& Begin(gtp::Procedure procedure, gtp::Role role, uint32_t teid) {
    m_.Clear();
    m_.version = 1;
    m_.procedure = procedure;
    m_.role = role;
    m_.sequence = sequence_;
    m_.teid = teid;
    return m_;
  }
  static void Put(gtp::InterfaceType type, const base::IpAddress& address, uint32_t teid, gtp::Fteid* f) {
    f->interface_type = type;
    f->teid = teid;
    f->v4 = address;
  }
  void Bearer(uint32_t n, gtp::InterfaceType type, const base::IpAddress& address, uint32_t teid) {
    gtp::BearerContext* b = m_.AddBearer();
    b->ebi = 5;
    b->has_ebi = true;
    b->arp = 2;
    b->charging_id = n;
    Put(type, address, teid, m_.AddEndpoint(b));
  }
  static Transport Way(const base::IpAddress& from, const base::IpAddress& to, int64_t time_nanos) {
    return {from, to, 2123, 2123, time_nanos};
  }

  uint32_t nodes_;
  uint32_t sequence_ = 0;
  gtp::ControlMessage m_;
};

}  // namespace flowacct::session::testing

#endif  // FLOWACCT_SESSION_TESTING_CONTEXTS_H_
