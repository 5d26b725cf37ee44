#include "flowacct/gtp/control_v2.h"

#include "flowacct/gtp/elements_v2.h"
#include "flowacct/gtp/message_types.h"

namespace flowacct::gtp {

using base::DecodeResult;
using base::Octets;

namespace {

// What an EBI outside of bearer contexts is.
enum class EbiMeaning : uint8_t {
  kNothing,
  kLinked,     // the default bearer of the PDN connection
  kConcerned,  // the bearer that it is about
  kRemoved,    // one of a list of bearers that go
};

// Messages by what they do where the elements alone do not tell.
struct MessageRules {
  uint8_t type;
  EbiMeaning ebi[2];          // by instance
  bool second_list_removed;   // bearer contexts of instance 1 are those to be removed, or marked for it
  bool first_list_dedicated;  // bearer contexts belong to the linked EBI
};

constexpr MessageRules kOtherMessages = {0, {EbiMeaning::kLinked, EbiMeaning::kNothing}, false, false};
constexpr MessageRules kRules[] = {
    {32, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},       // Create Session Request, 7.2.1
    {33, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},       // Create Session Response, 7.2.2
    {34, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},       // Modify Bearer Request, 7.2.7
    {35, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},       // Modify Bearer Response, 7.2.8
    {68, {EbiMeaning::kLinked, EbiMeaning::kConcerned}, false, false},    // Bearer Resource Command, 7.2.5
    {95, {EbiMeaning::kLinked, EbiMeaning::kNothing}, false, true},       // Create Bearer Request, 7.2.3
    {99, {EbiMeaning::kLinked, EbiMeaning::kRemoved}, false, false},      // Delete Bearer Request, 7.2.9.2
    {170, {EbiMeaning::kRemoved, EbiMeaning::kNothing}, false, false},    // Release Access Bearers Request, 7.2.21
    {176, {EbiMeaning::kConcerned, EbiMeaning::kNothing}, false, false},  // Downlink Data Notification, 7.2.11
    {211, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},      // Modify Access Bearers Request, 7.2.24
    {212, {EbiMeaning::kLinked, EbiMeaning::kNothing}, true, false},      // Modify Access Bearers Response, 7.2.25
};

// Row of each type behind 0, which is kOtherMessages.
constexpr std::array<uint8_t, 256> RowsByType() {
  std::array<uint8_t, 256> rows{};
  for (size_t i = 0; i < sizeof(kRules) / sizeof(kRules[0]); ++i) rows[kRules[i].type] = static_cast<uint8_t>(i + 1);
  return rows;
}
constexpr std::array<uint8_t, 256> kRows = RowsByType();

const MessageRules& RulesOf(uint8_t type) { return kRows[type] == 0 ? kOtherMessages : kRules[kRows[type] - 1]; }

class Reader {
 public:
  Reader(const MessageView& view, ControlMessage* out)
      : out_(*out), rules_(RulesOf(view.type())), restart_(out->procedure == Procedure::kPgwRestart) {}

  // Elements of the message itself, `offset` octets from its start.
  DecodeResult ReadMessage(Octets elements, size_t offset) {
    v2::ElementReader reader(elements, offset);
    v2::Element element;
    while (reader.Next(&element)) ReadElement(element);
    if (rules_.first_list_dedicated && out_.linked_ebi) {
      for (uint8_t i = 0; i < out_.bearer_count; ++i) out_.bearers[i].linked_ebi = out_.linked_ebi;
    }
    Keep(reader.result());
    return result_;
  }

 private:
  // The first trouble is told; what lies behind a group that has it is read all the same.
  void Keep(DecodeResult result) {
    if (result_.ok()) result_ = result;
  }

  // Puts what was read into a field that has nothing yet.
  template <typename T, typename U>
  void Set(std::optional<T>* field, const std::optional<U>& value) {
    if (!value) {
      ++out_.bad_elements;
    } else if (!*field) {
      *field = *value;
    }
  }

  // Of elements that are of several instances, the one that is meant.
  template <typename T, typename U>
  void SetFirst(const v2::Element& element, std::optional<T>* field, const std::optional<U>& value) {
    if (element.instance == 0) Set(field, value);
  }

  // `add` gives a place for it, or none.
  template <typename Add>
  void AddFteid(const v2::Element& element, Add add) {
    const std::optional<Fteid> fteid = v2::ReadFteid(element.value, element.instance);
    if (!fteid) {
      ++out_.bad_elements;
    } else if (Fteid* place = add(); place != nullptr) {
      *place = *fteid;
    }
  }

