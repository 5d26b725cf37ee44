// What all decoders of the data road have in common: a datagram goes in, rows come out.

#ifndef FLOWACCT_RECORD_FLOW_DECODER_H_
#define FLOWACCT_RECORD_FLOW_DECODER_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/flow_batch.h"

namespace flowacct::record {

// What a record tells: traffic, the state of a counter, or the exporter's own affairs.
enum class RecordKind : uint8_t { kFlow, kCounter, kOption };
absl::string_view RecordKindName(RecordKind kind);  // "flow", "counter", "option"

// How the octets of an element read (RFC 7011, 6.1), for those who print it.
enum class ElementType : uint8_t {
  kOctets,
  kUnsigned,
  kSigned,
  kFloat,
  kBoolean,
  kMac,
  kString,
  kIpv4,
  kIpv6,
  kSeconds,       // since 1970
  kMilliseconds,  // since 1970
  kMicroseconds,  // NTP 64-bit format
  kNanoseconds,   // NTP 64-bit format
};

struct Element {
  absl::string_view name;  // "octetDeltaCount", "2636:137", "sampled_header.protocol"; valid for the call
  ElementType type = ElementType::kOctets;
  base::Octets octets;  // as on the wire; valid for the call
};

// Hears of every record in full, as it lies on the wire: unknown elements, options and counters too. For `decode`
// and `explain`; whoever only accounts gives none and pays nothing. For each record: OnRecord, OnElement for each
// element in wire order, OnRecordEnd. Structured data calls OnListBegin and OnListEnd around its members.
class ElementListener {
 public:
  virtual ~ElementListener() = default;
  // `template_id`: 0 where the protocol has none. A record of kind kFlow or kCounter is also appended as a row to its
  // batch before OnRecordEnd is called (a biflow as two); a record that yields no row says so by `rows` = 0 there.
  virtual void OnRecord(RecordKind kind, uint16_t template_id) = 0;
  virtual void OnElement(const Element& element) = 0;
  virtual void OnListBegin(absl::string_view name) {}
  virtual void OnListEnd() {}
  virtual void OnRecordEnd(size_t rows) = 0;
};

// Where decoded records go. Rows are appended, never removed.
struct DecodeOutput {
  FlowBatch* flows = nullptr;           // required
  FlowBatch* counters = nullptr;        // records of kind kCounter; null: counted, not told
  ElementListener* listener = nullptr;  // null: nobody listens
};

struct ExporterReport;  // exporter_report.h

// Sans-IO: no clock, socket, thread or log. Time is the datagram's.
class FlowDecoder {
 public:
  virtual ~FlowDecoder() = default;

  // Decodes one datagram. What is whole before an error is appended all the same, so records before the trouble are
  // accounted and the rest is counted as rejected. The first error is returned; the decoder counts all of them.
  virtual base::DecodeResult Decode(const Datagram& datagram, const DecodeOutput& output) = 0;
  // One report an exporter and domain, ordered by exporter, protocol and domain.
  virtual std::vector<ExporterReport> Report() const = 0;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FLOW_DECODER_H_
