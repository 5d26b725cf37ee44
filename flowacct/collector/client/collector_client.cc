#include "flowacct/collector/client/collector_client.h"

#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/collector/admin/question_json.h"
#include "flowacct/collector/admin/status_json.h"

namespace flowacct::collector {
namespace {

// What a collector's own error text is worth to the caller, by its status.
absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 409:
    case 422:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::StatusOr<std::string> CollectorClient::Body(absl::StatusOr<HttpAnswer> answer) const {
  if (!answer.ok()) return answer.status();
  if (answer->status == 200) return std::move(answer->body);
  const std::string error = ErrorFromJson(answer->body);
  if (!error.empty()) return absl::Status(CodeOf(answer->status), error);
  return absl::UnavailableError(absl::StrCat("what answers at ", address().text, " is no flowacct-collector (HTTP ",
                                             answer->status, "); give the ADDRESS of its admin"));
}

absl::StatusOr<StatusAnswer> CollectorClient::Status() {
  absl::StatusOr<std::string> body = Body(http_.Get("/api/v1/status"));
  if (!body.ok()) return body.status();
  StatusAnswer answer;
  absl::StatusOr<CollectorStatus> status = StatusFromJson(*body);
  absl::StatusOr<ProcessStatus> process = status.ok() ? ProcessFromJson(*body) : status.status();
  if (!process.ok()) {
    return absl::UnavailableError(absl::StrCat("what answers at ", address().text, " is no flowacct-collector: ",
                                               absl::string_view(process.status().message())));
  }
  answer.status = *std::move(status);
  answer.process = *process;
  answer.json = *std::move(body);
  return answer;
}

absl::StatusOr<ExportersAnswer> CollectorClient::Exporters(absl::string_view exporter, bool templates) {
  // All: their number is bounded by the collector.
  std::string target = absl::StrCat("/api/v1/exporters?limit=1000000&templates=", templates ? 1 : 0);
  if (!exporter.empty()) absl::StrAppend(&target, "&exporter=", HttpClient::Escape(exporter));
  absl::StatusOr<std::string> body = Body(http_.Get(target));
  if (!body.ok()) return body.status();
  absl::StatusOr<std::vector<record::ExporterReport>> exporters = ExportersFromJson(*body);
  if (!exporters.ok()) return absl::UnavailableError(absl::string_view(exporters.status().message()));
  return ExportersAnswer{*std::move(exporters), *std::move(body)};
}

absl::StatusOr<QueryAnswer> CollectorClient::Query(const MemoryQuestion& question) {
  std::string target = absl::StrCat("/api/v1/query?pipeline=", HttpClient::Escape(question.pipeline));
  const auto add = [&target](absl::string_view name, absl::string_view value) {
    if (!value.empty()) absl::StrAppend(&target, "&", name, "=", HttpClient::Escape(value));
  };
  add("by", question.by);
  add("where", question.where);
  add("order", question.order);
  if (question.top > 0) add("top", absl::StrCat(question.top));
  if (question.since > absl::ZeroDuration()) add("since", absl::FormatDuration(question.since));
  if (question.reset) add("reset", "1");
  absl::StatusOr<std::string> body = Body(question.reset ? http_.Post(target) : http_.Get(target));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<std::string> CollectorClient::Ask(const WrittenQuestion& question) {
  return Body(http_.Post("/api/v1/query", WrittenQuestionAsJson(question)));
}

absl::StatusOr<QueryAnswer> CollectorClient::Routes(const RoutesQuestion& question) {
  std::string path = question.routers ? "/api/v1/bmp/routers" : "/api/v1/bgp/peers";
  if (!question.address.empty()) {
    path = "/api/v1/bgp/lookup";
    absl::string_view separator = "?";
    for (const auto& [name, value] :
         {std::make_pair("address", &question.address), std::make_pair("exporter", &question.exporter),
          std::make_pair("rd", &question.rd)}) {
      if (value->empty()) continue;
      absl::StrAppend(&path, separator, name, "=", HttpClient::Escape(*value));
      separator = "&";
    }
  }
  absl::StatusOr<std::string> body = Body(http_.Get(path));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<QueryAnswer> CollectorClient::Sessions(const SessionsQuestion& question) {
  std::string path = "/api/v1/gtp/";
  switch (question.of) {
    case SessionsQuestion::Of::kSessions:
      absl::StrAppend(&path, "sessions?limit=", question.limit, question.ended ? "&ended=1" : "");
      if (!question.apn.empty()) absl::StrAppend(&path, "&apn=", HttpClient::Escape(question.apn));
      break;
    case SessionsQuestion::Of::kSubscriber:
      absl::StrAppend(&path, "subscriber?imsi=", HttpClient::Escape(question.imsi));
      break;
    case SessionsQuestion::Of::kPeers:
      path += "peers";
      break;
    case SessionsQuestion::Of::kUnmatched:
      path += "unmatched";
      break;
  }
  absl::StatusOr<std::string> body = Body(http_.Get(path));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<std::string> CollectorClient::Igp(const IgpQuestion& question) {
  using Of = IgpQuestion::Of;
  struct Kind {
    Of of;
    const char* path;
  };
  constexpr Kind kKinds[] = {{Of::kNeighbors, "neighbors"}, {Of::kDatabase, "lsdb"},    {Of::kRoutes, "routes"},
                             {Of::kPaths, "path"},          {Of::kSpf, "spf"},          {Of::kAlternates, "lfa"},
                             {Of::kTraffic, "traffic"},     {Of::kWhatIf, "whatif"},    {Of::kDiff, "diff"},
                             {Of::kDraw, "draw"},           {Of::kTopology, "topology"}};
  std::string target = "/api/v1/igp/";
  for (const Kind& kind : kKinds) {
    if (kind.of == question.of) target += kind.path;
  }
  absl::string_view separator = "?";
  const auto add = [&](absl::string_view name, const std::string& value) {
    if (value.empty()) return;
    absl::StrAppend(&target, separator, name, "=", HttpClient::Escape(value));
    separator = "&";
  };
  add(question.of == Of::kPaths ? "from" : "router", question.router);
  add("to", question.to);
  add("prefix", question.prefix);
  add("level", question.level == 0 ? "" : absl::StrCat(question.level));
  add("topology", question.topology == 0 ? "" : absl::StrCat(question.topology));
  add("at", question.at);
  add("since", question.since);
  add("pipeline", question.pipeline);
  if (question.bins > absl::ZeroDuration()) add("bins", absl::FormatDuration(question.bins));
  add("by", question.label);
  add("fail", absl::StrJoin(question.failures, ","));
  if (question.of == Of::kWhatIf) add("threshold", absl::StrCat(std::llround(question.threshold * 100)));
  add("limit", question.limit == 0 ? "" : absl::StrCat(question.limit));
  return Body(http_.Get(target));
}

absl::StatusOr<QueryAnswer> CollectorClient::Rpki(const RpkiQuestion& question) {
  std::string path = "/api/v1/rpki";
  if (!question.prefix.empty()) {
    absl::StrAppend(&path, "/validate?prefix=", HttpClient::Escape(question.prefix),
                    "&as=", HttpClient::Escape(question.as));
  }
  absl::StatusOr<std::string> body = Body(http_.Get(path));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<QueryAnswer> CollectorClient::History(const HistoryQuestion& question) {
  std::string path = absl::StrCat("/api/v1/bgp/history?limit=", question.limit);
  for (const auto& [name, value] :
       {std::make_pair("prefix", &question.prefix), std::make_pair("peer", &question.peer)}) {
    if (!value->empty()) absl::StrAppend(&path, "&", name, "=", HttpClient::Escape(*value));
  }
  absl::StatusOr<std::string> body = Body(http_.Get(path));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<QueryAnswer> CollectorClient::ListRoutes(const RouteListQuestion& question) {
  std::string target = absl::StrCat("/api/v1/bgp/routes?limit=", question.limit);
  for (const auto& [name, value] :
       {std::make_pair("peer", &question.peer), std::make_pair("prefix", &question.prefix),
        std::make_pair("origin_as", &question.origin_as), std::make_pair("as", &question.as),
        std::make_pair("community", &question.community), std::make_pair("rd", &question.rd)}) {
    if (!value->empty()) absl::StrAppend(&target, "&", name, "=", HttpClient::Escape(*value));
  }
  if (question.longer) absl::StrAppend(&target, "&longer=1");
  absl::StatusOr<std::string> body = Body(http_.Get(target));
  if (!body.ok()) return body.status();
  return QueryAnswer::FromJson(*body);
}

absl::StatusOr<std::string> CollectorClient::DumpRoutes(const std::string& peer) {
  return Body(http_.Get(peer.empty() ? std::string("/api/v1/bgp/mrt")
                                     : absl::StrCat("/api/v1/bgp/mrt?peer=", HttpClient::Escape(peer))));
}

absl::Status CollectorClient::Reload() { return Body(http_.Post("/api/v1/reload")).status(); }

std::vector<std::string> PipelinesWithMemory(const CollectorStatus& status) {
  std::vector<std::string> names;
  for (const PipelineStatus& pipeline : status.pipelines) {
    for (const SinkStatus& sink : pipeline.sinks) {
      if (!absl::StartsWith(sink.name, "memory")) continue;
      names.push_back(pipeline.name);
      break;
    }
  }
  return names;
}

absl::Status NoSuchPipeline(absl::string_view name, const std::vector<std::string>& pipelines) {
  if (pipelines.empty()) {
    return absl::NotFoundError("no pipeline of this collector answers queries; give one a sink { memory {} }");
  }
  const std::string known = absl::StrJoin(pipelines, ", ");
  if (name.empty()) return absl::NotFoundError(absl::StrCat("several pipelines answer queries; choose of ", known));
  return absl::NotFoundError(
      absl::StrCat("no pipeline that answers queries is called \"", name, "\"; there are ", known));
}

}  // namespace flowacct::collector
