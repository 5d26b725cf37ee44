#include "flowacct/meter/flow_shape.h"

#include <cstring>

#include "flowacct/base/host_number.h"

namespace flowacct::meter {
namespace {

using record::FieldId;
using record::Layout;

// Every flow has these behind its key; what is a key already stays there.
constexpr FieldId kAlways[] = {FieldId::kTcpFlags,  FieldId::kPackets, FieldId::kBytes,
                               FieldId::kStartTime, FieldId::kEndTime, FieldId::kFlowEndReason};

struct ClassOfProtocol {
  uint8_t protocol;
  IdleClass idle_class;
};
constexpr ClassOfProtocol kClasses[] = {
    {6, IdleClass::kTcp}, {17, IdleClass::kUdp}, {1, IdleClass::kIcmp}, {58, IdleClass::kIcmp}};

}  // namespace

// What has no row is as the first packet told.
const FlowShape::Rule FlowShape::kRules[] = {
    {FieldId::kPackets, FieldId::kPackets, Combine::kSum},
    {FieldId::kBytes, FieldId::kBytes, Combine::kSum},
    {FieldId::kDroppedPackets, FieldId::kDroppedPackets, Combine::kSum},
    {FieldId::kDroppedBytes, FieldId::kDroppedBytes, Combine::kSum},
    {FieldId::kPostPackets, FieldId::kPostPackets, Combine::kSum},
    {FieldId::kPostBytes, FieldId::kPostBytes, Combine::kSum},
    {FieldId::kTcpFlags, FieldId::kTcpFlags, Combine::kOr},
    {FieldId::kTunnelTcpFlags, FieldId::kTunnelTcpFlags, Combine::kOr},
    {FieldId::kStartTime, FieldId::kStartTime, Combine::kMin},
    {FieldId::kEndTime, FieldId::kEndTime, Combine::kMax},
    {FieldId::kMinTtl, FieldId::kTtl, Combine::kMin},
    {FieldId::kMaxTtl, FieldId::kTtl, Combine::kMax},
    {FieldId::kMinPacketLength, FieldId::kBytes, Combine::kMin},
    {FieldId::kMaxPacketLength, FieldId::kBytes, Combine::kMax},
};

const FlowShape::Rule* FlowShape::FindRule(FieldId field) {
  for (const Rule& rule : kRules) {
    if (rule.field == field) return &rule;
  }
  return nullptr;
}

bool FlowShape::CanBeKey(FieldId field) {
  if (field == FieldId::kFlowEndReason || field == FieldId::kFlows) return false;
  const Rule* rule = FindRule(field);
  return rule == nullptr || rule->combine == Combine::kOr;
}

Layout FlowShape::LayoutOf(absl::Span<const FieldId> key, absl::Span<const FieldId> more,
                           std::shared_ptr<const record::CustomFields> custom) {
  std::vector<FieldId> fields(key.begin(), key.end());
  fields.insert(fields.end(), std::begin(kAlways), std::end(kAlways));
  fields.insert(fields.end(), more.begin(), more.end());
  for (const FieldId field : more) {
    if (const Rule* rule = FindRule(field)) fields.push_back(rule->source);
  }
  return Layout(fields, std::move(custom));
}

FlowShape::FlowShape(absl::Span<const FieldId> key, absl::Span<const FieldId> more,
                     std::shared_ptr<const record::CustomFields> custom)
    : layout_(LayoutOf(key, more, std::move(custom))) {
  const Layout key_layout(key);  // without those that were named twice
  std::vector<uint8_t> mask(layout_.row_size());
  size_t end = 0;
  for (const FieldId field : key_layout.fields()) {
    const Presence presence = PresenceOf(field);
    mask[presence.octet] |= presence.mask;
    const size_t offset = layout_.offset(field), size = record::FieldTypeSize(record::Info(field).type);
    std::memset(mask.data() + offset, 0xff, size);
    end = std::max({end, offset + size, presence.octet + size_t{1}});
  }
  key_mask_.resize((end + 7) / 8);
  std::memcpy(key_mask_.data(), mask.data(), key_mask_.size() * 8);

  const auto offset = [this](FieldId field) { return layout_.Has(field) ? layout_.offset(field) : uint16_t{0}; };
  protocol_ = offset(FieldId::kProtocol);
  tcp_flags_ = offset(FieldId::kTcpFlags);
  packets_ = offset(FieldId::kPackets);
  bytes_ = offset(FieldId::kBytes);
  start_ = offset(FieldId::kStartTime);
  end_ = offset(FieldId::kEndTime);
  flow_end_reason_ = offset(FieldId::kFlowEndReason);
  flows_ = offset(FieldId::kFlows);
  start_presence_ = PresenceOf(FieldId::kStartTime);
  end_presence_ = PresenceOf(FieldId::kEndTime);
  flow_end_reason_presence_ = PresenceOf(FieldId::kFlowEndReason);
  if (flows_ != 0) flows_presence_ = PresenceOf(FieldId::kFlows);
  joins_flags_ = !key_layout.Has(FieldId::kTcpFlags);
  for (const ClassOfProtocol& row : kClasses) classes_[row.protocol] = row.idle_class;

  joined_presence_.resize(layout_.presence_size());
  for (const FieldId field : layout_.fields()) {
    const Rule* rule = FindRule(field);
    if (rule == nullptr || key_layout.Has(field)) continue;
    if (std::find(std::begin(kAlways), std::end(kAlways), field) != std::end(kAlways)) {
      joined_presence_[PresenceOf(field).octet] |= PresenceOf(field).mask;
      continue;
    }
    const auto size = [](FieldId id) { return static_cast<uint8_t>(record::FieldTypeSize(record::Info(id).type)); };
    steps_.push_back({rule->combine, layout_.offset(field), layout_.offset(rule->source), size(field),
                      size(rule->source), PresenceOf(field), PresenceOf(rule->source)});
  }
}

FlowShape::Presence FlowShape::PresenceOf(FieldId field) const {
  const uint16_t index = layout_.index(field);
  return {static_cast<uint16_t>(index >> 3), static_cast<uint8_t>(1 << (index & 7))};
}

bool FlowShape::FillTimes(int64_t now_nanos, uint8_t* row) const {
  const bool has_start = start_presence_.In(row), has_end = end_presence_.In(row);
  if (!has_start) base::StoreHost<int64_t>(row + start_, has_end ? end(row) : now_nanos);
  if (!has_end) base::StoreHost<int64_t>(row + end_, start(row));
  row[start_presence_.octet] |= start_presence_.mask;
  row[end_presence_.octet] |= end_presence_.mask;
  return !has_start && !has_end;
}

void FlowShape::Begin(uint8_t* flow) const {
  for (const Step& step : steps_) {
    if (!step.field_presence.In(flow)) JoinStep(step, flow, flow);
  }
}

// What the packet's row says of the field itself stands over what it is made of.
bool FlowShape::Told(const Step& step, const uint8_t* packet, uint64_t* value) {
  const bool own = step.field_presence.In(packet);
  if (!own && !step.source_presence.In(packet)) return false;
  *value = own ? base::LoadHostNumber(packet + step.field, step.field_size)
               : base::LoadHostNumber(packet + step.source, step.source_size);
  return true;
}

void FlowShape::JoinStep(const Step& step, const uint8_t* packet, uint8_t* flow) const {
  uint64_t told;
  if (!Told(step, packet, &told)) return;
  uint64_t value = base::LoadHostNumber(flow + step.field, step.field_size);
  if (!step.field_presence.In(flow)) {
    value = told;
  } else {
    switch (step.combine) {
      case Combine::kSum:
        value += told;
        break;
      case Combine::kOr:
        value |= told;
        break;
      case Combine::kMin:
        value = std::min(value, told);
        break;
      case Combine::kMax:
        value = std::max(value, told);
        break;
    }
  }
  std::memcpy(flow + step.field, &value, step.field_size);
  flow[step.field_presence.octet] |= step.field_presence.mask;
}

bool FlowShape::Join(const uint8_t* packet, uint8_t* flow) const {
  uint64_t sum_packets, sum_bytes;
  if (__builtin_add_overflow(packets(flow), packets(packet), &sum_packets) ||
      __builtin_add_overflow(bytes(flow), bytes(packet), &sum_bytes)) {
    return false;
  }
  for (const Step& step : steps_) {
    uint64_t told, sum;
    if (step.combine == Combine::kSum && Told(step, packet, &told) &&
        __builtin_add_overflow(base::LoadHostNumber(flow + step.field, step.field_size), told, &sum)) {
      return false;
    }
  }
  for (const Step& step : steps_) JoinStep(step, packet, flow);
  base::StoreHost(flow + packets_, sum_packets);
  base::StoreHost(flow + bytes_, sum_bytes);
  base::StoreHost(flow + start_, std::min(start(flow), start(packet)));
  base::StoreHost(flow + end_, std::max(end(flow), end(packet)));
  if (joins_flags_) {
    base::StoreHost<uint16_t>(flow + tcp_flags_, static_cast<uint16_t>(Flags(flow) | Flags(packet)));
  }
  for (size_t i = 0; i < joined_presence_.size(); ++i) {
    flow[i] = static_cast<uint8_t>(flow[i] | (packet[i] & joined_presence_[i]));
  }
  return true;
}

void FlowShape::End(FlowEndReason reason, uint8_t* flow) const {
  flow[flow_end_reason_] = static_cast<uint8_t>(reason);
  flow[flow_end_reason_presence_.octet] |= flow_end_reason_presence_.mask;
  if (flows_ == 0) return;
  base::StoreHost<uint64_t>(flow + flows_, 1);
  flow[flows_presence_.octet] |= flows_presence_.mask;
}

}  // namespace flowacct::meter
