// What all decoders of the data road have in common: a datagram goes in, rows come out.

#ifndef FLOWACCT_RECORD_FLOW_DECODER_H_
#define FLOWACCT_RECORD_FLOW_DECODER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/record/datagram.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

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

struct ExporterCounters;  // exporter_counters.h
struct ExporterReport;    // exporter_report.h

// What RestoreState found.
struct RestoredState {
  uint64_t exporters = 0;  // domains or agents
  uint64_t templates = 0;
  uint64_t held_sets = 0;
  uint64_t left_out = 0;  // of all these and of what they told, as the options' bounds are lower than they were
};

// Whether the stream over which a message with this result came is to be closed, as nothing that follows can be
// trusted: it was malformed (RFC 7011, 9.1 and 10.4), or used a template's id against the rules (8.1). Of several
// errors in a message of a stream the first such one is the result.
bool EndsSession(base::DecodeCode code);

// Sans-IO: no clock, socket, thread or log. Time is the datagram's.
class FlowDecoder {
 public:
  virtual ~FlowDecoder() = default;

  // Decodes one datagram. What is whole before an error is appended all the same, so records before the trouble are
  // accounted and the rest is counted as rejected. The first error is returned; the decoder counts all of them.
  virtual base::DecodeResult Decode(const Datagram& datagram, const DecodeOutput& output) = 0;
  // From now on rows have `layout`, which outlives the decoder or the next call, and are of whichever interner the
  // output then has. What is known of exporters stays: templates, options, names, sequences, held data, counters. Call
  // it also when the interner was replaced, as ids of the former one are remembered. What depends on the layout is made
  // anew when it is next needed, so that a call costs little however many exporters there are.
  virtual void Rebind(const Layout* layout) = 0;
  // The stream of Datagram::session was closed: what was learned over it ends (RFC 7011, 8), its counters do not.
  virtual void EndSession(uint64_t session) = 0;
  // What was learned of exporters (templates, rates, names, clocks, held data) and where their sequences are: for a
  // decoder of the same kind that goes on later. Without counters. The same knowledge gives the same octets. Cost: a
  // copy of it.
  virtual std::string SaveState() const = 0;
  // Of a decoder that knows nothing yet: goes on from what another one saved. What bounds forbid is left out. A state
  // that is none, damaged, or could not be written by this program is refused, with a reason, and changes nothing.
  virtual absl::StatusOr<RestoredState> RestoreState(base::Octets state) = 0;
  // One report an exporter and domain, and one for each other scope in which something was counted
  // (exporter_counters.h); ordered by exporter, protocol, domain and scope.
  virtual std::vector<ExporterReport> Report() const = 0;
  // The counters of all reports, appended in no order: for metrics, as often as one likes. Cost: a copy of some 400
  // octets a report; no allocation if `counters` has room.
  virtual void Summarize(std::vector<ExporterCounters>* counters) const = 0;
};

}  // namespace flowacct::record

#endif  // FLOWACCT_RECORD_FLOW_DECODER_H_
