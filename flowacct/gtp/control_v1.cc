#include "flowacct/gtp/control_v1.h"

#include "flowacct/gtp/elements_v1.h"
#include "flowacct/gtp/message_types.h"

namespace flowacct::gtp {

using base::DecodeCode;
using base::DecodeResult;
using base::IpAddress;
using base::Octets;

namespace {

constexpr uint8_t kDirectTunnel = 0x01;  // DTI (7.7.81)

// What a message says before it is known who sent it and so what that means.
struct Told {
  static constexpr size_t kMaxAddresses = 4;  // control plane and user traffic, and the alternative ones

  std::optional<uint32_t> teid_data, teid_control;
  std::array<IpAddress, kMaxAddresses> addresses;
  size_t address_count = 0;
  std::optional<uint8_t> nsapi, linked_nsapi, arp;
  std::optional<uint32_t> charging_id;
  std::optional<LocationArea> rai;
  bool direct_tunnel_flags = false, direct_tunnel = false;
  bool qos = false;
};

enum class Sender : uint8_t { kSgsn, kGgsn };

class Reader {
 public:
  Reader(const MessageView& view, ControlMessage* out)
      : view_(view), out_(*out), protocol_(ProtocolOf(view)), elements_(view) {}

  DecodeResult Read() {
    if (protocol_ == Protocol::kV0) ReadTid();
    for (v1::Element element; elements_.Next(&element);) ReadElement(element);
    Conclude();
    return elements_.result();
  }

 private:
  // Puts what was read into a field that has nothing yet: the first one counts of elements that may occur once.
  template <typename T, typename U>
  void Set(std::optional<T>* field, const std::optional<U>& value) {
    if (!value) {
      ++out_.bad_elements;
    } else if (!*field) {
      *field = *value;
    }
  }

  // TS 09.60, 6: digits in TBCD order, and the NSAPI in the last nibble. 0 in messages that are of nobody.
  void ReadTid() {
    if (out_.flow_tid == 0) return;
    std::array<uint8_t, 8> octets;
    base::StoreBe64(octets.data(), out_.flow_tid);
    told_.nsapi = octets.back() >> 4;
    octets.back() |= 0xf0;
    Set(&out_.imsi, v1::ReadImsi(octets));
  }

  void ReadElement(const v1::Element& element) {
    const Octets value = element.value;
    const bool v0 = protocol_ == Protocol::kV0;
    switch (element.type) {
      case v1::kCause:
        Set(&out_.cause, v1::ReadU8(value));
        break;
      case v1::kImsi:
        Set(&out_.imsi, v1::ReadImsi(value));
        break;
      case v1::kRai:
        Set(&told_.rai, v1::ReadRai(value));
        break;
      case v1::kRecovery:
        Set(&out_.recovery, v1::ReadU8(value));
        break;
      case v1::kSelectionMode:
        if (!out_.selection_mode) out_.selection_mode = v1::SelectionMode(value[0]);
        break;
      case v1::kTeidDataI:
        if (v0) {
          Set(&told_.teid_data, v1::ReadU16(value));
        } else {
          Set(&told_.teid_data, v1::ReadU32(value));
        }
        break;
      case v1::kTeidControl:
        if (v0) {
          Set(&told_.teid_control, v1::ReadU16(value));
        } else {
          Set(&told_.teid_control, v1::ReadU32(value));
        }
        break;
      case v1::kTeidDataII:
        if (const std::optional<v1::NsapiTeid> data = v1::ReadTeidDataII(value)) {
          AddForwarding(data->nsapi, kSgsnForwarding, data->teid, std::nullopt);
        }
        break;
      case v1::kTeardownInd:  // of GTPv0 another element
        if (!v0) out_.teardown = v1::Teardown(value[0]);
        break;
      case v1::kNsapi:
        if (told_.nsapi) {
          if (!told_.linked_nsapi) told_.linked_nsapi = v1::Nsapi(value[0]);
        } else {
          told_.nsapi = v1::Nsapi(value[0]);
        }
        break;
      case v1::kChargingCharacteristics:
        Set(&out_.charging_characteristics, v1::ReadU16(value));
        break;
      case v1::kChargingId:
        Set(&told_.charging_id, v1::ReadU32(value));
        break;
      case v1::kEndUserAddress:
        if (const std::optional<v1::EndUserAddress> address = v1::ReadEndUserAddress(value); !address) {
          ++out_.bad_elements;
        } else if (address->v4 || address->v6) {
          Set(&out_.ue, std::optional<UeAddresses>(address->addresses()));
        }
        break;
      case v1::kPdpContext:
        ReadPdpContext(value);
        break;
      case v1::kApn:
        Set(&out_.apn, ApnFromLabels(value));
        break;
      case v1::kGsnAddress:
        ReadGsnAddress(value);
        break;
      case v1::kMsisdn:
        Set(&out_.msisdn, v1::ReadMsisdn(value));
        break;
      case v1::kQos:
        if (const std::optional<v1::Qos> qos = v1::ReadQos(value)) {
          told_.qos = true;
          if (!told_.arp && qos->arp != 0) told_.arp = qos->arp;
        } else {
          ++out_.bad_elements;
        }
        break;
      case v1::kRabSetupInformation:
        if (const std::optional<v1::RabSetup> setup = v1::ReadRabSetup(value); !setup) {
          ++out_.bad_elements;
        } else if (setup->teid) {
          AddForwarding(setup->nsapi, kRncForwarding, *setup->teid, setup->address);
        }
        break;
      case v1::kRatType:
        Set(&out_.rat, v1::ReadU8(value));
        break;
      case v1::kUli:
        Set(&out_.location, v1::ReadUli(value));
        break;
      case v1::kMsTimeZone:
        Set(&out_.time_zone, v1::ReadU8(value));
        break;
      case v1::kImei:
        Set(&out_.imei, v1::ReadImei(value));
        break;
      case v1::kDirectTunnelFlags:
        if (const std::optional<uint8_t> flags = v1::ReadU8(value)) {
          told_.direct_tunnel_flags = true;
          told_.direct_tunnel = (*flags & kDirectTunnel) != 0;
        } else {
          ++out_.bad_elements;
        }
        break;
      case v1::kAmbr:
        if (const std::optional<v1::Ambr> ambr = v1::ReadAmbr(value)) {
          Set(&out_.ambr_up_kbps, std::optional<uint32_t>(ambr->up));
          Set(&out_.ambr_down_kbps, std::optional<uint32_t>(ambr->down));
        } else {
          ++out_.bad_elements;
        }
        break;
      default:
        break;
    }
  }

