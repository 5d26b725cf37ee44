#include "flowacct/collector/server/privacy_plan.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/enrich/privacy/privacy.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using enrich::MasterKey;
using record::FieldId;

constexpr char kKeyVariable[] = "FLOWACCT_PRIVACY_KEY";

absl::StatusOr<std::shared_ptr<const MasterKey>> ReadKey(const ConfigFile& file, const config::Privacy& privacy) {
  std::string text;
  if (privacy.key_file().empty()) {
    const char* const variable = std::getenv(kKeyVariable);
    if (variable == nullptr) {
      return file.ErrorAt(
          privacy, "", absl::StrCat("pseudonyms need a key: give key_file, or ", kKeyVariable, " in the environment"));
    }
    text = variable;
  } else {
    std::ifstream in(privacy.key_file());
    if (!in) return file.ErrorAt(privacy, "key_file", absl::StrCat(privacy.key_file(), ": ", std::strerror(errno)));
    text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  auto key = MasterKey::Parse(text);
  std::fill(text.begin(), text.end(), '\0');
  if (!key.ok()) return file.ErrorAt(privacy, privacy.has_key_file() ? "key_file" : "", key.status().message());
  return key;
}

// What a key spec is of: "src_addr" of "src_addr/24".
std::string FieldNameOf(const std::string& key) { return key.substr(0, key.find('/')); }

}  // namespace

absl::StatusOr<enrich::EnricherFactory> PlanPrivacy(const ConfigFile& file, const config::Pipeline& pipeline) {
  const config::Privacy& privacy = pipeline.privacy();
  enrich::PrivacyOptions options;
  std::vector<FieldId> spoken_of;
  bool pseudonyms = false;
  for (const config::PrivateField& hidden : privacy.field()) {
    const auto field = record::FieldFromName(hidden.name());
    if (!field.ok()) return file.ErrorAt(hidden, "name", field.status().message());
    spoken_of.push_back(*field);
    if (hidden.as() == "plain") continue;
    const auto rule = enrich::PrivacyRule::Parse(*field, hidden.as());
    if (!rule.ok()) return file.ErrorAt(hidden, "as", rule.status().message());
    pseudonyms |= rule->method == enrich::PrivacyRule::Method::kPseudonym;
    options.rules.push_back(*rule);
  }
  for (const std::string& key : aggregate::SplitKeys(pipeline.by())) {
    const auto field = record::FindField(FieldNameOf(key));
    if (!field || std::find(spoken_of.begin(), spoken_of.end(), *field) != spoken_of.end()) continue;
    if (std::find(std::begin(enrich::kIdentities), std::end(enrich::kIdentities), *field) ==
        std::end(enrich::kIdentities)) {
      continue;
    }
    const absl::string_view name = record::Info(*field).name;
    return file.ErrorAt(
        pipeline, "by",
        absl::StrCat(name, " tells who a person is: give privacy { field { name: \"", name,
                     "\" as: \"pseudonym\" } key_file: \"...\" }, or as: \"plain\" if it is to be kept"));
  }
  if (options.rules.empty()) return enrich::EnricherFactory();
  if (pseudonyms) {
    auto key = ReadKey(file, privacy);
    if (!key.ok()) return key.status();
    options.key = *std::move(key);
  }
  options.rotation_nanos = absl::ToInt64Nanoseconds(ConfigFile::DurationOf(privacy.rotate()));
  auto factory = enrich::Privacy::Factory(std::move(options));
  if (!factory.ok()) return file.ErrorAt(privacy, "", factory.status().message());
  return factory;
}

}  // namespace flowacct::collector
