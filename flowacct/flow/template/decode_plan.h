// The plan of a template for a layout: which octets of a record go where in a row, compiled once, run on all records
// of a set at a time.
//
// A plan is a list of steps, each a tight loop over the records: (source offset, length) to (target offset), with one
// conversion. What is the same for a whole set (exporter, times of export, presence of fields, sampling rate) lies in
// a prototype row that is copied first. Only fields of the layout have steps.
// Where several elements of the template fill one field, the lowest rank of elements.tsv wins. If the winner and
// another are of IPv4 and IPv6, the other fills the records in which the winner is zero.
// Biflows (RFC 5103; Cisco's initiator and responder counters): the reverse plan reads the same record the other way
// round, for a second row.
// Ownership: borrows layout and template. Threads: one at a time (the prototype is patched a set). Errors: a value that
// does not fit its field leaves the field absent and is counted. Cost: see plan_benchmark.cc; 24 octets a
// step, one row, and some 200.

#ifndef FLOWACCT_FLOW_TEMPLATE_DECODE_PLAN_H_
#define FLOWACCT_FLOW_TEMPLATE_DECODE_PLAN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/base/interner.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/name_table.h"
#include "flowacct/flow/template/number_table.h"
#include "flowacct/flow/template/sampling_table.h"
#include "flowacct/flow/template/template.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::flow {

// Reads the packet that a record carries a part of (elements 313 ipHeaderPacketSection, 315 dataLinkFrameSection,
// ...) into its row. Implemented by rooms that may use packet/.
class PacketSectionDecoder {
 public:
  virtual ~PacketSectionDecoder() = default;
  // `section`: the octets as they are in the record. `frame_octets`: the packet's or frame's full length where the
  // record tells it (312 dataLinkFrameSize, 224 ipTotalLength), else 0. False: it could not be read, and the row is as
  // before.
  virtual bool DecodeSection(uint16_t element, base::Octets section, uint64_t frame_octets, record::MutableRow row) = 0;
};

// What a message and its domain say of all records in it.
struct MessageContext {
  base::IpAddress exporter;
  uint32_t domain = 0;
  uint16_t version = 0;
  uint32_t sequence = 0;
  bool has_sequence = false;
  int64_t arrival_nanos = 0;
  // Of the export, repaired; and what the repair adds to every absolute time of the exporter.
  int64_t export_nanos = 0;
  int64_t shift_nanos = 0;
  // Times after this one cannot be.
  int64_t latest_nanos = INT64_MAX;
  // Milliseconds since the device's start at the export, as a 32-bit counter that wraps.
  bool has_uptime = false;
  uint32_t uptime_millis = 0;
  int64_t uptime_remainder_nanos = 0;  // of the export behind the whole millisecond
  // Told by the export's header (NetFlow v5); 0: not told.
  uint64_t header_sampling_rate = 0;
  NameTable* names = nullptr;
  uint32_t interner_epoch = 0;  // of the rows' interner
  const SamplingTable* sampling = nullptr;
  const NumberTable* route_distinguishers = nullptr;  // by VRF id
  PacketSectionDecoder* sections = nullptr;
  // Counted by the steps.
  uint64_t misfits = 0;
  uint64_t clock_repairs = 0;
  uint64_t unread_sections = 0;
};

class DecodePlan;

// A run of records of one shape, and the rows that they go to.
struct RecordRun {
  const uint8_t* records;
  size_t stride;  // octets of a record
  size_t count;
  const uint32_t* offsets;  // a field
  const uint32_t* lengths;
  uint8_t* rows;
  size_t row_stride;
  const DecodePlan* plan;
  MessageContext* context;
  base::Interner* interner;
};

inline constexpr uint16_t kNoField = 0xffff;

struct PlanStep;
using PlanKernel = void (*)(const PlanStep& step, const RecordRun& run);

struct PlanStep {
  PlanKernel kernel = nullptr;
  uint16_t source = kNoField;  // index of the template's field
  uint16_t target = 0;         // octet of the row
  uint16_t presence = 0;       // octet of the row, and its bit
  uint8_t presence_mask = 0;
  uint8_t target_size = 0;
  // Meaning by kernel: fields that decide or complete, and a constant.
  uint16_t second = kNoField;
  uint16_t third = kNoField;
  uint16_t constant = 0;
};

enum class PlanDirection : uint8_t { kForward, kReverse };

class DecodePlan {
 public:
  // `version` is the export protocol's (10: IPFIX): in NetFlow the destination port of ICMP is type and code.
  DecodePlan(const Template* format, const record::Layout* layout, uint16_t version,
             PlanDirection direction = PlanDirection::kForward);

  // Sets what the message and the set (the template's id; 0: it has none) say of all records. Before Run, once a set.
  void ApplyMessage(const MessageContext& context, uint16_t template_id);
  // Decodes `count` records to rows that are appended to `batch`. Fixed records lie record_octets apart; of a template
  // with variable fields `shape` is the one record's.
  void Run(const uint8_t* records, size_t count, const RecordShape* shape, MessageContext* context,
           record::FlowBatch* batch) const;

  // Whether records of the template can be biflows; and whether this one is, so that it has a second row.
  static bool HasReverse(const Template& format);
  bool IsBiflow(const uint8_t* record, const RecordShape* shape) const;

  const Template& format() const { return *format_; }
  const record::Layout& layout() const { return *layout_; }
  size_t steps() const { return steps_.size(); }
  // Fields whose length their element cannot have, so that they are not read.
  size_t unusable_fields() const { return unusable_fields_; }
  // All that it takes of the heap, each block with its overhead.
  size_t memory_octets() const {
    return sizeof(DecodePlan) + steps_.capacity() * sizeof(PlanStep) + prototype_.capacity() +
           (label_fields_.capacity() + reverse_counters_.capacity()) * sizeof(uint16_t) + 5 * 16;
  }

  // For the kernels.
  struct SamplingFields {
    uint16_t interval = kNoField;         // 34
    uint16_t random_interval = kNoField;  // 50
    uint16_t packet_interval = kNoField;  // 305
    uint16_t packet_space = kNoField;     // 306
    uint16_t size = kNoField;             // 309
    uint16_t population = kNoField;       // 310
    uint16_t probability = kNoField;      // 311
    uint16_t selector = kNoField;         // 302, else 48
    uint16_t interface = kNoField;        // 10
  };
  const SamplingFields& sampling_fields() const { return sampling_fields_; }
  absl::Span<const uint16_t> label_fields() const { return label_fields_; }

 private:
  friend class PlanCompiler;

  const Template* format_;
  const record::Layout* layout_;
  std::vector<PlanStep> steps_;
  std::vector<uint8_t> prototype_;
  SamplingFields sampling_fields_;
  std::vector<uint16_t> label_fields_;      // 70 to 79, in that order
  std::vector<uint16_t> reverse_counters_;  // a record in which one is not zero is a biflow
  size_t unusable_fields_ = 0;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_DECODE_PLAN_H_
