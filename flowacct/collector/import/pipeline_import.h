// The pipelines of an import: a plugin's key, filter, bins and sink.

#ifndef FLOWACCT_COLLECTOR_IMPORT_PIPELINE_IMPORT_H_
#define FLOWACCT_COLLECTOR_IMPORT_PIPELINE_IMPORT_H_

#include <string>
#include <vector>

#include "flowacct/collector/import/aggregate_import.h"
#include "flowacct/collector/import/backend_import.h"
#include "flowacct/collector/import/broker_import.h"
#include "flowacct/collector/import/config_writer.h"
#include "flowacct/collector/import/import_context.h"
#include "flowacct/collector/import/input_import.h"
#include "flowacct/collector/import/rules_import.h"
#include "flowacct/collector/import/store_import.h"

namespace flowacct::collector {

class PipelineImport {
 public:
  // `stem`: how paths of files that a person writes begin.
  PipelineImport(ImportContext* context, InputImport* inputs, RulesImport* rules, std::string stem);
  PipelineImport(const PipelineImport&) = delete;
  PipelineImport& operator=(const PipelineImport&) = delete;

  // One plugin, of any type but tee. Its text is written by Write, when all inputs are known.
  void Add(const Plugin& plugin);
  void Write(const Plugin& plugin, ConfigWriter* out);

  // Once all plugins were added.
  void WriteCustomFields(ConfigWriter* out) const { aggregates_.WriteCustomFields(out); }

 private:
  struct Pipeline {
    const Plugin* plugin;
    std::string name, file_suffix;
    std::string by;
    size_t input;
    ConfigWriter body;  // what follows the key
  };

  std::string NewName(const Plugin& plugin, absl::string_view suffix);
  InputNeed NeedOf(const Plugin& plugin, const ImportedAggregate& aggregate, std::string* where);
  void MeterOf(const Plugin& plugin, const ImportedAggregate& aggregate, InputNeed* need);
  void AddTimeouts(const Plugin& plugin, InputNeed* need);

  void WriteTime(const Plugin& plugin, bool exports, ConfigWriter* out);
  void WriteSampling(const Plugin& plugin, bool sampled, ConfigWriter* out);
  void WriteEnrich(const Plugin& plugin, ConfigWriter* out);
  void WriteNetworks(const Plugin& plugin, ConfigWriter* out);
  void WriteSink(const BackendPipeline& pipeline, ConfigWriter* out);
  void WritePrint(const Plugin& plugin, absl::string_view file_suffix, ConfigWriter* out);
  void WriteMemory(const Plugin& plugin, ConfigWriter* out);
  void WriteProbe(const Plugin& plugin, ConfigWriter* out);
  void WriteSampler(const Plugin& plugin, ConfigWriter* out);
  void ExplainSource(const Plugin& plugin);
  void WriteReceiver(Setting setting, const Plugin& plugin, absl::string_view unless_told, ConfigWriter* out);

  ImportContext* context_;
  InputImport* inputs_;
  RulesImport* rules_;
  AggregateImport aggregates_;
  BackendImport backends_;
  StoreImport stores_;
  BrokerImport brokers_;
  std::vector<Pipeline> pipelines_;
  std::vector<std::string> names_;
  std::vector<std::string> outputs_;  // of print
};

// "tag in (1, 5-10) or not tag = 3": pre_tag_filter's list on `field`. InvalidArgument if it is none.
absl::StatusOr<std::string> TagFilter(absl::string_view field, absl::string_view list);
// The same of labels.
std::string LabelFilter(absl::string_view list);
// "5m", "300", "1M" as a width of ours; empty if it is none. A month becomes a day, and `month` is set.
std::string Width(absl::string_view history, bool* month);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IMPORT_PIPELINE_IMPORT_H_
