// Sessions as tests of the join need them: made by control messages of GTPv1 between an SGSN and a GGSN.
//
// Subscriber n has the IMSI 26201 and n as ten digits, and the tunnels of TEID n at 10.0.0.2 (up) and at 10.0.0.1
// (down).

#ifndef FLOWACCT_ENRICH_SESSIONS_TESTING_MADE_SESSIONS_H_
#define FLOWACCT_ENRICH_SESSIONS_TESTING_MADE_SESSIONS_H_

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/gtp/control_message.h"
#include "flowacct/gtp/values.h"
#include "flowacct/session/session_engine.h"

namespace flowacct::enrich::testing {

inline base::IpAddress Sgsn() { return base::IpAddress::V4(0x0a000001); }
inline base::IpAddress Ggsn() { return base::IpAddress::V4(0x0a000002); }
inline base::Digits ImsiOf(uint32_t n) {
  return *base::Digits::Parse(absl::StrCat("26201", absl::Dec(n, absl::kZeroPad10)));
}

class MadeSessions {
 public:
  explicit MadeSessions(session::SessionEngine* engine) : engine_(engine) {}

  // Made at once, with address `ue` (no IPv4 address: 0).
  void Create(uint32_t n, int64_t time_nanos, uint32_t ue, absl::string_view apn = "internet.mnc001.mcc262.gprs") {
    gtp::ControlMessage& request = Begin(gtp::Procedure::kCreateSession, gtp::Role::kRequest, 0);
    request.imsi = ImsiOf(n);
    request.msisdn = *base::Digits::Parse("4917012345678");
    request.imei = *base::Digits::Parse("3569380356438091");
    request.apn = gtp::Apn();
    request.apn->size = static_cast<uint8_t>(apn.size());
    std::copy(apn.begin(), apn.end(), request.apn->octets.begin());
    request.rat = 1;
    request.serving_network = *base::Digits::Parse("20801");
    request.charging_characteristics = 0x0800;
    request.location.emplace();
    request.location->Set(gtp::LocationForm::kCgi, {*base::Digits::Parse("20801"), 258, 772});
    *request.AddControl() = At(Sgsn(), n, gtp::kGnSgsnGtpC);
    gtp::BearerContext& asked = *request.AddBearer();
    asked.has_ebi = true;
    asked.ebi = 5;
    asked.arp = 2;
    *request.AddEndpoint(&asked) = At(Sgsn(), n, gtp::kGnSgsnGtpU);
    Take(time_nanos, /*up=*/true);

    gtp::ControlMessage& response = Begin(gtp::Procedure::kCreateSession, gtp::Role::kResponse, n);
    response.cause = 128;
    response.ue.emplace();
    if (ue != 0) response.ue->v4 = base::IpAddress::V4(ue);
    *response.AddControl() = At(Ggsn(), n, gtp::kGnGgsnGtpC);
    gtp::BearerContext& made = *response.AddBearer();
    made.has_ebi = true;
    made.ebi = 5;
    made.charging_id = 7000 + n;
    *response.AddEndpoint(&made) = At(Ggsn(), n, gtp::kGnGgsnGtpU);
    Take(time_nanos, /*up=*/false);
    ++sequence_;
  }

  void Delete(uint32_t n, int64_t time_nanos) {
    gtp::ControlMessage& request = Begin(gtp::Procedure::kDeleteSession, gtp::Role::kRequest, n);
    request.ebi = 5;
    request.teardown = true;
    Take(time_nanos, /*up=*/true);
    Begin(gtp::Procedure::kDeleteSession, gtp::Role::kResponse, n).cause = 128;
    Take(time_nanos, /*up=*/false);
    ++sequence_;
  }

 private:
  gtp::ControlMessage& Begin(gtp::Procedure procedure, gtp::Role role, uint32_t teid) {
    message_.Clear();
    message_.version = 1;
    message_.procedure = procedure;
    message_.role = role;
    message_.has_teid = true;
    message_.teid = teid;
    message_.sequence = sequence_;
    return message_;
  }
  static gtp::Fteid At(const base::IpAddress& address, uint32_t teid, gtp::InterfaceType type) {
    gtp::Fteid endpoint;
    endpoint.interface_type = type;
    endpoint.teid = teid;
    endpoint.v4 = address;
    return endpoint;
  }
  void Take(int64_t time_nanos, bool up) {
    session::Transport transport;
    transport.source = up ? Sgsn() : Ggsn();
    transport.destination = up ? Ggsn() : Sgsn();
    transport.source_port = transport.destination_port = 2123;
    transport.time_nanos = time_nanos;
    engine_->Take(message_, transport);
  }

  session::SessionEngine* engine_;
  gtp::ControlMessage message_;
  uint32_t sequence_ = 1;
};

}  // namespace flowacct::enrich::testing

#endif  // FLOWACCT_ENRICH_SESSIONS_TESTING_MADE_SESSIONS_H_
