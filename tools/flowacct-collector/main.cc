// flowacct-collector: the reference collector. Flags to a configuration, the configuration to a server.

#include <malloc.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/base/version.h"
#include "flowacct/collector/admin/admin_api.h"
#include "flowacct/collector/admin/admin_server.h"
#include "flowacct/collector/config/config.pb.h"
#include "flowacct/collector/config/config_file.h"
#include "flowacct/collector/log/log.h"
#include "flowacct/collector/server/server.h"
#include "flowacct/collector/service/service.h"

namespace flowacct::tools {
namespace {

constexpr int kFailed = 1, kUsage = 2;
// How long sinks may take at the end.
constexpr absl::Duration kPatience = absl::Seconds(30);

struct Flags {
  std::string config;
  bool check = false, print_config = false;
  std::vector<std::string> listen;
  std::string by, sum, where, every, lateness, print = "table", state;
  std::optional<std::string> http;  // empty: none; not given: the configuration's default
  uint32_t top = 0;
  uint32_t workers = 1;
};

int Fail(const absl::Status& status, int code) {
  std::fprintf(stderr, "flowacct-collector: %s\n", std::string(status.message()).c_str());
  return code;
}

absl::StatusOr<config::ConfigFile> ReadConfig(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  struct stat info;
  if (!in || stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat(path, ": ", errno != 0 ? std::strerror(errno) : "is no file", "; is the path right?"));
  }
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return config::ConfigFile::Parse(text, path);
}

// What the flags say, as a configuration with one input of each kind and one pipeline.
absl::StatusOr<config::ConfigFile> ConfigOfFlags(const Flags& flags) {
  config::Config config;
  config::Udp* udp = nullptr;
  config::Stream* tcp = nullptr;
  for (const std::string& listen : flags.listen) {
    if (absl::StartsWith(listen, "tcp://")) {
      if (tcp == nullptr) {
        config::Input* input = config.add_input();
        input->set_name("tcp");
        tcp = input->mutable_stream();
      }
      tcp->add_listen(listen);
    } else {
      if (udp == nullptr) {
        config::Input* input = config.add_input();
        input->set_name("udp");
        udp = input->mutable_udp();
      }
      udp->add_listen(listen);
    }
  }
  config::Pipeline* pipeline = config.add_pipeline();
  pipeline->set_name("main");
  if (!flags.by.empty()) pipeline->set_by(flags.by);
  if (!flags.sum.empty()) pipeline->set_sum(flags.sum);
  if (!flags.where.empty()) pipeline->set_where(flags.where);
  if (!flags.every.empty()) pipeline->set_every(flags.every);
  if (!flags.lateness.empty()) pipeline->set_lateness(flags.lateness);
  config::Print* print = pipeline->add_sink()->mutable_print();
  config::Print::Format format;
  if (!config::Print::Format_Parse(absl::AsciiStrToUpper(flags.print), &format)) {
    return absl::InvalidArgumentError(absl::StrCat("--print: \"", flags.print, "\"; give table, json or csv"));
  }
  print->set_format(format);
  if (flags.top != 0) print->set_top(flags.top);
  pipeline->add_sink()->mutable_memory();
  config.set_workers(flags.workers);
  if (flags.http) config.mutable_admin()->set_http(*flags.http);
  if (!flags.state.empty()) config.mutable_state()->set_directory(flags.state);
  return config::ConfigFile::FromMessage(std::move(config), "flags");
}

collector::LogOptions ToLogOptions(const config::Log& log) {
  collector::LogOptions options;
  options.format = log.format() == config::Log::JSON ? collector::LogFormat::kJson : collector::LogFormat::kLogfmt;
  switch (log.level()) {
    case config::Log::DEBUG:
      options.level = collector::LogLevel::kDebug;
      break;
    case config::Log::INFO:
      options.level = collector::LogLevel::kInfo;
      break;
    case config::Log::WARNING:
      options.level = collector::LogLevel::kWarning;
      break;
    case config::Log::ERROR:
      options.level = collector::LogLevel::kError;
      break;
  }
  // systemd says so of a standard error that is its journal's (sd-daemon(3)).
  options.journal = std::getenv("JOURNAL_STREAM") != nullptr;
  return options;
}

int Main(const Flags& flags) {
  if (!flags.config.empty() && !flags.listen.empty()) {
    return Fail(absl::InvalidArgumentError("--listen and --config exclude one another; put inputs into the file"),
                kUsage);
  }
  if (flags.config.empty() && flags.listen.empty()) {
    return Fail(absl::InvalidArgumentError("give --config FILE, or to begin: --listen udp://0.0.0.0:2055"), kUsage);
  }
  auto file = flags.config.empty() ? ConfigOfFlags(flags) : ReadConfig(flags.config);
  if (!file.ok()) return Fail(file.status(), kUsage);
  if (flags.print_config) {
    std::fputs(file->Print().c_str(), stdout);
    return 0;
  }
  collector::BlockSignals();
  collector::ServerOptions options;
  collector::Log log(ToLogOptions(file->message().log()));
  options.log = [&log](absl::string_view line) { log.Warning("server", line); };
  options.note = [&log](absl::string_view line) { log.Info("server", line); };
  options.describe = [&log](collector::CollectorStatus* status) {
    status->version = base::kVersion;
    const collector::LogCounters counters = log.counters();
    status->log_lines = counters.lines;
    status->log_suppressed = counters.suppressed;
  };
  if (!flags.config.empty()) options.read_config = [path = flags.config] { return ReadConfig(path); };
  const config::Process process = file->message().process();
  const std::string state = file->message().state().directory();
  const std::string http = file->message().admin().http();
  const bool ends =
      file->message().input_size() > 0 &&
      std::all_of(file->message().input().begin(), file->message().input().end(),
                  [](const config::Input& input) { return input.has_sessions() || input.captures().exit_at_end(); });
  if (ends) options.on_end = [] { collector::EndService(); };
  auto server = collector::Server::New(*std::move(file), std::move(options));
  if (!server.ok()) return Fail(server.status(), kUsage);
  if (flags.check) return 0;

  if (absl::Status status = (*server)->Start(); !status.ok()) return Fail(status, kFailed);
  if (absl::Status status = collector::DropPrivileges(process.user(), process.group(), state); !status.ok()) {
    return Fail(status, kFailed);
  }
  if (process.seccomp()) {
    if (absl::Status status = collector::RestrictSystemCalls(); !status.ok()) return Fail(status, kFailed);
  }
  std::unique_ptr<collector::AdminApi> api;
  std::unique_ptr<collector::AdminServer> admin;
  if (!http.empty()) {
    api = std::make_unique<collector::AdminApi>(server->get(), collector::AdminApiOptions());
    collector::AdminServerOptions admin_options;
    admin_options.listen = {http};
    auto started = collector::AdminServer::Start(api.get(), std::move(admin_options));
    if (!started.ok()) return Fail(started.status(), kFailed);
    admin = *std::move(started);
  }
  for (const collector::InputStatus& input : (*server)->Status().inputs) {
    log.Info("input", input.kind == "captures" ? "reads" : "listens", {{"input", input.name}, {"at", input.listen}});
  }
  if (admin != nullptr) {
    log.Info("admin", "metrics and API",
             {{"at", absl::StrCat("http://", absl::StrJoin(admin->addresses(), ", http://"))}});
  }
  collector::ServiceCalls calls;
  collector::CollectorControl* const control = server->get();
  calls.reload = [control] { (void)control->Reload(); };
  calls.every_second = [&log] { log.Tick(); };
  calls.is_alive = [&server] { return (*server)->IsAlive(absl::Seconds(20)); };
  collector::RunService(calls);
  const absl::Status status = (*server)->Stop(kPatience);
  return status.ok() ? 0 : Fail(status, kFailed);
}

}  // namespace
}  // namespace flowacct::tools

