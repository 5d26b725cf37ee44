#include "flowacct/collector/export/new_export_decoder.h"

#include <utility>

namespace flowacct::collector {

std::unique_ptr<ExportDecoder> NewExportDecoder(const record::Layout* layout, const ExportDecoderOptions& options) {
  ExportFamilyDecoders decoders;
  decoders.netflow = std::make_unique<netflow::NetflowDecoder>(layout, options.netflow);
  decoders.ipfix = std::make_unique<ipfix::IpfixDecoder>(layout, options.ipfix);
  decoders.sflow = std::make_unique<sflow::SflowDecoder>(layout, options.sflow);
  return std::make_unique<ExportDecoder>(std::move(decoders), options.bounds);
}

}  // namespace flowacct::collector
