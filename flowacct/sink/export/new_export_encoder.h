// The exporter of a format.

#ifndef FLOWACCT_SINK_EXPORT_NEW_EXPORT_ENCODER_H_
#define FLOWACCT_SINK_EXPORT_NEW_EXPORT_ENCODER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "flowacct/sink/export/export_encoder.h"
#include "flowacct/sink/export/export_options.h"

namespace flowacct::sink {

// InvalidArgument for an option that cannot be; its text names the option, the value and what to do.
absl::StatusOr<std::unique_ptr<ExportEncoder>> NewExportEncoder(ExportOptions options, ExportTransport* transport);

}  // namespace flowacct::sink

#endif  // FLOWACCT_SINK_EXPORT_NEW_EXPORT_ENCODER_H_
