#include "flowacct/collector/admin/admin_api.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/mutex.h"
#include "flowacct/base/near_miss.h"
#include "flowacct/collector/admin/identity.h"
#include "flowacct/collector/admin/process_status.h"
#include "flowacct/collector/admin/question_json.h"
#include "flowacct/collector/admin/status_json.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/query/answer.h"

namespace flowacct::collector {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";

// The status of an answer, by what the collector said (RFC 9110, 15).
int HttpStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

AdminResponse Failure(const absl::Status& status) {
  return AdminApi::Error(HttpStatus(status), absl::string_view(status.message()));
}

AdminResponse Json(std::string body) {
  AdminResponse response;
  response.body = std::move(body);
  return response;
}

AdminResponse Plain(std::string body, const char* content_type = kPlain) {
  AdminResponse response;
  response.body = std::move(body);
  response.content_type = content_type;
  return response;
}

// Without the port, and without the brackets of an IPv6 address (RFC 3986, 3.2.2).
absl::string_view HostWithoutPort(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) return host.substr(0, host.find(']'));
  return host.substr(0, host.find(':'));
}

}  // namespace

struct AdminApi::Route {
  absl::string_view path;
  bool get, post;
  // Whether a Host that is a name must be an allowed one. A Prometheus may ask by any name.
  bool guarded;
  // Whether the answer can be of many megabytes.
  bool large;
  AdminResponse (AdminApi::*answer)(const RequestTarget& target, bool changes);
  // Of a POST with a body, which nobody else waits for; null: a body means nothing.
  AdminResponse (AdminApi::*answer_body)(const RequestTarget& target, absl::string_view body) = nullptr;
};

const AdminApi::Route AdminApi::kRoutes[] = {
    {"/metrics", true, false, false, true, &AdminApi::Metrics},
    {"/healthz", true, false, false, false, &AdminApi::Healthz},
    {"/readyz", true, false, false, false, &AdminApi::Readyz},
    {"/api/v1/status", true, false, true, false, &AdminApi::Status},
    {"/api/v1/identity", true, false, true, true, &AdminApi::Identity},
    {"/api/v1/exporters", true, false, true, true, &AdminApi::Exporters},
    {"/api/v1/templates", true, false, true, true, &AdminApi::Templates},
    {"/api/v1/query", true, true, true, true, &AdminApi::Query, &AdminApi::Ask},
    {"/api/v1/questions", true, false, true, false, &AdminApi::Questions},
    {"/api/v1/bgp/peers", true, false, true, true, &AdminApi::BgpPeers},
    {"/api/v1/bgp/lookup", true, false, true, true, &AdminApi::BgpLookup},
    {"/api/v1/bmp/routers", true, false, true, true, &AdminApi::BmpRouters},
    {"/api/v1/gtp/sessions", true, false, true, true, &AdminApi::GtpSessions},
    {"/api/v1/gtp/subscriber", true, false, true, false, &AdminApi::GtpSubscriber},
    {"/api/v1/gtp/peers", true, false, true, true, &AdminApi::GtpPeers},
    {"/api/v1/gtp/unmatched", true, false, true, false, &AdminApi::GtpUnmatched},
    // Not `large`: a question to a large network takes seconds, and may not keep a scrape waiting.
    {"/api/v1/igp/neighbors", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/lsdb", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/routes", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/path", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/spf", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/lfa", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/traffic", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/whatif", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/diff", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/draw", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/igp/topology", true, false, true, false, &AdminApi::Igp},
    {"/api/v1/rpki", true, false, true, false, &AdminApi::RpkiSources},
    {"/api/v1/rpki/validate", true, false, true, false, &AdminApi::RpkiValidate},
    {"/api/v1/bgp/routes", true, false, true, true, &AdminApi::BgpRoutes},
    {"/api/v1/bgp/mrt", true, false, true, true, &AdminApi::BgpMrt},
    {"/api/v1/bgp/history", true, false, true, true, &AdminApi::BgpHistory},
    {"/api/v1/reload", false, true, true, false, &AdminApi::Reload},
};

AdminApi::AdminApi(CollectorControl* control, AdminApiOptions options)
    : control_(control), options_(std::move(options)), series_(options_.max_exporter_series) {}

AdminResponse AdminApi::Error(int status, absl::string_view text) {
  AdminResponse response;
  response.status = status;
  response.body = ErrorAsJson(text);
  return response;
}

