#include "flowacct/collector/server/question_stores.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace flowacct::collector {
namespace {

// What the sink is, as a part of it: its name and its own options.
const google::protobuf::FieldDescriptor* KindOf(const config::Sink& sink) {
  return sink.GetReflection()->GetOneofFieldDescriptor(sink, config::Sink::descriptor()->FindOneofByName("kind"));
}

// The table that the sink names, else the pipeline's.
std::string TableOf(const config::Pipeline& pipeline, const config::Sink& sink) {
  const auto& options = sink.GetReflection()->GetMessage(sink, KindOf(sink));
  const auto* const table = options.GetDescriptor()->FindFieldByName("table");
  std::string name;
  if (table != nullptr) name = options.GetReflection()->GetString(options, table);
  return name.empty() ? pipeline.name() : name;
}

}  // namespace

absl::StatusOr<std::string> SavedQuestionOf(const config::Config& config, absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const config::Question& question : config.question()) {
    if (question.name() == name) return question.ask();
    names.push_back(question.name());
  }
  if (names.empty()) {
    return absl::NotFoundError(
        "saved: the configuration has no questions; give it one, as in question { name: \"peering\" ask: \"dst_as\" }");
  }
  return absl::NotFoundError(absl::StrCat("saved: there is no such question; there are ", absl::StrJoin(names, ", ")));
}

std::vector<NamedStore> StoresOf(const config::Config& config, absl::string_view name) {
  std::vector<NamedStore> stores;
  for (const config::Pipeline& pipeline : config.pipeline()) {
    for (int i = 0; i < pipeline.sink_size(); ++i) {
      const config::Sink& sink = pipeline.sink(i);
      if (!IsStore(sink)) continue;
      const std::string kind(KindOf(sink)->name());
      const bool meant = name.empty() || name == pipeline.name() || name == kind ||
                         name == absl::StrCat(pipeline.name(), "/", kind) ||
                         name == absl::StrCat(pipeline.name(), "/", i + 1);
      if (meant) stores.push_back({&pipeline, &sink, kind, TableOf(pipeline, sink)});
    }
  }
  return stores;
}

absl::StatusOr<const config::Sink*> ChooseStore(const config::Config& config, absl::string_view name) {
  bool memory = false;
  for (const config::Pipeline& pipeline : config.pipeline()) {
    for (const config::Sink& sink : pipeline.sink()) memory |= sink.has_memory();
  }
  if (memory && (name.empty() || name == kMemoryStore)) return nullptr;
  const std::vector<NamedStore> meant = StoresOf(config, name);
  if (meant.size() == 1) return meant[0].sink;
  std::vector<std::string> names;
  if (memory) names.emplace_back(kMemoryStore);
  for (const NamedStore& store : StoresOf(config, "")) {
    names.push_back(absl::StrCat(store.pipeline->name(), "/", store.kind));
  }
  if (names.empty()) {
    return absl::NotFoundError(
        "no pipeline of this collector can be asked; give one a sink { memory {} } or one that is a store");
  }
  const std::string there_are = absl::StrJoin(names, ", ");
  if (meant.empty()) return absl::NotFoundError(absl::StrCat("store: there is no such store; there are ", there_are));
  return absl::NotFoundError(absl::StrCat("store: several can be asked; say which: ", there_are,
                                          ", or PIPELINE/NUMBER for the place of the sink in its pipeline"));
}

}  // namespace flowacct::collector
