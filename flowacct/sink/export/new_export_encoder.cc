#include "flowacct/sink/export/new_export_encoder.h"

#include <utility>

#include "flowacct/sink/export/netflow5_encoder.h"
#include "flowacct/sink/export/sflow_encoder.h"
#include "flowacct/sink/export/template_encoder.h"

namespace flowacct::sink {

absl::StatusOr<std::unique_ptr<ExportEncoder>> NewExportEncoder(ExportOptions options, ExportTransport* transport) {
  switch (options.format) {
    case ExportFormat::kNetflow5:
      return Netflow5Encoder::New(std::move(options), transport);
    case ExportFormat::kSflow5:
      return SflowEncoder::New(std::move(options), transport);
    case ExportFormat::kNetflow9:
    case ExportFormat::kIpfix:
      break;
  }
  return TemplateEncoder::New(std::move(options), transport);
}

}  // namespace flowacct::sink