int main(int argc, char** argv) {
  // Tables of bins come and go by the minute. Left to itself, glibc soon takes them from its heaps, which grow for ever
  // where threads free what others made; so large ones are mapped, and given back.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  flowacct::tools::Flags flags;
  CLI::App app("Collects NetFlow, IPFIX, sFlow and packets, accounts them, and hands the bins to sinks");
  app.set_help_flag("--help,-h", "What this says");
  app.set_version_flag("--version", std::string("flowacct-collector ") + flowacct::base::kVersion);
  app.add_option("--config,-c", flags.config, "The configuration (docs/reference/configuration.md)")->type_name("FILE");
  app.add_flag("--check", flags.check, "Only say whether the configuration can be");
  app.add_flag("--print-config", flags.print_config, "Print the configuration as it was understood");
  app.add_option("--listen", flags.listen, "Without a file: where exports come to, such as udp://0.0.0.0:2055")
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->take_all();
  app.add_option("--by", flags.by, "Without a file: fields that make a group, such as src_as,dst_as")
      ->type_name("FIELDS");
  app.add_option("--sum", flags.sum, "Without a file: counters (default: packets,bytes,flows)")->type_name("VALUES");
  app.add_option("--where", flags.where, "Without a file: only records for which this holds")->type_name("EXPR");
  app.add_option("--every", flags.every, "Without a file: width of a time bin (default: 1m)")->type_name("DURATION");
  app.add_option("--lateness", flags.lateness, "Without a file: how long bins wait for late records (default: 30s)")
      ->type_name("DURATION");
  app.add_option("--print", flags.print, "Without a file: table, json or csv")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_option("--top", flags.top, "Without a file: only the N largest groups of each bin")->type_name("N");
  app.add_option("--workers", flags.workers, "Without a file: threads that receive and aggregate")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--http", flags.http, "Without a file: where metrics and the API are; \"\": nowhere")
      ->type_name("ADDRESS");
  app.add_option("--state", flags.state, "Without a file: a folder for what is kept over a restart")
      ->type_name("FOLDER");
  app.footer(
      "Examples:\n"
      "  flowacct-collector --listen udp://0.0.0.0:2055 --by src_as,dst_as --every 1m --print table\n"
      "  flowacct-collector --config /etc/flowacct/collector.conf --check\n"
      "Signals: HUP reads the configuration again, TERM and INT write what is open and end.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "flowacct-collector: %s\n", e.what());
    return flowacct::tools::kUsage;
  }
  return flowacct::tools::Main(flags);
}
