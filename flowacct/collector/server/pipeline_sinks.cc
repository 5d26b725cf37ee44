#include "flowacct/collector/server/pipeline_sinks.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "flowacct/collector/server/export_sinks.h"
#include "flowacct/collector/server/message_sinks.h"
#include "flowacct/collector/server/named_sink.h"
#include "flowacct/collector/server/store_sinks.h"
#include "flowacct/sink/print/print_sink.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using Log = std::function<void(absl::string_view)>;

// What a table shows where nobody said how much: a screenful.
constexpr size_t kTableTop = 20;

absl::StatusOr<sink::PrintOptions> ToPrintOptions(const ConfigFile& file, const config::Print& print,
                                                  const aggregate::AggregatorOptions& aggregator) {
  sink::PrintOptions options;
  switch (print.format()) {
    case config::Print::TABLE:
      options.format = sink::PrintFormat::kTable;
      break;
    case config::Print::JSON:
      options.format = sink::PrintFormat::kJson;
      break;
    case config::Print::CSV:
      options.format = sink::PrintFormat::kCsv;
      break;
  }
  switch (print.naming()) {
    case config::Print::FLOWACCT:
      options.naming = sink::Naming::kFlowacct;
      break;
    case config::Print::PMACCT:
      options.naming = sink::Naming::kPmacct;
      break;
    case config::Print::IPFIX:
      options.naming = sink::Naming::kIpfix;
      break;
  }
  options.path = print.output();
  options.live = true;
  options.order = print.order();
  if (absl::Status status = sink::CheckPrintOrder(print.order(), aggregator.values); !status.ok()) {
    return file.ErrorAt(print, "order", status.message());
  }
  if (print.separator().size() != 1) return file.ErrorAt(print, "separator", "give one character");
  options.separator = print.separator()[0];
  options.header = print.header();
  options.top = print.has_top() ? print.top() : print.format() == config::Print::TABLE ? kTableTop : 0;
  return options;
}

}  // namespace

absl::Status CheckPipelineSinks(const ConfigFile& file, const config::Pipeline& pipeline,
                                const aggregate::AggregatorOptions& aggregator) {
  for (const config::Sink& sink : pipeline.sink()) {
    if (sink.has_export_()) {
      if (absl::Status status = CheckExport(file, sink.export_(), aggregator); !status.ok()) return status;
    }
    if (IsStore(sink)) {
      if (absl::Status status = CheckStore(file, sink, pipeline, aggregator); !status.ok()) return status;
    }
    if (IsMessageSink(sink)) {
      if (absl::Status status = CheckMessageSink(file, sink, aggregator); !status.ok()) return status;
    }
    if (!sink.has_print()) continue;
    if (auto options = ToPrintOptions(file, sink.print(), aggregator); !options.ok()) return options.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<PipelineSinks> NewPipelineSinks(const ConfigFile& file, const config::Pipeline& pipeline,
                                               const aggregate::AggregatorOptions& aggregator, Spools* spools,
                                               const Log& log) {
  PipelineSinks sinks;
  const auto add = [&](const config::Sink& config, NamedSink made) -> absl::Status {
    SinkQueueOptions options;
    absl::StatusOr<std::shared_ptr<Spool>> spool = OpenSpool(file, config, spools);
    if (!spool.ok()) return spool.status();
    options.spool = *std::move(spool);
    if (IsStore(config) || IsMessageSink(config) || config.has_spool())
      options.retry_after = ConfigFile::DurationOf(config.retry_after());
    options.name = absl::StrCat(made.kind, " ", sinks.queues.size() + 1, made.to.empty() ? "" : " to ", made.to);
    options.max_waiting = std::max<size_t>(config.queue(), 1);
    if (log) {
      options.on_error = [log, where = absl::StrCat(pipeline.name(), ": ", options.name, ": ")](
                             const absl::Status& error) { log(absl::StrCat(where, error.message())); };
    }
    sinks.queues.push_back(std::make_unique<SinkQueue>(std::move(made.sink), std::move(options)));
    return absl::OkStatus();
  };
  for (const config::Sink& sink : pipeline.sink()) {
    switch (sink.kind_case()) {
      case config::Sink::kPrint: {
        auto options = ToPrintOptions(file, sink.print(), aggregator);
        if (!options.ok()) return options.status();
        auto print = sink::NewPrintSink(*std::move(options));
        if (!print.ok()) return file.ErrorAt(sink, "print", print.status().message());
        if (absl::Status status = add(sink, {"print", "", *std::move(print)}); !status.ok()) return status;
        break;
      }
      case config::Sink::kMemory:
        sinks.kept_bins = std::max<size_t>(sinks.kept_bins, sink.memory().bins());
        break;
      case config::Sink::kExport: {
        auto exports = NewExportSinks(file, sink.export_(), aggregator);
        if (!exports.ok()) return exports.status();
        for (ExportSinkTo& receiver : *exports) {
          if (absl::Status status = add(sink, {"export", receiver.to, std::move(receiver.sink)}); !status.ok()) {
            return status;
          }
        }
        break;
      }
      case config::Sink::kSqlite:
      case config::Sink::kPostgresql:
      case config::Sink::kMariadb:
      case config::Sink::kClickhouse:
      case config::Sink::kMongodb: {
        auto made = NewStoreSink(file, sink, pipeline, aggregator);
        if (!made.ok()) return made.status();
        if (absl::Status status = add(sink, {made->kind, made->to, std::move(made->sink)}); !status.ok()) return status;
        break;
      }
      case config::Sink::kKafka:
      case config::Sink::kAmqp:
      case config::Sink::kFile: {
        auto made = NewMessageSink(file, sink, aggregator);
        if (!made.ok()) return made.status();
        if (absl::Status status = add(sink, *std::move(made)); !status.ok()) return status;
        break;
      }
      case config::Sink::KIND_NOT_SET:
        break;
    }
  }
  return sinks;
}

}  // namespace flowacct::collector
