// The accounting identity of a running collector as equations, each with both of its sides.
//
// What went in = what came out + what is counted as rejected (docs/explanation/exactness.md), for each input, pipeline
// and sink. Beside it, since no one can account for what never arrived: what exporters' sequence numbers tell was lost.
// Plain values. Threads: any. Cost: a few dozen numbers; LossReport is linear in the exporters.

#ifndef FLOWACCT_COLLECTOR_ADMIN_IDENTITY_H_
#define FLOWACCT_COLLECTOR_ADMIN_IDENTITY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "flowacct/collector/server/collector_status.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::collector {

struct Term {
  std::string name;
  uint64_t value = 0;
};

struct Equation {
  std::string of;    // "input exports", "sink as/print"
  std::string unit;  // "datagrams", "records", "batches"
  std::vector<Term> left;
  std::vector<Term> right;
  // The left side is computed from the right one: nobody else counts it.
  bool by_definition = false;

  // Sums that overflow 64 bits wrap on both sides alike.
  uint64_t LeftSum() const;
  uint64_t RightSum() const;
  bool Holds() const { return LeftSum() == RightSum(); }
  // "received 120 = decoded 118 + refused_rate 2"; terms of zero on the right are left out.
  std::string ToString() const;
};

// Why datagrams of an input were rejected, all reasons, those of the decoders by their DecodeCodeName().
std::vector<Term> Rejections(const InputStatus& input);
uint64_t RejectedBy(const InputStatus& input);

std::vector<Equation> Identity(const CollectorStatus& status);
size_t BrokenEquations(const std::vector<Equation>& equations);

// Of what an exporter sent, by its sequence numbers, the share that was seen: 0 to 1; 1 where there are no numbers.
// What a decoder saw is datagrams, or data records, as the numbers count.
double Coverage(const record::ExporterCounters& exporter);

struct ExporterLoss {
  std::string exporter;
  std::string protocol;
  uint32_t domain = 0;
  std::string unit;
  uint64_t lost = 0;
  double coverage = 1;
};

struct LossReport {
  uint64_t exporters = 0;  // exporters' domains
  uint64_t exporters_with_loss = 0;
  uint64_t lost_datagrams = 0;
  uint64_t lost_records = 0;
  std::vector<ExporterLoss> worst;  // by coverage, the worst first; kWorst at most
};

inline constexpr size_t kWorst = 10;
LossReport Losses(absl::Span<const record::ExporterReport> exporters);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_ADMIN_IDENTITY_H_