  void ReadGsnAddress(Octets value) {
    const std::optional<IpAddress> address = v1::ReadAddress(value);
    if (!address) {
      ++out_.bad_elements;
    } else if (told_.address_count == Told::kMaxAddresses) {
      ++out_.beyond_bounds;
    } else {
      told_.addresses[told_.address_count++] = *address;
    }
  }

  void AddForwarding(uint8_t nsapi, InterfaceType type, uint32_t teid, const std::optional<IpAddress>& address) {
    BearerContext* bearer = out_.AddBearer();
    if (bearer == nullptr) return;
    bearer->ebi = nsapi;
    bearer->has_ebi = true;
    Fteid* fteid = out_.AddEndpoint(bearer);
    fteid->interface_type = type;
    fteid->teid = teid;
    if (address) PutAddress(*address, fteid);
  }

  void ReadPdpContext(Octets value) {
    const std::optional<v1::PdpContext> context = v1::ReadPdpContext(protocol_, value);
    if (!context) {
      ++out_.bad_elements;
      return;
    }
    ConnectionContext* connection = out_.AddConnection();
    if (connection == nullptr) return;
    connection->first_bearer = out_.bearer_count;
    if (context->apn) connection->apn = *context->apn;
    connection->ue = context->address.addresses();
    if (context->ggsn_control) {
      Fteid control;
      control.interface_type = kGnGgsnGtpC;
      control.teid = context->teid_control;
      PutAddress(*context->ggsn_control, &control);
      connection->pgw_control = control;
    }
    BearerContext* bearer = out_.AddBearer();
    if (bearer == nullptr) return;
    connection->bearer_count = 1;
    bearer->ebi = context->nsapi;
    bearer->has_ebi = true;
    if (protocol_ == Protocol::kV0) return;  // the GGSN's flow label for data is not told
    if (const std::optional<v1::Qos> qos = v1::ReadQos(context->qos_negotiated); qos && qos->arp != 0) {
      bearer->arp = qos->arp;
    }
    if (context->ggsn_user) {
      Fteid* fteid = out_.AddEndpoint(bearer);
      fteid->interface_type = kGnGgsnGtpU;
      fteid->teid = context->teid_data;
      PutAddress(*context->ggsn_user, fteid);
    }
  }

  static void PutAddress(const IpAddress& address, Fteid* fteid) {
    std::optional<IpAddress>* place = address.IsV4() ? &fteid->v4 : &fteid->v6;
    if (!*place) *place = address;
  }
  // Every second address from `first` on: of the control plane (0) or of user traffic (1), which is the only one where
  // there is but one.
  void PutAddresses(size_t first, Fteid* fteid) const {
    for (size_t i = first; i < told_.address_count; i += 2) PutAddress(told_.addresses[i], fteid);
  }

  void AddControl(InterfaceType type) {
    if (!told_.teid_control) return;
    Fteid* fteid = out_.AddControl();
    fteid->interface_type = type;
    fteid->teid = *told_.teid_control;
    PutAddresses(0, fteid);
  }

