#include "flowacct/collector/server/export_sinks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "flowacct/aggregate/aggregate_batch.h"
#include "flowacct/aggregate/batch_rows.h"
#include "flowacct/aggregate/key_spec.h"
#include "flowacct/aggregate/value_spec.h"
#include "flowacct/base/octets.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/probe/export_sender.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/transport.h"
#include "flowacct/record/field.h"
#include "flowacct/record/layout.h"
#include "flowacct/sink/export/export_options.h"
#include "flowacct/sink/export/export_sink.h"
#include "flowacct/sink/export/new_export_encoder.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using config::Export;
using record::FieldId;
using sink::ExportFormat;
using sink::ExportOptions;

// What a receiver that reads slowly may hold a batch up; batches wait in the sink's queue meanwhile.
constexpr absl::Duration kSendWait = absl::Seconds(1);

ExportFormat FormatOf(const Export& exports) {
  switch (exports.protocol()) {
    case Export::IPFIX:
      return ExportFormat::kIpfix;
    case Export::NETFLOW9:
      return ExportFormat::kNetflow9;
    case Export::NETFLOW5:
      return ExportFormat::kNetflow5;
    case Export::SFLOW5:
      return ExportFormat::kSflow5;
  }
  return ExportFormat::kIpfix;
}

EndpointScheme SchemeOf(const Export& exports) {
  switch (exports.transport()) {
    case Export::UDP:
      return EndpointScheme::kUdp;
    case Export::TCP:
      return EndpointScheme::kTcp;
    case Export::TLS:
      return EndpointScheme::kTls;
  }
  return EndpointScheme::kUdp;
}

std::string ToText(const Export& exports, int i) {
  const std::string& to = exports.to(i);
  return absl::StrContains(to, "://") ? to : absl::StrCat(EndpointSchemeName(SchemeOf(exports)), "://", to);
}

ExportOptions ToExportOptions(const Export& exports, const aggregate::AggregatorOptions& aggregator) {
  ExportOptions options;
  options.format = FormatOf(exports);
  options.fields = absl::StrSplit(exports.fields(), ',', absl::SkipWhitespace());
  for (std::string& field : options.fields) absl::StripAsciiWhitespace(&field);
  options.domain = exports.domain();
  options.max_datagram_octets = exports.max_datagram();
  options.template_refresh = ConfigFile::DurationOf(exports.template_refresh());
  options.sampling_rate = exports.sampling_rate();
  options.enterprise = exports.enterprise();
  // Before the beginning of any bin that is told.
  options.boot_time = absl::Now() - aggregator.every - aggregator.lateness - absl::Hours(1);
  return options;
}

// Which word of the configuration an exporter's complaint is about; it begins with the option's name.
absl::Status Complain(const ConfigFile& file, const Export& exports, absl::string_view complaint) {
  struct Option {
    absl::string_view name, field;
  };
  constexpr Option kOptions[] = {
      {"fields", "fields"},
      {"domain", "domain"},
      {"max_datagram_octets", "max_datagram"},
      {"sampling_rate", "sampling_rate"},
      {"template_refresh", "template_refresh"},
  };
  for (const Option& option : kOptions) {
    if (!absl::ConsumePrefix(&complaint, option.name)) continue;
    absl::ConsumePrefix(&complaint, absl::StartsWith(complaint, ": ") ? ": " : " = ");
    return file.ErrorAt(exports, option.field, complaint);
  }
  return file.ErrorAt(exports, "", complaint);
}