void AdminApi::CountFailed() {
  ++requests_;
  ++failed_;
}

AdminCounters AdminApi::counters() const {
  AdminCounters counters;
  counters.requests = requests_;
  counters.requests_failed = failed_;
  counters.requests_refused = refused_;
  counters.requests_postponed = postponed_;
  counters.connections_cut = connections_cut_;
  counters.connections_turned_away = turned_away_;
  return counters;
}

AdminResponse AdminApi::Answer(const AdminRequest& request) {
  ++requests_;
  AdminResponse response = Serve(request);
  if (response.status >= 400) ++failed_;
  return response;
}

AdminResponse AdminApi::Serve(const AdminRequest& request) {
  const absl::StatusOr<RequestTarget> target = RequestTarget::Parse(request.target);
  if (!target.ok()) return Failure(target.status());
  const auto route = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                  [&target](const Route& r) { return r.path == target->path; });
  if (route == std::end(kRoutes)) {
    std::vector<absl::string_view> paths;
    for (const Route& r : kRoutes) paths.push_back(r.path);
    const std::vector<std::string> near = base::NearestWords(target->path, paths, 1);
    return Error(
        404, absl::StrCat("nothing is at this path; ", near.empty() ? std::string("docs/reference/api.md tells what is")
                                                                    : absl::StrCat("did you mean ", near[0], "?")));
  }
  const bool changes = request.method == "POST";
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!(reads && route->get) && !(changes && route->post)) {
    const char* const allow = route->get ? (route->post ? "GET, HEAD, POST" : "GET, HEAD") : "POST";
    AdminResponse response = Error(405, absl::StrCat(route->path, " takes ", allow));
    response.allow = allow;
    return response;
  }
  if (!request.local && (route->guarded || changes)) {
    if (!IsAllowedHost(request.host)) {
      ++refused_;
      return Error(403, absl::StrCat("the name \"", HostWithoutPort(request.host),
                                     "\" is not allowed here; ask by address, or allow the name in the configuration"));
    }
    // A browser tells the site whose page asks; whoever has none, and our own page, is fine.
    if (changes && !request.origin.empty() && request.origin != absl::StrCat("http://", request.host)) {
      ++refused_;
      return Error(403, "a page of another site may not ask this");
    }
  }
  if (changes && !request.body.empty() && route->answer_body != nullptr) {
    return (this->*route->answer_body)(*target, request.body);
  }
  if (!route->large) return (this->*route->answer)(*target, changes);
  base::MutexLock lock(&large_mutex_);
  return (this->*route->answer)(*target, changes);
}

bool AdminApi::IsAllowedHost(absl::string_view host) const {
  const absl::string_view name = HostWithoutPort(host);
  // No browser leaves it out.
  if (name.empty() || absl::EqualsIgnoreCase(name, "localhost") || base::IpAddress::Parse(name)) return true;
  return std::any_of(options_.hosts.begin(), options_.hosts.end(),
                     [name](const std::string& allowed) { return absl::EqualsIgnoreCase(allowed, name); });
}

AdminResponse AdminApi::Metrics(const RequestTarget&, bool) {
  Scrape scrape;
  scrape.status = control_->Status();
  // Scrapes come one at a time, so that none sees older counters than the one before.
  large_mutex_.AssertHeld();
  scrape.exporters = series_.Select(control_->Exporters(/*templates=*/false));
  scrape.process = ReadProcessStatus();
  scrape.admin = counters();
  return Plain(MetricsText(scrape), kMetricsContentType);
}

AdminResponse AdminApi::Healthz(const RequestTarget&, bool) {
  // That Status() comes back is half of the answer.
  const CollectorStatus status = control_->Status();
  const absl::Duration silent = status.now - status.last_round;
  if (silent > options_.hung_after) {
    return Error(503, absl::StrCat("a thread of the collector hangs: it was last heard of ",
                                   absl::FormatDuration(absl::Trunc(silent, absl::Seconds(1))), " ago"));
  }
  return Plain("ok\n");
}

AdminResponse AdminApi::Readyz(const RequestTarget&, bool) {
  const CollectorStatus status = control_->Status();
  if (status.ready) return Plain("ready\n");
  std::string reason = status.not_ready;
  for (const InputStatus& input : status.inputs) {
    if (input.up) continue;
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", "input ", input.name, " is down",
                    input.trouble.empty() ? "" : ": ", input.trouble);
  }
  return Error(503, reason.empty() ? absl::string_view("not ready") : reason);
}

