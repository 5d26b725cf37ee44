// What a flow's row is made of, and how a packet's row joins it: where each field lies, which bits are the key, and the
// rule by which each of the others follows from the packets.
//
// A packet's row and a flow's row have one layout, so that the first packet is copied and the others are added to it.
// Rows have start_time and end_time. Threads: immutable. Cost: Join is some ten loads and stores, and a step for each
// extreme that was asked for.

#ifndef FLOWACCT_METER_FLOW_SHAPE_H_
#define FLOWACCT_METER_FLOW_SHAPE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "flowacct/base/octets.h"
#include "flowacct/meter/flow_end_reason.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"

namespace flowacct::meter {

// Which idle timeout counts.
enum class IdleClass : uint8_t { kOther, kTcp, kTcpFin, kTcpRst, kUdp, kIcmp };
inline constexpr size_t kIdleClasses = 6;

class FlowShape {
 public:
  // `key` and `more` as in MeterOptions.
  FlowShape(absl::Span<const record::FieldId> key, absl::Span<const record::FieldId> more,
            std::shared_ptr<const record::CustomFields> custom = nullptr);

  const record::Layout& layout() const { return layout_; }
  // False for what a flow gathers from its packets.
  static bool CanBeKey(record::FieldId field);
  // For FlowTable.
  const std::vector<uint64_t>& key_mask() const { return key_mask_; }

  int64_t start(const uint8_t* row) const { return base::LoadHost<int64_t>(row + start_); }
  int64_t end(const uint8_t* row) const { return base::LoadHost<int64_t>(row + end_); }
  uint64_t packets(const uint8_t* row) const { return base::LoadHost<uint64_t>(row + packets_); }
  uint64_t bytes(const uint8_t* row) const { return base::LoadHost<uint64_t>(row + bytes_); }
  bool HasTimes(const uint8_t* row) const { return start_presence_.In(row) && end_presence_.In(row); }
  // Gives a packet's row the times that it lacks: the one for the other, or `now`. True if it had none.
  bool FillTimes(int64_t now_nanos, uint8_t* row) const;

  bool SawSyn(const uint8_t* row) const { return (Flags(row) & kSyn) != 0; }
  IdleClass ClassOf(const uint8_t* row) const {
    const IdleClass by_protocol = classes_[protocol_ == 0 ? 0 : row[protocol_]];
    if (by_protocol != IdleClass::kTcp) return by_protocol;
    const uint16_t flags = Flags(row);
    return (flags & (kFin | kRst)) == 0 ? by_protocol : (flags & kRst) != 0 ? IdleClass::kTcpRst : IdleClass::kTcpFin;
  }

  // Makes a flow of a copy of its first packet.
  void Begin(uint8_t* flow) const;
  // Adds a packet; false, and nothing done, if a sum would go beyond 64 bits.
  bool Join(const uint8_t* packet, uint8_t* flow) const;
  // Says why the flow ended, and that it is one.
  void End(FlowEndReason reason, uint8_t* flow) const;

 private:
  static constexpr uint16_t kFin = 0x01, kSyn = 0x02, kRst = 0x04;  // RFC 9293, 3.1

  // How a field follows from the packets of its flow.
  enum class Combine : uint8_t { kSum, kOr, kMin, kMax };
  struct Rule {
    record::FieldId field, source;
    Combine combine;
  };
  static const Rule kRules[];

  struct Presence {
    uint16_t octet = 0;
    uint8_t mask = 0;
    bool In(const uint8_t* row) const { return (row[octet] & mask) != 0; }
  };
  // A rule that is not one of those that every flow has.
  struct Step {
    Combine combine;
    uint16_t field, source;
    uint8_t field_size, source_size;
    Presence field_presence, source_presence;
  };

  static const Rule* FindRule(record::FieldId field);
  static record::Layout LayoutOf(absl::Span<const record::FieldId> key, absl::Span<const record::FieldId> more,
                                 std::shared_ptr<const record::CustomFields> custom);
  Presence PresenceOf(record::FieldId field) const;
  uint16_t Flags(const uint8_t* row) const {
    return tcp_flags_ == 0 ? uint16_t{0} : base::LoadHost<uint16_t>(row + tcp_flags_);
  }
  static bool Told(const Step& step, const uint8_t* packet, uint64_t* value);
  void JoinStep(const Step& step, const uint8_t* packet, uint8_t* flow) const;

  record::Layout layout_;
  std::vector<uint64_t> key_mask_;
  std::array<IdleClass, 256> classes_{};
  // Offsets; 0: the layout lacks it (presence bits lie in front of all fields).
  uint16_t protocol_ = 0, tcp_flags_ = 0, packets_ = 0, bytes_ = 0, start_ = 0, end_ = 0;
  uint16_t flow_end_reason_ = 0, flows_ = 0;
  Presence start_presence_, end_presence_, flow_end_reason_presence_, flows_presence_;
  bool joins_flags_ = false;              // tcp_flags are no key
  std::vector<uint8_t> joined_presence_;  // of the fields that every flow has and later packets may add
  std::vector<Step> steps_;
};

}  // namespace flowacct::meter

#endif  // FLOWACCT_METER_FLOW_SHAPE_H_