// A field that is asked for and that no row has would never be told.
absl::Status CheckFields(const ConfigFile& file, const Export& exports, const ExportOptions& options,
                         const aggregate::AggregatorOptions& aggregator) {
  const auto keys = aggregate::ParseKeys(aggregator.by);
  const auto values = aggregate::ParseValues(aggregator.values);
  if (!keys.ok() || !values.ok()) return absl::OkStatus();  // the pipeline's own error
  std::vector<FieldId> columns;
  for (const aggregate::KeySpec& key : *keys) columns.push_back(key.column);
  aggregate::Schema schema{record::Layout(absl::MakeConstSpan(columns)), {}};
  for (const aggregate::ValueSpec& value : *values) schema.values.push_back(value.column);
  const std::vector<FieldId> has = aggregate::BatchRows::Fields(schema);
  for (const std::string& name : options.fields) {
    const auto field = record::FieldFromName(name);
    if (!field.ok() || std::find(has.begin(), has.end(), *field) != has.end()) continue;
    return file.ErrorAt(exports, "fields",
                        absl::StrCat(name, " is in neither by nor sum of the pipeline; add it there, or leave it out"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TlsContext>> NewTls(const ConfigFile& file, const Export& exports) {
  if (exports.transport() != Export::TLS) return std::shared_ptr<const TlsContext>();
  TlsOptions options;
  options.certificate_file = exports.tls().certificate();
  options.key_file = exports.tls().key();
  options.ca_file = exports.tls().authority();
  auto context = TlsContext::New(TlsRole::kClient, options);
  if (!context.ok()) return file.ErrorAt(exports, "tls", context.status().message());
  return context;
}

}  // namespace

absl::Status CheckExport(const ConfigFile& file, const Export& exports,
                         const aggregate::AggregatorOptions& aggregator) {
  const bool streams = exports.transport() != Export::UDP;
  if (streams && exports.protocol() != Export::IPFIX) {
    return file.ErrorAt(exports, "transport",
                        absl::StrCat(Export::Protocol_Name(exports.protocol()),
                                     " goes over UDP alone; IPFIX goes over TCP and TLS too"));
  }
  if (exports.has_tls() && exports.transport() != Export::TLS) {
    return file.ErrorAt(exports, "tls", "is for transport: TLS; give that, or leave tls out");
  }
  class Nowhere final : public sink::ExportTransport {
    absl::Status Send(base::Octets, uint64_t) override { return absl::OkStatus(); }
  } nowhere;
  const ExportOptions options = ToExportOptions(exports, aggregator);
  if (auto encoder = sink::NewExportEncoder(options, &nowhere); !encoder.ok()) {
    return Complain(file, exports, encoder.status().message());
  }
  if (absl::Status status = CheckFields(file, exports, options, aggregator); !status.ok()) return status;
  for (int i = 0; i < exports.to_size(); ++i) {
    const auto endpoint = ParseEndpoint(ToText(exports, i), {SchemeOf(exports)});
    if (!endpoint.ok()) return file.ErrorAt(exports, "to", endpoint.status().message(), i);
    if (endpoint->IsAnyAddress() || endpoint->port == 0) {
      return file.ErrorAt(exports, "to", absl::StrCat(exports.to(i), " is no address that can be sent to"), i);
    }
  }
  return NewTls(file, exports).status();
}

absl::StatusOr<std::vector<ExportSinkTo>> NewExportSinks(const ConfigFile& file, const Export& exports,
                                                         const aggregate::AggregatorOptions& aggregator) {
  if (absl::Status status = CheckExport(file, exports, aggregator); !status.ok()) return status;
  auto tls = NewTls(file, exports);
  if (!tls.ok()) return tls.status();
  std::vector<ExportSinkTo> sinks;
  for (int i = 0; i < exports.to_size(); ++i) {
    ExportSenderOptions options;
    options.transport.to = ToText(exports, i);
    options.transport.tls = *tls;
    options.transport.send_wait = kSendWait;
    options.datagrams_per_second = exports.datagrams_per_second();
    auto sender = ExportSender::New(std::move(options));
    if (!sender.ok()) return file.ErrorAt(exports, "to", sender.status().message(), i);
    ExportOptions export_options = ToExportOptions(exports, aggregator);
    export_options.agent = (*sender)->from();
    const std::string to = (*sender)->transport().to().ToString();
    auto sink = sink::ExportSink::New(std::move(export_options), *std::move(sender), [] { return absl::Now(); });
    if (!sink.ok()) return Complain(file, exports, sink.status().message());
    sinks.push_back({to, *std::move(sink)});
  }
  return sinks;
}

}  // namespace flowacct::collector