AdminResponse AdminApi::Status(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  return Json(StatusAsJson(control_->Status(), ReadProcessStatus()));
}

AdminResponse AdminApi::Identity(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  return Json(
      IdentityAsJson(collector::Identity(control_->Status()), Losses(control_->Exporters(/*templates=*/false))));
}

namespace {

// exporter= (an address), limit=; what is not given leaves `limit` as it is.
absl::Status KeepAsked(const RequestTarget& target, std::vector<record::ExporterReport>* exporters, size_t* limit) {
  std::string text;
  if (absl::Status status = target.Get("limit", limit); !status.ok()) return status;
  if (absl::Status status = target.Get("exporter", &text); !status.ok() || text.empty()) return status;
  const std::optional<base::IpAddress> address = base::IpAddress::Parse(text);
  if (!address) return absl::InvalidArgumentError(absl::StrCat("exporter: \"", text, "\" is no address"));
  exporters->erase(std::remove_if(exporters->begin(), exporters->end(),
                                  [&address](const record::ExporterReport& e) { return e.exporter != *address; }),
                   exporters->end());
  return absl::OkStatus();
}

}  // namespace

AdminResponse AdminApi::Exporters(const RequestTarget& target, bool) {
  bool templates = false;
  size_t limit = options_.default_limit;
  if (absl::Status status = target.CheckNames({"exporter", "templates", "limit"}); !status.ok()) return Failure(status);
  if (absl::Status status = target.Get("templates", &templates); !status.ok()) return Failure(status);
  std::vector<record::ExporterReport> exporters = control_->Exporters(templates);
  if (absl::Status status = KeepAsked(target, &exporters, &limit); !status.ok()) return Failure(status);
  return Json(ExportersAsJson(exporters, templates, limit));
}

AdminResponse AdminApi::Templates(const RequestTarget& target, bool) {
  size_t limit = options_.default_limit;
  if (absl::Status status = target.CheckNames({"exporter", "limit"}); !status.ok()) return Failure(status);
  std::vector<record::ExporterReport> exporters = control_->Exporters(/*templates=*/true);
  if (absl::Status status = KeepAsked(target, &exporters, &limit); !status.ok()) return Failure(status);
  return Json(TemplatesAsJson(exporters, limit));
}

