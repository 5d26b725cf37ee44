// A services file: what ports are called. The format is that of services(5):
//
//     https    443/tcp                # name, port and protocol, aliases; a comment
//     domain   53/udp   dns
//
// The first name of a port counts. Ownership: owns its tables. Threads: immutable, for any. Errors: InvalidArgument
// "FILE:LINE: ...", the first one. Cost: an array look-up; 128 KiB a protocol that has names.

#ifndef FLOWACCT_ENRICH_SERVICES_H_
#define FLOWACCT_ENRICH_SERVICES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/text_table.h"

namespace flowacct::enrich {

class Services {
 public:
  static absl::StatusOr<std::shared_ptr<const Services>> Parse(absl::string_view text, absl::string_view name);

  // Names; aliases are not counted.
  size_t size() const { return size_; }
  // The number in texts(), plus 1; 0: no name.
  uint32_t Find(uint8_t protocol, uint16_t port) const {
    const std::vector<uint16_t>& ports = ports_[protocol];
    return ports.empty() ? 0 : ports[port];
  }
  const TextTable& texts() const { return texts_; }

 private:
  std::array<std::vector<uint16_t>, 256> ports_;
  TextTable texts_;
  size_t size_ = 0;
};

// Sets src_service and dst_service, where they are wanted and the record has none, by protocol and port.
class ServicesEnricher : public Enricher {
 public:
  explicit ServicesEnricher(std::shared_ptr<const Services> services) : services_(std::move(services)) {}
  static EnricherFactory Factory(std::shared_ptr<const Services> services);

  absl::string_view name() const override { return "services"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;

 private:
  std::shared_ptr<const Services> services_;
  bool source_ = false, destination_ = false;
  InternedTexts texts_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SERVICES_H_
