#include "flowacct/collector/server/question_stores.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/sink/postgresql/connection_options.h"
#include "flowacct/sink/postgresql/postgresql_store.h"
#include "flowacct/sink/sqlite/sqlite_store.h"

namespace flowacct::collector {
namespace {

bool CanAnswer(const config::Sink& sink) { return sink.has_sqlite() || sink.has_postgresql(); }

// "sqlite".
std::string KindOf(const config::Sink& sink) {
  const auto* const kind = config::Sink::descriptor()->FindOneofByName("kind");
  const auto* const field = sink.GetReflection()->GetOneofFieldDescriptor(sink, kind);
  return field == nullptr ? "" : std::string(field->name());
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

absl::StatusOr<const config::Sink*> ChooseStore(const config::Config& config, absl::string_view name) {
  const config::Sink* chosen = nullptr;
  bool memory = false, several = false;
  std::vector<std::string> names;
  for (const config::Pipeline& pipeline : config.pipeline()) {
    for (int i = 0; i < pipeline.sink_size(); ++i) {
      const config::Sink& sink = pipeline.sink(i);
      memory |= sink.has_memory();
      if (!CanAnswer(sink)) continue;
      const std::string kind = KindOf(sink), full = absl::StrCat(pipeline.name(), "/", kind);
      names.push_back(full);
      if (!name.empty() && name != pipeline.name() && name != kind && name != full &&
          name != absl::StrCat(pipeline.name(), "/", i + 1)) {
        continue;
      }
      several |= chosen != nullptr;
      chosen = &sink;
    }
  }
  if (memory) names.insert(names.begin(), std::string(kMemoryStore));
  if (memory && (name.empty() || name == kMemoryStore)) return nullptr;
  if (names.empty()) {
    return absl::NotFoundError(
        "no pipeline of this collector can be asked; give one a sink { memory {} } or one that is a store");
  }
  const std::string there_are = absl::StrJoin(names, ", ");
  if (several) {
    return absl::NotFoundError(absl::StrCat("store: several can be asked; say which: ", there_are,
                                            ", or PIPELINE/NUMBER for the place of the sink in its pipeline"));
  }
  if (chosen == nullptr)
    return absl::NotFoundError(absl::StrCat("store: there is no such store; there are ", there_are));
  return chosen;
}

absl::StatusOr<std::unique_ptr<query::GroupStore>> OpenStore(const config::Sink& sink) {
  if (sink.has_sqlite()) return sink::sqlite::OpenSqliteStore(sink.sqlite().path());
  sink::postgresql::ConnectionOptions options;
  options.conninfo = sink.postgresql().connection();
  options.password_file = sink.postgresql().password_file();
  options.timeout = config::ConfigFile::DurationOf(sink.postgresql().timeout());
  return sink::postgresql::OpenPostgresqlStore(std::move(options));
}

}  // namespace flowacct::collector
