// Turns sFlow datagrams into rows: one a flow sample or discarded packet, one a counter value.
//
// sFlow versions 2, 4 and 5; see sflow_view.h for the documents and README.md for how each record becomes fields.
// Guaranteed: a record that cannot be read costs its own fields only; a sample that is whole is told although a
// later one is not. Not checked: checksums of sampled packets.
// Ownership: borrows the layout, which outlives the decoder (or Rebind). Threads: one at a time.
// Errors: the first of a datagram is returned, all are counted in Report() for the agent.
// Cost: no allocation a sample once an agent and its sources are known; about 600 octets an agent and 80 a source.

#ifndef FLOWACCT_FLOW_SFLOW_SFLOW_DECODER_H_
#define FLOWACCT_FLOW_SFLOW_SFLOW_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "flowacct/base/decode_result.h"
#include "flowacct/base/octets.h"
#include "flowacct/packet/packet_decoder.h"
#include "flowacct/record/exporter_counters.h"
#include "flowacct/record/exporter_report.h"
#include "flowacct/record/flow_decoder.h"
#include "flowacct/record/layout.h"
#include "flowacct/record/sequence_tracker.h"

namespace flowacct::sflow {

struct SflowDecoderOptions {
  // A datagram of 64 KiB holds some 1,300 of the shortest flow samples; agents send 1 to 30.
  uint32_t max_samples = 2000;
  // Of a sample. The registry has some 60 formats, and no agent sends one twice but for aggregated 802.11 frames.
  uint32_t max_records = 256;
  // AS numbers of a path. Paths of the Internet stay below 100 even with prepending.
  uint32_t max_as_path_length = 512;
  // Agents (address and sub-agent) whose sequence numbers and rates are followed. Samples of further ones are decoded
  // all the same and counted together, in the report of scope kBeyond, so that forged addresses cost no memory.
  uint32_t max_agents = 65536;
  // A full table of agents forgets those that were silent for so long. 0: none.
  int64_t agent_idle_seconds = 6 * 3600;
  // Data sources (ports, mostly) that are followed, over all agents: some 20 MB when all are there. Samples of further
  // ones are decoded all the same and counted as untracked_samples.
  uint32_t max_sources = 262144;
  // What is a loss, reordering or a restart. At 1,000 datagrams a second a gap of 2^20 is a quarter of an hour, and a
  // network reorders by a few: later is a restart. The same for the samples of a source.
  record::SequenceLimits sequence = {/*max_gap=*/1 << 20, /*max_reorder=*/64};
  // Formats of enterprises that are counted one by one; further ones are counted together as "other".
  uint32_t max_vendor_formats = 1024;
  // `sampling_rate` becomes what the agent's counters show (pool / samples received), not what it was configured to:
  // right for totals when the agent or the network loses samples, and different from sample to sample.
  bool use_effective_rate = false;
  // Samples of a source before its effective rate is trusted: its error is about 1 / sqrt(n).
  uint32_t effective_rate_min_samples = 64;
  // How sampled headers are accounted: at which depth, which fragments are followed. `keep_not_ip` is on, so that every
  // sample is a row; a row without IP then has `bytes` of what follows its link headers.
  packet::PacketDecoderOptions packet = KeepNotIp();

  static packet::PacketDecoderOptions KeepNotIp() {
    packet::PacketDecoderOptions options;
    options.keep_not_ip = true;
    return options;
  }
};

// How often a format of sample or record was met, known here or not.
struct FormatCount {
  uint32_t version = 0;  // 2, 4, 5
  enum Kind : uint8_t { kSample, kFlowRecord, kCounterRecord } kind = kSample;
  uint32_t enterprise = 0;
  uint32_t format = 0;
  std::string name;  // "flow_sample", "sampled_header"; "unknown" if no table has it
  uint64_t count = 0;
};

class SflowDecoder : public record::FlowDecoder {
 public:
  explicit SflowDecoder(const record::Layout* layout, SflowDecoderOptions options = {});
  ~SflowDecoder() override;

  base::DecodeResult Decode(const record::Datagram& datagram, const record::DecodeOutput& output) override;
  void Rebind(const record::Layout* layout) override;
  void EndSession(uint64_t session) override;
  std::string SaveState() const override;
  absl::StatusOr<record::RestoredState> RestoreState(base::Octets state) override;
  std::vector<record::ExporterReport> Report() const override;
  void Summarize(std::vector<record::ExporterCounters>* counters) const override;

  // By version, kind, enterprise and format; over all agents.
  std::vector<FormatCount> Formats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowacct::sflow

#endif  // FLOWACCT_FLOW_SFLOW_SFLOW_DECODER_H_
