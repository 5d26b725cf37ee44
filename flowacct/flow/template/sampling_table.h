// What an exporter said about sampling, and which of its words counts for a record.
//
// Standards: elements 34, 36, 48-50 (NetFlow v9), 302, 304-311 (PSAMP, RFC 5477). The rate of a record is, in this
// order: what the record itself says; what options data said of the selector that the record refers to; of its
// ingress interface; of the whole domain; the header of the export.
// Ownership: a value in a domain. Threads: one at a time. Cost: one hash look-up for each kind that is known; about
// 16 octets a selector or interface.

#ifndef FLOWACCT_FLOW_TEMPLATE_SAMPLING_TABLE_H_
#define FLOWACCT_FLOW_TEMPLATE_SAMPLING_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flowacct/flow/template/number_table.h"
#include "flowacct/record/exporter_report.h"

namespace flowacct::flow {

// The elements that a rate is made of; zero: not there.
struct SamplingParts {
  uint64_t interval = 0;         // 34 samplingInterval, 50 flowSamplerRandomInterval, 305 alone
  uint64_t packet_interval = 0;  // 305: packets taken in a row ...
  uint64_t packet_space = 0;     // 306: ... and then left out
  uint64_t size = 0;             // 309 samplingSize: packets taken ...
  uint64_t population = 0;       // 310 samplingPopulation: ... out of
  double probability = 0;        // 311 samplingProbability
};

// One packet in how many was taken; 0 if the parts do not tell. Rounded to the nearest whole number.
uint64_t SamplingRateOf(const SamplingParts& parts);

class SamplingTable {
 public:
  // So many selectors, and as many interfaces.
  explicit SamplingTable(size_t max_rates, MemoryBudget* budget = nullptr)
      : selectors_(max_rates, budget), interfaces_(max_rates, budget) {}

  void SetAll(uint64_t rate) { all_ = rate; }
  // False: no room for another one.
  bool SetSelector(uint64_t selector, uint64_t rate) { return selectors_.Set(selector, rate); }
  bool SetInterface(uint32_t interface, uint64_t rate) { return interfaces_.Set(interface, rate); }
  void Clear();

  const NumberTable& selectors() const { return selectors_; }
  const NumberTable& interfaces() const { return interfaces_; }
  uint64_t all() const { return all_; }
  // As all(); if nothing was said of the whole domain but of one selector alone, that one's.
  uint64_t AllOrOnly() const { return all_ == 0 && interfaces_.empty() ? selectors_.Only() : all_; }
  // 0 if nothing is known of it.
  uint64_t OfSelector(uint64_t selector) const { return selectors_.Find(selector); }
  uint64_t OfInterface(uint64_t interface) const { return interfaces_.Find(interface); }
  bool has_selectors() const { return !selectors_.empty(); }
  bool has_interfaces() const { return !interfaces_.empty(); }

  std::vector<record::SamplingReport> Report() const;

 private:
  uint64_t all_ = 0;
  NumberTable selectors_;
  NumberTable interfaces_;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_SAMPLING_TABLE_H_
