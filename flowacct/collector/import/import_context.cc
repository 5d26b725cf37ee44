#include "flowacct/collector/import/import_context.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::collector {
namespace {

// A map may have as many lines as our rules (enrich/).
PmacctFileOptions MapOptions() {
  PmacctFileOptions options;
  options.max_octets = size_t{64} << 20;
  return options;
}

}  // namespace

std::optional<std::string> ImportContext::Read(const Statement* statement, absl::string_view instead) {
  absl::StatusOr<std::string> text = absl::NotFoundError("no files are read");
  if (read_file_) text = read_file_(statement->value);
  if (text.ok()) return *std::move(text);
  settings_->Attention(statement,
                       absl::StrCat("the file cannot be read here (", text.status().message(), "); ", instead));
  return std::nullopt;
}

std::optional<std::vector<MapLine>> ImportContext::ReadMap(const Statement* statement, absl::string_view instead) {
  const std::optional<std::string> text = Read(statement, instead);
  if (!text) return std::nullopt;
  absl::StatusOr<std::vector<MapLine>> map = ParsePmacctMap(*text, statement->value, MapOptions());
  if (map.ok()) return *std::move(map);
  settings_->Attention(statement, absl::StrCat(map.status().message(), "; ", instead));
  return std::nullopt;
}

std::optional<std::vector<ListLine>> ImportContext::ReadList(const Statement* statement, absl::string_view instead) {
  const std::optional<std::string> text = Read(statement, instead);
  if (!text) return std::nullopt;
  absl::StatusOr<std::vector<ListLine>> list = ParsePmacctList(*text, statement->value, MapOptions());
  if (list.ok()) return *std::move(list);
  settings_->Attention(statement, absl::StrCat(list.status().message(), "; ", instead));
  return std::nullopt;
}

std::string From(const Statement* statement) {
  if (statement == nullptr) return "";
  return absl::StrCat(statement->key, ", line ", statement->line);
}

std::string PlainName(absl::string_view name) {
  std::string plain;
  for (char c : name.substr(0, 48)) {  // 64 octets with what is put behind it
    const bool fits = absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.", c);
    plain.push_back(fits ? c : '-');
  }
  return plain.empty() ? "unnamed" : plain;
}

bool IsAddressAndPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535)
    return false;
  absl::string_view address = text.substr(0, colon);
  const bool brackets = absl::ConsumePrefix(&address, "[") && absl::ConsumeSuffix(&address, "]");
  const auto parsed = base::IpAddress::Parse(address);
  return parsed.has_value() && parsed->IsV4() != brackets;
}

}  // namespace flowacct::collector
