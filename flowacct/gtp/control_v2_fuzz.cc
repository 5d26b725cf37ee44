// Messages of GTPv2-C, piggy-backed ones behind each other: what is read stays within its bounds, and does not depend
// on what the message was used for before; elements lie within their message, as deep as is allowed; and each function
// that reads an element does so of any octets.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "flowacct/gtp/control_v2.h"
#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/message_view.h"

namespace flowacct::gtp {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool Equal(const Fteid& a, const Fteid& b) {
  return a.interface_type == b.interface_type && a.instance == b.instance && a.teid == b.teid && a.v4 == b.v4 &&
         a.v6 == b.v6;
}

bool Equal(const BearerContext& a, const BearerContext& b) {
  bool equal = a.ebi == b.ebi && a.has_ebi == b.has_ebi && a.to_be_removed == b.to_be_removed && a.cause == b.cause &&
               a.linked_ebi == b.linked_ebi && a.qci == b.qci && a.arp == b.arp && a.charging_id == b.charging_id &&
               a.fteid_count == b.fteid_count;
  for (uint8_t i = 0; equal && i < a.fteid_count; ++i) equal = Equal(a.fteids[i], b.fteids[i]);
  return equal;
}

bool Equal(const ControlMessage& a, const ControlMessage& b) {
  bool equal = a.type == b.type && a.teid == b.teid && a.sequence == b.sequence && a.cause == b.cause &&
               a.imsi == b.imsi && a.msisdn == b.msisdn && a.imei == b.imei && a.apn == b.apn && a.ue == b.ue &&
               a.rat == b.rat && a.serving_network == b.serving_network && a.location == b.location &&
               a.time_zone == b.time_zone && a.linked_ebi == b.linked_ebi && a.ebi == b.ebi &&
               a.indication == b.indication && a.control_count == b.control_count && a.bearer_count == b.bearer_count &&
               a.connection_count == b.connection_count && a.bad_elements == b.bad_elements &&
               a.beyond_bounds == b.beyond_bounds;
  for (uint8_t i = 0; equal && i < a.control_count; ++i) equal = Equal(a.control[i], b.control[i]);
  for (uint8_t i = 0; equal && i < a.bearer_count; ++i) equal = Equal(a.bearers[i], b.bearers[i]);
  for (uint8_t i = 0; equal && i < a.connection_count; ++i) {
    const ConnectionContext &c = a.connections[i], &d = b.connections[i];
    equal = c.apn == d.apn && c.ue == d.ue && c.linked_ebi == d.linked_ebi && c.first_bearer == d.first_bearer &&
            c.bearer_count == d.bearer_count && c.pgw_control.has_value() == d.pgw_control.has_value();
    Require(c.first_bearer + c.bearer_count <= a.bearer_count);
  }
  return equal;
}

// The same octets as any element.
void ReadAsEach(base::Octets value) {
  (void)v2::ReadImsi(value);
  (void)v2::ReadCause(value);
  (void)v2::ReadAmbr(value);
  (void)v2::ReadEbi(value);
  (void)v2::ReadIpAddress(value);
  if (const auto apn = v2::ReadApn(value)) Require(apn->size <= Apn::kMaxSize && apn->network().size() <= apn->size);
  (void)v2::ReadPlmn(value);
  (void)v2::ReadIndication(value);
  for (const bool long_lengths : {false, true}) {
    v2::PcoReader reader(value, long_lengths);
    v2::PcoItem item;
    size_t octets = 0;
    while (reader.Next(&item)) octets += item.contents.size();
    Require(octets <= value.size());
  }
  if (const auto paa = v2::ReadPaa(value)) Require(paa->addresses.v6_length <= 128);
  (void)v2::ReadBearerQos(value);
  (void)v2::ReadFlowQos(value);
  if (const auto location = v2::ReadUli(value)) {
    const std::optional<LocationForm> form = MostExactForm(*location);
    Require(form.has_value() && LocationText(*form, (*location)[*form]).size() <= kLocationTextSize);
  }
  (void)v2::ReadFteid(value, 0);
  (void)v2::ReadGlobalCnId(value);
  if (const auto forwarding = v2::ReadS103DataForwarding(value)) Require(forwarding->ebi_count <= 16);
  (void)v2::ReadS1UDataForwarding(value);
  (void)v2::ReadTraceReference(value);
  (void)v2::ReadUeTimeZone(value);
  (void)v2::ReadGuti(value);
  (void)v2::ReadFContainer(value);
  if (const auto id = v2::ReadFqCsid(value)) {
    for (size_t i = 0; i < id->size(); ++i) (void)(*id)[i];
  }
  (void)v2::ReadPrivateExtension(value);
  (void)v2::ReadIp4cp(value);
  (void)v2::ReadTimestamp(value);
  (void)v2::ReadUserCsg(value);
  (void)v2::ReadSecondaryRatUsage(value);
  (void)v2::ReadCounter(value);
  (void)v2::ReadApnCapacity(value);
  (void)v2::ReadMillisecondTimestamp(value);
  (void)v2::ReadIntegerNumber(value);
}

}  // namespace
}  // namespace flowacct::gtp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flowacct;
  using namespace flowacct::gtp;
  static ControlMessage* const used = new ControlMessage();  // of all that came before
  base::Octets rest(data, size);
  ReadAsEach(rest);
  while (!rest.empty()) {
    MessageView view;
    if (!MessageView::Parse(rest, &view).ok()) break;
    const auto fresh = std::make_unique<ControlMessage>();
    const base::DecodeResult result = ReadControlMessageV2(view, fresh.get());
    const base::DecodeResult again = ReadControlMessageV2(view, used);
    Require(result.code == again.code && result.offset == again.offset && Equal(*fresh, *used));
    Require(result.ok() || result.offset < view.size());
    const base::Octets payload = view.payload();
    const v2::WalkOptions options;
    base::DecodeCounters counters;
    v2::WalkElements(
        payload, options,
        [&](const v2::Element& element, size_t depth) {
          Require(depth <= options.max_depth);
          Require(element.value.data() == payload.data() + element.offset + v2::ElementReader::kHeaderSize);
          Require(element.offset + v2::ElementReader::kHeaderSize + element.value.size() <= payload.size());
          ReadAsEach(element.value);
        },
        &counters);
    rest.remove_prefix(view.size());
  }
  return 0;
}
