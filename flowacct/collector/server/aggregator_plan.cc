#include "flowacct/collector/server/aggregator_plan.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {

using config::ConfigFile;

absl::StatusOr<std::shared_ptr<const record::CustomFields>> PlanCustomFields(const ConfigFile& file) {
  std::vector<record::CustomFieldOptions> all;
  for (const config::CustomField& field : file.message().custom_field()) {
    record::CustomFieldOptions options;
    options.name = field.name();
    switch (field.type()) {
      case config::CustomField::NUMBER:
        options.type = record::CustomFieldOptions::Type::kNumber;
        break;
      case config::CustomField::TEXT:
        options.type = record::CustomFieldOptions::Type::kText;
        break;
      case config::CustomField::HEX:
        options.type = record::CustomFieldOptions::Type::kHex;
        break;
      case config::CustomField::ADDRESS:
        options.type = record::CustomFieldOptions::Type::kAddress;
        break;
    }
    options.element = field.element();
    options.packet.assign(field.packet().begin(), field.packet().end());
    if (field.length() > UINT16_MAX) {
      return file.ErrorAt(field, "length", absl::StrCat("length = ", field.length(), ": is at most ", UINT16_MAX));
    }
    options.length = static_cast<uint16_t>(field.length());
    all.push_back(std::move(options));
    // One more each time, so that the error is told where it lies.
    if (auto tried = record::CustomFields::New(all); !tried.ok()) {
      return file.ErrorAt(field, "name", tried.status().message());
    }
  }
  if (all.empty()) return std::shared_ptr<const record::CustomFields>();
  return std::make_shared<const record::CustomFields>(*record::CustomFields::New(all));
}

absl::StatusOr<aggregate::AggregatorOptions> PlanAggregator(const ConfigFile& file, const config::Pipeline& pipeline,
                                                            std::shared_ptr<const record::CustomFields> custom) {
  aggregate::AggregatorOptions options;
  options.by = aggregate::SplitKeys(pipeline.by());
  options.custom_fields = std::move(custom);
  const auto canonical = [&options](std::vector<std::string> specs) {
    if (options.custom_fields == nullptr) return specs;
    for (std::string& spec : specs) spec = options.custom_fields->names().Canonical(spec);
    return specs;
  };
  if (auto keys = aggregate::ParseKeys(canonical(options.by)); !keys.ok()) {
    return file.ErrorAt(pipeline, "by", keys.status().message());
  }
  options.values = absl::StrSplit(pipeline.sum(), ',', absl::SkipWhitespace());
  for (std::string& value : options.values) absl::StripAsciiWhitespace(&value);
  if (auto values = aggregate::ParseValues(canonical(options.values)); !values.ok()) {
    return file.ErrorAt(pipeline, "sum", values.status().message());
  }
  options.every = ConfigFile::DurationOf(pipeline.every());
  options.lateness = ConfigFile::DurationOf(pipeline.lateness());
  if (!absl::LoadTimeZone(pipeline.time_zone(), &options.time_zone)) {
    return file.ErrorAt(
        pipeline, "time_zone",
        absl::StrCat("\"", pipeline.time_zone(), "\" is not in this machine's list; such as UTC or Europe/Vienna"));
  }
  auto time_field = record::FieldFromName(pipeline.time_field());
  if (!time_field.ok()) return file.ErrorAt(pipeline, "time_field", time_field.status().message());
  options.time_field = *time_field;
  options.prorate = pipeline.prorate();
  options.late = pipeline.late() == config::Pipeline::RESTATE ? aggregate::AggregatorOptions::Late::kRestate
                                                              : aggregate::AggregatorOptions::Late::kCount;
  options.restate_for = ConfigFile::DurationOf(pipeline.restate_for());
  options.max_groups = pipeline.max_groups();
  return options;
}

}  // namespace flowacct::collector
