// The bounds of everything that an exporter can make grow, and the judgements of what cannot be true. Plain values,
// shared by the NetFlow and the IPFIX decoder. Where a bound bites, what is over it is rejected and counted as
// limit_exceeded (or, held data, as template_unknown); nothing grows past it.

#ifndef FLOWACCT_FLOW_TEMPLATE_TEMPLATE_OPTIONS_H_
#define FLOWACCT_FLOW_TEMPLATE_TEMPLATE_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "flowacct/record/sequence_tracker.h"

namespace flowacct::flow {

struct TemplateOptions {
  // Exporter domains (address and observation domain, source id or engine) followed at once. An address of a UDP
  // datagram is easily forged; a domain costs about 1 KiB.
  size_t max_domains = 65536;
  // Chassis with many line cards use tens of templates a domain; the id space has 65280.
  size_t max_templates_per_domain = 4096;
  // The longest templates seen in the wild have some 130 fields.
  size_t max_fields_per_template = 1024;
  // A record never spans datagrams, so a longer one could not arrive.
  size_t max_record_octets = 65535;
  // Of one data set: a record of four octets is the least that tells anything, and rows are larger than records.
  size_t max_records_per_set = 16384;
  // Of all templates and their plans: some hundred thousand templates of twenty fields.
  size_t max_template_octets = size_t{256} << 20;

  // A full table of domains forgets those that were silent for so long. 0: none.
  int64_t domain_idle_seconds = 6 * 3600;

  // Over UDP a template that was neither refreshed nor used for so long is forgotten (RFC 7011, 8.4). An exporter's own
  // interval is not known here, and data that a template still fits is worth more than its age. 0: never.
  int64_t template_lifetime_seconds = 30 * 86400;

  // Data sets held until their template comes, a domain and in all, and for how long. Templates are refreshed every
  // few minutes at worst, and a megabyte holds some hundred datagrams of one exporter.
  size_t max_pending_octets_per_domain = size_t{1} << 20;
  size_t max_pending_octets = size_t{64} << 20;
  int64_t pending_lifetime_seconds = 1800;

  // Names (interfaces, VRFs, applications), route distinguishers and sampling rates kept a domain: NBAR knows some 1500
  // applications, a broadband gateway some ten thousand interfaces.
  size_t max_names_per_domain = 65536;
  size_t max_rates_per_domain = 65536;
  // Of these, of all domains: some hundred thousand names and as many rates.
  size_t max_learned_octets = size_t{64} << 20;

  // Structured data (RFC 6313) inside structured data; two levels are the most seen.
  int max_list_depth = 4;

  // An exporter whose clock differs from the arrival by more than this is taken to have a wrong clock: all its times
  // are moved by the difference, and its datagrams are counted as clock_repairs. 0: clocks are always believed.
  // Files of other times (Transport::kFile) are always believed.
  int64_t max_clock_skew_seconds = 7 * 86400;
  // A flow cannot end after its export; exporters round, and count uptime and wall time by two clocks. What lies
  // further ahead becomes the time of export, and is counted.
  int64_t max_future_seconds = 3600;

  // The enterprise number under which exporters tell flowacct's own elements (elements.md), as their
  // ExportOptions::enterprise has it. 0: none does.
  uint32_t own_enterprise = 0;

  // What is a loss, reordering or a restart.
  record::SequenceLimits sequence;
};

}  // namespace flowacct::flow

#endif  // FLOWACCT_FLOW_TEMPLATE_TEMPLATE_OPTIONS_H_