  void ReadElement(const v2::Element& element) {
    const Octets value = element.value;
    switch (element.type) {
      case v2::kImsi:
        SetFirst(element, &out_.imsi, v2::ReadImsi(value));
        break;
      case v2::kMsisdn:
        SetFirst(element, &out_.msisdn, v2::ReadMsisdn(value));
        break;
      case v2::kMei:
        SetFirst(element, &out_.imei, v2::ReadMei(value));
        break;
      case v2::kCause:
        ReadCause(element, &out_.cause);
        break;
      case v2::kRecovery:
        SetFirst(element, &out_.recovery, v2::ReadU8(value));
        break;
      case v2::kApn:
        SetFirst(element, &out_.apn, v2::ReadApn(value));
        break;
      case v2::kPaa:
        if (const std::optional<v2::Paa> paa = v2::ReadPaa(value); !paa) {
          ++out_.bad_elements;
        } else if (!out_.ue && (paa->addresses.v4 || paa->addresses.v6)) {
          out_.ue = paa->addresses;
        }
        break;
      case v2::kRatType:
        SetFirst(element, &out_.rat, v2::ReadU8(value));
        break;
      case v2::kServingNetwork:
        SetFirst(element, &out_.serving_network, v2::ReadPlmn(value));
        break;
      case v2::kUli:  // instance 1 is what the SGW alone is to know
        SetFirst(element, &out_.location, v2::ReadUli(value));
        break;
      case v2::kUeTimeZone:
        Set(&out_.time_zone, v2::ReadU8(value));
        break;
      case v2::kSelectionMode:
        Set(&out_.selection_mode, v2::ReadSelectionMode(value));
        break;
      case v2::kChargingCharacteristics:
        SetFirst(element, &out_.charging_characteristics, v2::ReadU16(value));
        break;
      case v2::kChargingId:
        SetFirst(element, &out_.charging_id, v2::ReadU32(value));
        break;
      case v2::kAmbr:
        if (const std::optional<v2::Ambr> ambr = v2::ReadAmbr(value); !ambr) {
          ++out_.bad_elements;
        } else if (!out_.ambr_up_kbps) {
          out_.ambr_up_kbps = ambr->up;
          out_.ambr_down_kbps = ambr->down;
        }
        break;
      case v2::kIndication:
        if (value.empty()) {
          ++out_.bad_elements;
        } else {
          out_.indication |= v2::ReadIndication(value);
        }
        break;
      case v2::kEbi:
        ReadEbi(element);
        break;
      case v2::kFteid:
        AddFteid(element, [this] { return out_.AddControl(); });
        break;
      case v2::kIpAddress:
        if (restart_) ReadRestarted(element);
        break;
      case v2::kBearerContext:
        if (BearerContext* bearer = out_.AddBearer(); bearer != nullptr) {
          bearer->to_be_removed = rules_.second_list_removed && element.instance == 1;
          ReadBearer(element, bearer);
        }
        break;
      case v2::kPdnConnection:
        // Its bearers are left out with it if it finds no place.
        if (ConnectionContext* connection = out_.AddConnection(); connection != nullptr) {
          ReadConnection(element, connection);
        }
        break;
      default:
        break;
    }
  }

  void ReadCause(const v2::Element& element, std::optional<uint8_t>* field) {
    const std::optional<v2::Cause> cause = v2::ReadCause(element.value);
    SetFirst(element, field, cause ? std::optional<uint8_t>(cause->value) : std::nullopt);
  }

  void ReadEbi(const v2::Element& element) {
    const std::optional<uint8_t> ebi = v2::ReadEbi(element.value);
    if (!ebi) {
      ++out_.bad_elements;
      return;
    }
    if (element.instance > 1) return;
    switch (rules_.ebi[element.instance]) {
      case EbiMeaning::kNothing:
        break;
      case EbiMeaning::kLinked:
        Set(&out_.linked_ebi, ebi);
        break;
      case EbiMeaning::kConcerned:
        Set(&out_.ebi, ebi);
        break;
      case EbiMeaning::kRemoved:
        Set(&out_.ebi, ebi);
        if (BearerContext* bearer = out_.AddBearer(); bearer != nullptr) {
          bearer->ebi = *ebi;
          bearer->has_ebi = true;
          bearer->to_be_removed = true;
        }
        break;
    }
  }

