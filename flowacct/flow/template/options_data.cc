#include "flowacct/flow/template/options_data.h"

#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/flow/template/information_element.h"

namespace flowacct::flow {
namespace {

using base::Octets;

// What the record says, gathered before any of it is believed: the order of fields is free.
struct OptionsRecord {
  SamplingParts sampling;
  std::optional<uint64_t> selector;
  std::optional<uint64_t> interface;
  bool interface_is_scope = false;
  std::optional<uint64_t> vrf;
  std::optional<uint64_t> application;
  Octets interface_name, interface_description, vrf_name, application_name, sampler_name;
  uint64_t route_distinguisher = 0;
  uint64_t system_init_millis = 0;
  std::optional<uint64_t> element_pen, element_id, element_type;
  Octets element_name;
};

absl::string_view Text(Octets octets) {
  while (!octets.empty() && octets.back() == 0) octets.remove_suffix(1);
  return base::AsText(octets);
}

void ReadField(const TemplateField& field, Octets octets, OptionsRecord* record) {
  if (octets.empty()) return;
  const uint64_t number = octets.size() <= 8 ? base::LoadBe(octets.data(), octets.size()) : 0;
  if (field.pen == kNetflow9ScopePen) {
    if (field.id == 2) {  // interface
      record->interface = number;
      record->interface_is_scope = true;
    }
    return;
  }
  if (field.pen != kIanaPen) return;
  switch (field.id) {
    case 34:  // samplingInterval
    case 50:  // samplerRandomInterval
      if (record->sampling.interval == 0) record->sampling.interval = number;
      break;
    case 305:
      record->sampling.packet_interval = number;
      break;
    case 306:
      record->sampling.packet_space = number;
      break;
    case 309:
      record->sampling.size = number;
      break;
    case 310:
      record->sampling.population = number;
      break;
    case 311:
      if (octets.size() == 8) std::memcpy(&record->sampling.probability, &number, 8);
      break;
    case 48:   // samplerId
    case 302:  // selectorId
      record->selector = number;
      break;
    case 10:   // ingressInterface
    case 14:   // egressInterface
    case 252:  // ingressPhysicalInterface
    case 253:  // egressPhysicalInterface
      if (!record->interface.has_value()) record->interface = number;
      record->interface_is_scope |= field.scope;
      break;
    case 234:  // ingressVRFID
    case 235:  // egressVRFID
      if (!record->vrf.has_value()) record->vrf = number;
      break;
    case 90:  // mplsVpnRouteDistinguisher
      if (octets.size() == 8) record->route_distinguisher = number;
      break;
    case 95:
      if (octets.size() <= 8) record->application = number;
      break;
    case 82:
      record->interface_name = octets;
      break;
    case 83:
      record->interface_description = octets;
      break;
    case 236:
      record->vrf_name = octets;
      break;
    case 96:
      record->application_name = octets;
      break;
    case 84:   // samplerName
    case 335:  // selectorName
      record->sampler_name = octets;
      break;
    case 160:  // systemInitTimeMilliseconds
      record->system_init_millis = number;
      break;
    case 303:  // informationElementId
      record->element_id = number & 0x7fff;
      break;
    case 346:  // privateEnterpriseNumber
      record->element_pen = number;
      break;
    case 339:  // informationElementDataType
      record->element_type = number;
      break;
    case 341:  // informationElementName
      record->element_name = octets;
      break;
    default:
      break;
  }
}

// 2262: beyond, nanoseconds do not fit 64 bits.
constexpr uint64_t kMaxMillis = 9000000000000;

}  // namespace

base::DecodeCode LearnFromOptions(const Template& format, Octets octets, const RecordShape* shape, Domain* domain) {
  const uint32_t* offsets = shape == nullptr ? format.offsets.data() : shape->offsets.data();
  const uint32_t* lengths = shape == nullptr ? format.lengths.data() : shape->lengths.data();
  OptionsRecord record;
  for (size_t i = 0; i < format.fields.size(); ++i) {
    ReadField(format.fields[i], octets.subspan(offsets[i], lengths[i]), &record);
  }

  bool room = true;
  const uint64_t rate = SamplingRateOf(record.sampling);
  if (rate > 0) {
    if (record.selector.has_value()) {
      room &= domain->sampling.SetSelector(*record.selector, rate);
    } else if (record.interface.has_value() && record.interface_is_scope) {
      room &= domain->sampling.SetInterface(static_cast<uint32_t>(*record.interface), rate);
    } else {
      domain->sampling.SetAll(rate);
    }
  }

  auto name = [&](NameKind kind, const std::optional<uint64_t>& key, Octets text) {
    if (key.has_value() && !Text(text).empty()) room &= domain->names.Set(kind, *key, Text(text));
  };
  name(NameKind::kInterface, record.interface, record.interface_name);
  name(NameKind::kInterfaceDescription, record.interface, record.interface_description);
  name(NameKind::kVrf, record.vrf, record.vrf_name);
  name(NameKind::kApplication, record.application, record.application_name);
  name(NameKind::kSampler, record.selector, record.sampler_name);

  if (record.vrf.has_value() && record.route_distinguisher != 0) {
    room &= domain->route_distinguishers.Set(*record.vrf, record.route_distinguisher);
  }

  if (record.system_init_millis > 0 && record.system_init_millis <= kMaxMillis) {
    domain->system_init_nanos = static_cast<int64_t>(record.system_init_millis) * 1000000;
  }

  if (record.element_id.has_value() && !Text(record.element_name).empty()) {
    const std::pair<uint32_t, uint16_t> key(static_cast<uint32_t>(record.element_pen.value_or(kIanaPen)),
                                            static_cast<uint16_t>(*record.element_id));
    if (FindInformationElement(key.first, key.second) == nullptr) {
      const uint64_t type = record.element_type.value_or(0);
      TemplateSource::LearnedElement learned;
      learned.name = std::string(Text(record.element_name));
      if (type <= static_cast<uint64_t>(AbstractType::kSubTemplateMultiList)) {
        learned.type = static_cast<AbstractType>(type);
      }
      room &= domain->Learn(key.first, key.second, std::move(learned));
    }
  }
  return room ? base::DecodeCode::kOk : base::DecodeCode::kLimitExceeded;
}

}  // namespace flowacct::flow
