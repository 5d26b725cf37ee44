#include "flowacct/sink/export/export_encoder.h"

#include <utility>

namespace flowacct::sink {

absl::string_view ExportRefusalName(ExportRefusal refusal) {
  constexpr absl::string_view kNames[] = {
#define X(name, text, help) text,
      FLOWACCT_EXPORT_REFUSALS(X)
#undef X
  };
  return kNames[static_cast<size_t>(refusal)];
}

absl::string_view ExportRefusalHelp(ExportRefusal refusal) {
  constexpr absl::string_view kHelp[] = {
#define X(name, text, help) help,
      FLOWACCT_EXPORT_REFUSALS(X)
#undef X
  };
  return kHelp[static_cast<size_t>(refusal)];
}

void ExportEncoder::Send(base::Octets datagram) {
  absl::Status status = transport_->Send(datagram, counters_.rows_waiting);
  if (status.ok()) {
    ++counters_.datagrams;
    counters_.octets += datagram.size();
    counters_.rows_exported += counters_.rows_waiting;
  } else {
    ++counters_.datagrams_lost;
    counters_.rows_lost += counters_.rows_waiting;
    last_failure_ = std::move(status);
  }
  counters_.rows_waiting = 0;
}

}  // namespace flowacct::sink
