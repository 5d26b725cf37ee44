// Decodes IPFIX messages to rows.
//
// Standards: RFC 7011 (protocol), 5103 (biflows), 6313 (structured data, for listeners), 5610 (type information),
// 5476 and 5477 (PSAMP), 5655 (files, as messages of Transport::kFile).
// A biflow becomes two rows, the reverse one with source and destination exchanged, unless its counters are zero.
// A PSAMP record with a packet section (313, 315) becomes a row of one packet, as a packet decoder reads it. If it
// cannot be read, the packet still counts: a row with what else the record tells and no octets, and unread_sections.
// Guaranteed: no octets crash it, make it over-read, loop or grow past `options`; what is whole before an error is
// appended. Not checked: whether the values make sense, except times (see template_options.h).
// Ownership: `layout` must outlive the decoder (or Rebind) and be that of every call's output.flows.
// Threads: one at a time. Errors: the first of a message is returned, all are counted in Report().
// Cost: no allocation in steady state (templates and names known).

#ifndef FLOWACCT_FLOW_IPFIX_IPFIX_DECODER_H_
#define FLOWACCT_FLOW_IPFIX_IPFIX_DECODER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/ipfix/message_view.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::ipfix {

struct IpfixOptions {
  flow::TemplateOptions templates;
};

class IpfixDecoder final : public record::FlowDecoder {
 public:
  explicit IpfixDecoder(const record::Layout* layout, const IpfixOptions& options = {});
  ~IpfixDecoder() override;

  // `datagram.octets` is one message: a UDP datagram, or what NextMessage (message_view.h) cut from a stream or file.
  base::DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) override;
  void Rebind(const record::Layout* layout) override;
  void EndSession(uint64_t session) override;
  std::string SaveState() const override;
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) override;
  std::vector<record::ExporterReport> Report() const override;
  void Summarize(std::vector<record::ExporterCounters>* counters) const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowacct::ipfix

#endif  // FLOWACCT_FLOW_IPFIX_IPFIX_DECODER_H_
