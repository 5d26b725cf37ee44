#include "flowacct/collector/import/backend_import.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"

namespace flowacct::collector {

bool IsHost(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.:/[]%+~", c);
  });
}

std::string HostAndPort(absl::string_view host, uint64_t port) {
  const auto address = base::IpAddress::Parse(host);
  if (address.has_value() && !address->IsV4()) return absl::StrCat("[", host, "]:", port);
  const size_t colon = host.rfind(':');
  uint32_t given = 0;
  if (colon != host.npos && absl::SimpleAtoi(host.substr(colon + 1), &given)) return std::string(host);
  return absl::StrCat(host, ":", port);
}

std::string PercentEncoded(absl::string_view text) {
  constexpr absl::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(octet) || absl::StrContains("-._~", c)) {
      encoded.push_back(c);
    } else {
      encoded += {'%', kHex[octet >> 4], kHex[octet & 15]};
    }
  }
  return encoded;
}

std::string ToldValues::Of(Setting setting, absl::string_view what, absl::string_view unless_told) {
  const Statement* const statement = settings_->Of(setting, plugin_);
  if (statement == nullptr) {
    if (!unless_told.empty()) absl::StrAppend(&defaults_, defaults_.empty() ? "" : ", ", what);
    return std::string(unless_told);
  }
  absl::StrAppend(&statements_, statements_.empty() ? "" : "; ", From(statement));
  if (IsSecretValue(statement->value)) {
    settings_->Fail(statement, "has a password in it; write that into the key that is for it alone");
  }
  return statement->value;
}

std::string ToldValues::HostOf(Setting setting, absl::string_view unless_told) {
  std::string host = Of(setting, "host", unless_told);
  if (!host.empty() && !IsHost(host)) {
    settings_->Fail(settings_->Of(setting, plugin_),
                    "is no host, or is more than one; write its name or address, such as db.example, and who connects "
                    "with which password into the keys that are for it");
  }
  return host;
}

std::string ToldValues::from() const {
  if (defaults_.empty()) return statements_;
  return absl::StrCat(statements_, statements_.empty() ? "" : "; ", "pmacct's unless told: ", defaults_);
}

std::string BackendImport::NewPath(std::string path) {
  const std::string stem = path;
  for (int i = 2; std::find(paths_.begin(), paths_.end(), path) != paths_.end(); ++i) path = absl::StrCat(stem, "-", i);
  paths_.push_back(path);
  return path;
}

void BackendImport::WritePasswordFile(const Statement* secret, ConfigWriter* out) {
  if (secret == nullptr) return;
  auto file = std::find_if(password_files_.begin(), password_files_.end(),
                           [secret](const auto& known) { return known.first == secret; });
  if (file == password_files_.end()) {
    const std::string backend = secret->key.substr(0, secret->key.find('_'));
    const std::string plugin = secret->plugin.empty() ? "" : absl::StrCat("-", PlainName(secret->plugin));
    password_files_.emplace_back(secret, NewPath(absl::StrCat(stem_, "-", backend, plugin, ".password")));
    file = std::prev(password_files_.end());
  }
  out->Text("password_file", file->second, From(secret));
  settings().Attention(secret, absl::StrCat("the password is not copied: write it into ", file->second,
                                            ", as its first line, with mode 0600, for the user that the collector is"));
}

void BackendImport::RemarkOnDefaultPassword(const Statement* secret, absl::string_view key, ConfigWriter* out) {
  if (secret != nullptr) return;
  out->Comment(
      absl::StrCat("Without ", key, " pmacct sends a password of its own (its CONFIG-KEYS tells it): if that is"));
  out->Comment("needed here, give password_file.");
}

void BackendImport::WriteSpool(const BackendPipeline& pipeline, ConfigWriter* out) {
  const Statement* const recovery = settings().Of(Setting::kSqlRecovery, *pipeline.plugin);
  if (recovery == nullptr) return;
  // Where pmacct may write, so may we.
  const bool path = absl::StartsWith(recovery->value, "/");
  const std::string folder =
      NewPath(path ? absl::StrCat(recovery->value, ".spool") : absl::StrCat("/var/lib/flowacct/spool/", pipeline.name));
  out->Open("spool");
  out->Text("folder", folder, From(recovery));
  out->Close();
  settings().Attention(
      recovery,
      "batches wait in the folder of spool until the server has them, and then go there by themselves; "
      "nothing is written elsewhere");
}

}  // namespace flowacct::collector