  void AddContext(Sender sender, bool address_alone_is_users) {
    AddControl(sender == Sender::kSgsn ? kGnSgsnGtpC : kGnGgsnGtpC);
    if (!told_.teid_data && !told_.nsapi && !told_.charging_id && !told_.qos) return;
    BearerContext* bearer = out_.AddBearer();
    if (bearer == nullptr) return;
    bearer->has_ebi = told_.nsapi.has_value();
    bearer->ebi = told_.nsapi.value_or(0);
    bearer->linked_ebi = told_.linked_nsapi;
    bearer->charging_id = told_.charging_id;
    bearer->arp = told_.arp;
    if (!told_.teid_data) return;
    Fteid* fteid = out_.AddEndpoint(bearer);
    fteid->interface_type = sender == Sender::kGgsn ? kGnGgsnGtpU : told_.direct_tunnel ? kIuRncGtpU : kGnSgsnGtpU;
    fteid->teid = *told_.teid_data;
    PutAddresses(address_alone_is_users && told_.address_count == 1 ? 0 : 1, fteid);
  }

  // What all of it means, as the message's purpose has it.
  void Conclude() {
    const bool request = out_.role == Role::kRequest;
    if (out_.procedure == Procedure::kModifyBearer && protocol_ == Protocol::kV1 && IsUpdateByGgsn(request)) {
      out_.procedure = Procedure::kUpdateBearer;
    }
    switch (out_.procedure) {
      case Procedure::kCreateSession:
      case Procedure::kModifyBearer:
        if (request) ReadServingNetwork();
        AddContext(request ? Sender::kSgsn : Sender::kGgsn, false);
        break;
      case Procedure::kUpdateBearer:
        AddContext(request ? Sender::kGgsn : Sender::kSgsn, true);
        break;
      case Procedure::kErrorIndication:
        AddUnknownTunnel();
        break;
      case Procedure::kPduNotification:
        AddControl(kGnGgsnGtpC);
        break;
      case Procedure::kContext:
      case Procedure::kForwardRelocation:
        AddControl(kGnSgsnGtpC);
        PutForwardingAddress();
        break;
      case Procedure::kChangeNotification:
        out_.linked_ebi = told_.nsapi;
        break;
      default:
        out_.ebi = told_.nsapi;
        break;
    }
    out_.linked_ebi = told_.linked_nsapi ? told_.linked_nsapi : out_.linked_ebi;
  }

  bool IsUpdateByGgsn(bool request) const {
    if (request) return !told_.teid_data && told_.address_count == 0;
    return out_.location || out_.time_zone || told_.direct_tunnel_flags || told_.address_count == 1;
  }

  void ReadServingNetwork() {
    if (!told_.rai) return;
    out_.serving_network = told_.rai->plmn;
    if (!v1::TellsArea(*told_.rai)) return;
    if (!out_.location) out_.location.emplace();
    if (!out_.location->Has(LocationForm::kRai)) out_.location->Set(LocationForm::kRai, *told_.rai);
  }

  void AddUnknownTunnel() {
    if (protocol_ == Protocol::kV0) told_.teid_data = view_.flow_label();
    if (!told_.teid_data) return;
    Fteid* fteid = out_.AddControl();
    fteid->interface_type = kAnyGtpU;
    fteid->teid = *told_.teid_data;
    if (told_.address_count > 0) PutAddress(told_.addresses[0], fteid);
  }

  // The address for user traffic of a message between SGSNs: behind the one for control, if that has a TEID.
  void PutForwardingAddress() {
    const size_t at = told_.teid_control ? 1 : 0;
    if (told_.address_count <= at) return;
    for (uint8_t i = 0; i < out_.bearer_count; ++i) {
      BearerContext& bearer = out_.bearers[i];
      for (uint8_t k = 0; k < bearer.fteid_count; ++k) {
        if (bearer.fteids[k].interface_type == kSgsnForwarding) PutAddress(told_.addresses[at], &bearer.fteids[k]);
      }
    }
  }

  const MessageView& view_;
  ControlMessage& out_;
  Protocol protocol_;
  v1::ElementReader elements_;
  Told told_;
};

}  // namespace

DecodeResult ReadControlMessageV1(const MessageView& view, ControlMessage* out) {
  out->Clear();
  out->version = view.version();
  out->type = view.type();
  out->has_teid = view.has_teid();
  out->teid = view.version() == 0 ? view.flow_label() : view.teid();
  out->sequence = view.sequence();
  out->flow_tid = view.tid();
  if (view.version() > 1 || view.is_prime()) return DecodeResult::Error(DecodeCode::kUnsupported, 0);
  const MessageTypeInfo* info = FindMessageType(view);
  if (info == nullptr) return DecodeResult::Ok();
  out->procedure = info->procedure;
  out->role = info->role;
  constexpr uint8_t kPacket = 255;
  if (info->type == kPacket) return DecodeResult::Ok();  // what follows is a packet, not elements
  return Reader(view, out).Read();
}

}  // namespace flowacct::gtp
