// Every record of a datagram or packet in full, one JSON object a line: what `flowacct decode` prints.
//
//     {"datagram":12,"kind":"flow","export":"netflow9","template":260,
//      "src_addr":"192.0.2.1",...,"bytes":112,"elements":{"octetDeltaCount":112,"9:12235":"00ff",...}}
//
// The fields of the registry come first, as they are accounted (sampled counters scaled, if asked); `elements` is what
// lay on the wire, in wire order, unknown ones too. A name that occurs again in the same scope gets "#2", "#3".
// A record that yields two rows (a biflow) makes two lines; the second has no `elements`. A record that yields none
// (options, non-IP) has only `elements`. What could not be decoded makes a line of kind "error" with the datagram's
// number, the octet offset and the reason.
//
// Ownership: borrows the batches and the text it appends to. Threads: one at a time.

#ifndef FLOWACCT_COLLECTOR_DECODE_RECORD_PRINTER_H_
#define FLOWACCT_COLLECTOR_DECODE_RECORD_PRINTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/flow_decoder.h"

namespace flowacct::collector {

class RecordPrinter : public record::ElementListener {
 public:
  // Decode with `flows`, `counters` and this as the listener, between Begin and End.
  RecordPrinter(record::FlowBatch* flows, record::FlowBatch* counters) : flows_(flows), counters_(counters) {}

  // `unit` is "datagram" or "packet"; `number` its number in the capture.
  void Begin(absl::string_view unit, uint64_t number);
  // Appends the lines of all that was heard since Begin, and clears the batches. Rows may have been changed (scaled)
  // since they were heard. `protocol` is left out if empty.
  void End(base::DecodeResult result, absl::string_view protocol, std::string* out);

  void OnRecord(record::RecordKind kind, uint16_t template_id) override;
  void OnElement(const record::Element& element) override;
  void OnListBegin(absl::string_view name) override;
  void OnListEnd() override;
  void OnRecordEnd(size_t rows) override;

 private:
  struct Heard {
    record::RecordKind kind;
    uint16_t template_id;
    size_t rows;
    std::string elements;  // the members of the object
  };
  void AppendName(absl::string_view name, std::string* out);
  void AppendRecord(const Heard& heard, record::FlowBatch& rows, size_t first, absl::string_view protocol,
                    std::string* out);
  void AppendHead(absl::string_view kind, absl::string_view protocol, std::string* out);

  record::FlowBatch* flows_;
  record::FlowBatch* counters_;
  std::string unit_;
  uint64_t number_ = 0;
  std::vector<Heard> heard_;
  size_t heard_count_ = 0;
  // How often each name occurred, a scope each.
  std::vector<absl::flat_hash_map<std::string, int>> scopes_;
};

// The value of an element as JSON, by its type; octets of a length that the type cannot have come out as hex text.
void AppendElementJson(const record::Element& element, std::string* out);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_DECODE_RECORD_PRINTER_H_