  // PGW Restart Notification (7.9.5) names nodes by addresses alone.
  void ReadRestarted(const v2::Element& element) {
    const std::optional<base::IpAddress> address = v2::ReadIpAddress(element.value);
    if (!address) {
      ++out_.bad_elements;
      return;
    }
    if (element.instance > 1) return;
    Fteid* node = out_.AddControl();
    if (node == nullptr) return;
    node->interface_type = element.instance == 0 ? kS5PgwGtpC : kS11SgwGtpC;
    node->instance = element.instance;
    (address->IsV4() ? node->v4 : node->v6) = address;
  }

  void ReadBearer(const v2::Element& group, BearerContext* bearer) {
    v2::ElementReader reader(group.value, group.offset + v2::ElementReader::kHeaderSize);
    v2::Element element;
    while (reader.Next(&element)) {
      switch (element.type) {
        case v2::kEbi:
          if (const std::optional<uint8_t> ebi = v2::ReadEbi(element.value); !ebi) {
            ++out_.bad_elements;
          } else if (!bearer->has_ebi) {
            bearer->ebi = *ebi;
            bearer->has_ebi = true;
          }
          break;
        case v2::kCause:
          ReadCause(element, &bearer->cause);
          break;
        case v2::kFteid:
          AddFteid(element, [this, bearer] { return out_.AddEndpoint(bearer); });
          break;
        case v2::kBearerQos:
          if (const std::optional<v2::Qos> qos = v2::ReadBearerQos(element.value); !qos) {
            ++out_.bad_elements;
          } else if (!bearer->qci) {
            bearer->qci = qos->qci;
            bearer->arp = qos->arp.octet;
          }
          break;
        case v2::kChargingId:
          SetFirst(element, &bearer->charging_id, v2::ReadU32(element.value));
          break;
        default:
          break;
      }
    }
    Keep(reader.result());
  }

  void ReadConnection(const v2::Element& group, ConnectionContext* connection) {
    connection->first_bearer = out_.bearer_count;
    v2::ElementReader reader(group.value, group.offset + v2::ElementReader::kHeaderSize);
    v2::Element element;
    while (reader.Next(&element)) {
      switch (element.type) {
        case v2::kApn:
          if (const std::optional<Apn> apn = v2::ReadApn(element.value)) {
            connection->apn = *apn;
          } else {
            ++out_.bad_elements;
          }
          break;
        case v2::kIpAddress:  // instance 0 is IPv4, 1 is IPv6
          ReadUeAddress(element, &connection->ue);
          break;
        case v2::kEbi:
          SetFirst(element, &connection->linked_ebi, v2::ReadEbi(element.value));
          break;
        case v2::kFteid:
          SetFirst(element, &connection->pgw_control, v2::ReadFteid(element.value, element.instance));
          break;
        case v2::kBearerContext:
          if (BearerContext* bearer = out_.AddBearer(); bearer != nullptr) {
            ++connection->bearer_count;
            ReadBearer(element, bearer);
          }
          break;
        default:
          break;
      }
    }
    Keep(reader.result());
    if (connection->linked_ebi) {
      for (uint8_t i = 0; i < connection->bearer_count; ++i) {
        BearerContext& bearer = out_.bearers[connection->first_bearer + i];
        if (bearer.has_ebi && bearer.ebi != *connection->linked_ebi) bearer.linked_ebi = connection->linked_ebi;
      }
    }
  }

  void ReadUeAddress(const v2::Element& element, UeAddresses* ue) {
    const std::optional<base::IpAddress> address = v2::ReadIpAddress(element.value);
    if (!address || address->IsV4() != (element.value.size() == 4)) {
      ++out_.bad_elements;
    } else if (address->IsV4()) {
      if (address->v4() != 0) ue->v4 = address;
    } else if (*address != base::IpAddress()) {
      ue->v6 = v2::PrefixOf(*address, ue->v6_length);
    }
  }

  ControlMessage& out_;
  const MessageRules& rules_;
  const bool restart_;
  DecodeResult result_;
};

}  // namespace

DecodeResult ReadControlMessageV2(const MessageView& view, ControlMessage* out) {
  out->Clear();
  out->version = view.version();
  out->type = view.type();
  out->has_teid = view.has_teid();
  out->teid = view.teid();
  out->sequence = view.sequence();
  if (view.version() != 2 || view.is_prime()) return DecodeResult::Error(base::DecodeCode::kUnsupported, 0);
  if (const MessageTypeInfo* info = FindMessageType(Protocol::kV2, view.type()); info != nullptr) {
    out->procedure = info->procedure;
    out->role = info->role;
  }
  return Reader(view, out).ReadMessage(view.payload(), view.size() - view.payload().size());
}

}  // namespace flowacct::gtp