AdminResponse AdminApi::Query(const RequestTarget& target, bool changes) {
  absl::StatusOr<MemoryQuestion> question = ParseQuestion(target);
  if (!question.ok()) return Failure(question.status());
  if (question->reset && !changes) {
    AdminResponse response = Error(405, "reset: what changes something is asked by POST");
    response.allow = "POST";
    return response;
  }
  if (question->top == 0 || question->top > options_.max_query_rows) question->top = options_.max_query_rows;
  absl::StatusOr<std::string> answer = control_->Query(*question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::Ask(const RequestTarget& target, absl::string_view body) {
  if (!target.parameters.empty()) {
    return Error(400, "a question in the body goes without parameters; put them into it, or leave the body out");
  }
  const absl::StatusOr<WrittenQuestion> question = WrittenQuestionFromJson(body);
  if (!question.ok()) return Failure(question.status());
  const absl::StatusOr<const query::AnswerFormat*> format = query::FindAnswerFormat(question->format);
  if (!format.ok()) return Failure(format.status());
  absl::StatusOr<std::string> answer = control_->Ask(*question);
  // The same question again would be too large again.
  if (absl::IsResourceExhausted(answer.status())) return Error(422, absl::string_view(answer.status().message()));
  if (!answer.ok()) return Failure(answer.status());
  AdminResponse response = Plain(*std::move(answer), (*format)->content_type);
  response.page = true;
  return response;
}

AdminResponse AdminApi::Questions(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  return Json(QuestionsAsJson(control_->Questions()));
}

AdminResponse AdminApi::BgpPeers(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  absl::StatusOr<std::string> answer = control_->Routes({});
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::BgpLookup(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({"address", "exporter", "rd"}); !status.ok()) return Failure(status);
  RoutesQuestion question;
  for (const auto& [name, value] :
       {std::make_pair("address", &question.address), std::make_pair("exporter", &question.exporter),
        std::make_pair("rd", &question.rd)}) {
    if (absl::Status status = target.Get(name, value); !status.ok()) return Failure(status);
  }
  if (question.address.empty()) return Error(400, "give an address, such as address=192.0.2.1");
  absl::StatusOr<std::string> answer = control_->Routes(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::BmpRouters(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  RoutesQuestion question;
  question.routers = true;
  absl::StatusOr<std::string> answer = control_->Routes(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::AskSessions(const SessionsQuestion& question) {
  absl::StatusOr<std::string> answer = control_->Sessions(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::GtpSessions(const RequestTarget& target, bool) {
  SessionsQuestion question;
  absl::Status status = target.CheckNames({"apn", "ended", "limit"});
  uint64_t limit = question.limit;
  if (status.ok()) status = target.Get("apn", &question.apn);
  if (status.ok()) status = target.Get("ended", &question.ended);
  if (status.ok()) status = target.Get("limit", &limit);
  if (!status.ok()) return Failure(status);
  question.limit = limit == 0 ? options_.max_query_rows : std::min<size_t>(limit, options_.max_query_rows);
  return AskSessions(question);
}

AdminResponse AdminApi::GtpSubscriber(const RequestTarget& target, bool) {
  SessionsQuestion question;
  question.of = SessionsQuestion::Of::kSubscriber;
  absl::Status status = target.CheckNames({"imsi"});
  if (status.ok()) status = target.Get("imsi", &question.imsi);
  if (!status.ok()) return Failure(status);
  return AskSessions(question);
}

AdminResponse AdminApi::GtpPeers(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  SessionsQuestion question;
  question.of = SessionsQuestion::Of::kPeers;
  return AskSessions(question);
}

AdminResponse AdminApi::GtpUnmatched(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  SessionsQuestion question;
  question.of = SessionsQuestion::Of::kUnmatched;
  return AskSessions(question);
}

namespace {

// What the questions of /api/v1/igp/... take.
struct IgpQuestionKind {
  absl::string_view name;
  IgpQuestion::Of of;
  std::vector<absl::string_view> parameters;
  const char* content_type = "application/json";
};

const std::vector<IgpQuestionKind>& IgpQuestionKinds() {
  using Of = IgpQuestion::Of;
  static const auto* const kinds = new std::vector<IgpQuestionKind>{
      {"neighbors", Of::kNeighbors, {}},
      {"lsdb", Of::kDatabase, {"router", "level", "at"}},
      {"routes", Of::kRoutes, {"router", "prefix", "at"}},
      {"path", Of::kPaths, {"from", "to", "level", "topology", "at"}},
      {"spf", Of::kSpf, {"router", "level", "topology", "at"}},
      {"lfa", Of::kAlternates, {"router", "level", "topology", "at"}},
      {"traffic", Of::kTraffic, {"pipeline", "bins", "by", "limit", "at"}},
      {"whatif", Of::kWhatIf, {"pipeline", "bins", "by", "fail", "threshold", "level", "topology", "limit", "at"}},
      {"diff", Of::kDiff, {"since", "at"}},
      {"draw", Of::kDraw, {"pipeline", "bins", "fail", "level", "topology", "at"}, "image/svg+xml"},
      {"topology", Of::kTopology, {"at"}, kPlain},
  };
  return *kinds;
}

absl::StatusOr<IgpQuestion> ReadIgpQuestion(const RequestTarget& target, const IgpQuestionKind& kind) {
  IgpQuestion question;
  question.of = kind.of;
  absl::Status status = target.CheckNames(kind.parameters);
  std::string bins, failures;
  size_t level = 0, topology = 0, percent = 100;
  for (const auto& [name, value] :
       {std::make_pair("router", &question.router), std::make_pair("from", &question.router),
        std::make_pair("to", &question.to), std::make_pair("prefix", &question.prefix),
        std::make_pair("at", &question.at), std::make_pair("since", &question.since),
        std::make_pair("pipeline", &question.pipeline), std::make_pair("bins", &bins),
        std::make_pair("by", &question.label), std::make_pair("fail", &failures)}) {
    status.Update(target.Get(name, value));
  }
  status.Update(target.Get("level", &level));
  status.Update(target.Get("topology", &topology));
  status.Update(target.Get("threshold", &percent));
  status.Update(target.Get("limit", &question.limit));
  if (!status.ok()) return status;
  if (level > 2) return absl::InvalidArgumentError("level: is 1 or 2");
  if (topology != 0 && topology != 2) return absl::InvalidArgumentError("topology: is 0 or 2");
  question.level = static_cast<uint32_t>(level);
  question.topology = static_cast<uint32_t>(topology);
  question.threshold = static_cast<double>(percent) / 100;
  question.failures = absl::StrSplit(failures, ',', absl::SkipEmpty());
  if (!bins.empty()) {
    const auto duration = config::ParseDuration(bins);
    if (!duration.ok()) return absl::InvalidArgumentError(absl::StrCat("bins: ", duration.status().message()));
    question.bins = *duration;
  }
  return question;
}

}  // namespace

AdminResponse AdminApi::Igp(const RequestTarget& target, bool) {
  absl::string_view name = target.path;
  absl::ConsumePrefix(&name, "/api/v1/igp/");
  for (const IgpQuestionKind& kind : IgpQuestionKinds()) {
    if (kind.name != name) continue;
    const absl::StatusOr<IgpQuestion> question = ReadIgpQuestion(target, kind);
    if (!question.ok()) return Failure(question.status());
    absl::StatusOr<std::string> answer = control_->Igp(*question);
    if (!answer.ok()) return Failure(answer.status());
    AdminResponse response = Plain(*std::move(answer), kind.content_type);
    response.page = kind.of == IgpQuestion::Of::kDraw;
    return response;
  }
  return Error(404, "nothing is at this path");
}

AdminResponse AdminApi::BgpRoutes(const RequestTarget& target, bool) {
  RouteListQuestion question;
  const std::pair<absl::string_view, std::string*> texts[] = {
      {"peer", &question.peer}, {"prefix", &question.prefix},       {"origin_as", &question.origin_as},
      {"as", &question.as},     {"community", &question.community}, {"rd", &question.rd}};
  std::vector<absl::string_view> names = {"longer", "limit"};
  for (const auto& [name, value] : texts) names.push_back(name);
  absl::Status status = target.CheckNames(names);
  for (const auto& [name, value] : texts) status.Update(target.Get(name, value));
  status.Update(target.Get("longer", &question.longer));
  status.Update(target.Get("limit", &question.limit));
  if (!status.ok()) return Failure(status);
  if (question.limit == 0 || question.limit > options_.max_query_rows) question.limit = options_.max_query_rows;
  absl::StatusOr<std::string> answer = control_->ListRoutes(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::RpkiSources(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  absl::StatusOr<std::string> answer = control_->Rpki({});
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::RpkiValidate(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({"prefix", "as"}); !status.ok()) return Failure(status);
  RpkiQuestion question;
  if (absl::Status status = target.Get("prefix", &question.prefix); !status.ok()) return Failure(status);
  if (absl::Status status = target.Get("as", &question.as); !status.ok()) return Failure(status);
  if (question.prefix.empty() || question.as.empty()) {
    return Error(400, "give a prefix and its origin, such as prefix=192.0.2.0/24&as=64500");
  }
  absl::StatusOr<std::string> answer = control_->Rpki(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::BgpHistory(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({"prefix", "peer", "limit"}); !status.ok()) return Failure(status);
  HistoryQuestion question;
  for (const auto& [name, value] :
       {std::make_pair("prefix", &question.prefix), std::make_pair("peer", &question.peer)}) {
    if (absl::Status status = target.Get(name, value); !status.ok()) return Failure(status);
  }
  if (absl::Status status = target.Get("limit", &question.limit); !status.ok()) return Failure(status);
  if (question.limit == 0 || question.limit > options_.max_query_rows) question.limit = options_.max_query_rows;
  absl::StatusOr<std::string> answer = control_->History(question);
  if (!answer.ok()) return Failure(answer.status());
  return Json(*std::move(answer));
}

AdminResponse AdminApi::BgpMrt(const RequestTarget& target, bool) {
  std::string peer;
  if (absl::Status status = target.CheckNames({"peer"}); !status.ok()) return Failure(status);
  if (absl::Status status = target.Get("peer", &peer); !status.ok()) return Failure(status);
  absl::StatusOr<std::string> dump = control_->DumpRoutes(peer);
  if (!dump.ok()) return Failure(dump.status());
  return Plain(*std::move(dump), "application/octet-stream");
}

AdminResponse AdminApi::Reload(const RequestTarget& target, bool) {
  if (absl::Status status = target.CheckNames({}); !status.ok()) return Failure(status);
  const absl::Status status = control_->Reload();
  // The request was fine; the configuration is not.
  if (absl::IsInvalidArgument(status)) return Error(422, absl::string_view(status.message()));
  if (!status.ok()) return Failure(status);
  return Json("{\"reloaded\":true}\n");
}

}  // namespace flowacct::collector
