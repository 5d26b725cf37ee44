// Rows in, datagrams out: what all exporters have in common.
//
//     New...Encoder(options, &transport) -> Bind(layout) -> Add(flows, now)... -> Flush(now)
//
// Exact: rows_in = rows_exported + rows_refused + rows_lost + rows_waiting, each with its reason.
// Ownership: borrows the transport, which outlives it. Threads: one at a time. Errors: only New has any; what the
// transport answers is counted and kept (last_failure), and the exporter goes on.
// Cost: no allocation a row in steady state.

#ifndef FLOWACCT_SINK_EXPORT_EXPORT_ENCODER_H_
#define FLOWACCT_SINK_EXPORT_EXPORT_ENCODER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "flowacct/base/octets.h"
#include "flowacct/record/flow_batch.h"
#include "flowacct/record/layout.h"

namespace flowacct::sink {

// Takes what an exporter has to say: one datagram, or one message of a stream. Sockets and files are the collector's.
class ExportTransport {
 public:
  virtual ~ExportTransport() = default;
  // `datagram` is valid for the call. An error means that it did not leave. `rows`: how many it tells of; one that
  // takes several datagrams counts with its last.
  virtual absl::Status Send(base::Octets datagram, uint64_t rows) = 0;

  // Over connections: each begins with the preamble, in which all templates and options are told, so that the receiver
  // can read what comes then. `messages` are whole ones, whose sequence numbers begin with 0; `data_records` is what
  // they count of these. Given anew, before the datagram that first needs it, when it has changed.
  virtual bool HasSessions() const { return false; }
  virtual void SetPreamble(base::Octets messages, uint32_t data_records) {}

  // Looks what became of what was sent, so that the two below tell it.
  virtual void Settle() {}
  // Of the rows that Send took, those known not to have arrived.
  virtual uint64_t rows_lost() const { return 0; }
  // What is wrong, for a person; empty: nothing.
  virtual std::string trouble() const { return ""; }
  // What waits leaves or is lost. Nothing is sent afterwards. Errors: of what was not told yet.
  virtual absl::Status Close() { return absl::OkStatus(); }
};

// Why a row cannot be told. X(enumerator, name, help)
#define FLOWACCT_EXPORT_REFUSALS(X)                                                                    \
  X(kNotIpv4, "not_ipv4", "NetFlow v5 has no place for it: not IPv4")                                  \
  X(kTooLarge, "too_large", "its counters of 64 bits would need more than 4096 records of NetFlow v5") \
  X(kNotOnePacket, "not_one_packet", "sFlow tells of single packets, and it is a flow of several")     \
  X(kNoAddresses, "no_addresses", "sFlow tells of IP packets, and it has no addresses")                \
  X(kTooLong, "too_long", "its texts and lists are longer than a datagram")                            \
  X(kNothing, "nothing", "it has none of the fields that are told")

enum class ExportRefusal : uint8_t {
#define X(name, text, help) name,
  FLOWACCT_EXPORT_REFUSALS(X)
#undef X
};
inline constexpr size_t kExportRefusals = 0
#define X(name, text, help) +1
    FLOWACCT_EXPORT_REFUSALS(X)
#undef X
    ;
absl::string_view ExportRefusalName(ExportRefusal refusal);  // "not_ipv4"
absl::string_view ExportRefusalHelp(ExportRefusal refusal);

struct ExportCounters {
  uint64_t rows_in = 0;
  uint64_t rows_exported = 0;  // in datagrams that were sent
  uint64_t rows_lost = 0;      // in datagrams that the transport did not take
  uint64_t rows_waiting = 0;   // in the datagram that is not yet full
  std::array<uint64_t, kExportRefusals> rows_refused{};
  uint64_t datagrams = 0, octets = 0;  // sent
  uint64_t datagrams_lost = 0;
  uint64_t records = 0;  // data records and samples; v5 makes several of a row whose counters need it
  // Of rows that were told all the same: values that the format has no room for, told as zero or not at all, and rows
  // that told zero for fields that they lack (ExportOptions::max_templates).
  uint64_t values_unfit = 0;
  uint64_t rows_filled = 0;

  uint64_t refused() const {
    uint64_t sum = 0;
    for (const uint64_t n : rows_refused) sum += n;
    return sum;
  }
};

class ExportEncoder {
 public:
  virtual ~ExportEncoder() = default;

  // The layout of the rows that come; it outlives the encoder or the next Bind.
  virtual void Bind(const record::Layout* layout) = 0;
  // Tells of each row, in no particular order. A datagram is sent when it is full.
  virtual void Add(const record::FlowBatch& flows, absl::Time now) = 0;
  // Sends what waits. Callers do so once a second or so, and at the end.
  virtual void Flush(absl::Time now) = 0;
  // The other end is new (a stream was opened again): everything is told from the start.
  virtual void Restart() = 0;

  const ExportCounters& counters() const { return counters_; }
  // The last that the transport answered with, if it ever failed.
  const absl::Status& last_failure() const { return last_failure_; }

 protected:
  explicit ExportEncoder(ExportTransport* transport) : transport_(transport) {}

  ExportTransport& transport() { return *transport_; }

  void Refuse(ExportRefusal refusal) { ++counters_.rows_refused[static_cast<size_t>(refusal)]; }
  // Sends, and accounts for the rows that were waiting.
  void Send(base::Octets datagram);

  ExportCounters counters_;

 private:
  ExportTransport* transport_;
  absl::Status last_failure_;
};

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_EXPORT_ENCODER_H_
