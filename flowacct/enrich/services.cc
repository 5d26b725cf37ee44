#include "flowacct/enrich/services.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/record/protocol_names.h"
#include "flowacct/record/row.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;

}  // namespace

absl::StatusOr<std::shared_ptr<const Services>> Services::Parse(absl::string_view text, absl::string_view name) {
  auto services = std::make_shared<Services>();
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const auto wrong = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", number, ": ", what));
    };
    line = line.substr(0, line.find('#'));
    const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    if (words.size() < 2) return wrong("a line is NAME PORT/PROTOCOL, such as: https 443/tcp");
    const std::pair<absl::string_view, absl::string_view> at = absl::StrSplit(words[1], absl::MaxSplits('/', 1));
    uint32_t port = 0;
    if (at.first.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(at.first[0])) ||
        !absl::SimpleAtoi(at.first, &port) || port > 65535) {
      return wrong(absl::StrCat("\"", words[1], "\" has no port from 0 to 65535, as 443/tcp has"));
    }
    const std::optional<uint8_t> protocol = record::ProtocolFromName(at.second);
    if (!protocol) return wrong(absl::StrCat("no protocol is called \"", at.second, "\""));
    std::vector<uint16_t>& ports = services->ports_[*protocol];
    if (ports.empty()) ports.resize(65536);
    if (ports[port] != 0) continue;
    const uint32_t text_number = services->texts_.Add(words[0]);
    if (text_number >= std::numeric_limits<uint16_t>::max()) return wrong("more than 65535 different names");
    ports[port] = static_cast<uint16_t>(text_number + 1);
    ++services->size_;
  }
  services->texts_.Finish();
  return services;
}

EnricherFactory ServicesEnricher::Factory(std::shared_ptr<const Services> services) {
  return [services = std::move(services)] { return std::make_unique<ServicesEnricher>(services); };
}

std::vector<F> ServicesEnricher::RequiredFields(const record::FieldSet& wanted) const {
  std::vector<F> fields;
  if (wanted.Has(F::kSrcService)) fields = {F::kProtocol, F::kSrcPort};
  if (wanted.Has(F::kDstService)) fields.insert(fields.end(), {F::kProtocol, F::kDstPort});
  return fields;
}

void ServicesEnricher::Bind(const record::Layout& layout, const record::FieldSet& wanted) {
  source_ = wanted.Has(F::kSrcService) && layout.Has(F::kSrcService);
  destination_ = wanted.Has(F::kDstService) && layout.Has(F::kDstService);
}

void ServicesEnricher::Apply(record::FlowBatch& batch) {
  if (!source_ && !destination_) return;
  texts_.Meet(batch.interner());
  for (size_t i = 0; i < batch.size(); ++i) {
    record::MutableRow row = batch.row(i);
    if (!row.Has(F::kProtocol)) continue;
    const uint8_t protocol = row.Get<F::kProtocol>();
    const auto name_of = [&](uint16_t port) {
      const uint32_t found = services_->Find(protocol, port);
      return found == 0 ? base::Interner::kNone : texts_.Id(services_->texts(), found - 1, batch.interner());
    };
    if (source_ && row.Has(F::kSrcPort) && !row.Has(F::kSrcService)) {
      const base::InternId name = name_of(row.Get<F::kSrcPort>());
      if (name != base::Interner::kNone) row.Set<F::kSrcService>(name);
    }
    if (destination_ && row.Has(F::kDstPort) && !row.Has(F::kDstService)) {
      const base::InternId name = name_of(row.Get<F::kDstPort>());
      if (name != base::Interner::kNone) row.Set<F::kDstService>(name);
    }
  }
}

}  // namespace flowacct::enrich
