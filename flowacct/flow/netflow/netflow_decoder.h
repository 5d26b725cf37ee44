// Decodes NetFlow v1, v5, v7, v8 and v9 datagrams to rows.
//
// Standards: RFC 3954 (v9); v1 to v8 by Cisco's published datagram formats. All versions run through the same plans:
// the fixed formats are templates that are known beforehand. Guaranteed: no octets crash it, make it over-read, loop or
// grow past `options`; what is whole before an error is appended. Not checked: whether the values make sense, except
// times (see template_options.h). Ownership: `layout` must outlive the decoder (or Rebind) and be that of every call's
// output.flows. Threads: one at a time. Errors: the first of a datagram is returned, all are counted in Report(). Cost:
// no allocation in steady state (templates and names known).

#ifndef FLOWACCT_FLOW_NETFLOW_NETFLOW_DECODER_H_
#define FLOWACCT_FLOW_NETFLOW_NETFLOW_DECODER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/flow/template/template_options.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"

namespace flowacct::netflow {

struct NetflowOptions {
  flow::TemplateOptions templates;
};

class NetflowDecoder final : public record::FlowDecoder {
 public:
  explicit NetflowDecoder(const record::Layout* layout, const NetflowOptions& options = {});
  ~NetflowDecoder() override;

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

}  // namespace flowacct::netflow

#endif  // FLOWACCT_FLOW_NETFLOW_NETFLOW_DECODER_H_
