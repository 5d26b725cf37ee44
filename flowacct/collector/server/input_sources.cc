#include "flowacct/collector/server/input_sources.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "flowacct/collector/connection/tls_context.h"
#include "flowacct/collector/listen/udp_listener.h"
#include "flowacct/collector/live/interface_capture.h"
#include "flowacct/collector/server/captures_source.h"
#include "flowacct/collector/server/interface_source.h"
#include "flowacct/collector/server/kafka_input.h"
#include "flowacct/collector/server/stream_source.h"
#include "flowacct/collector/server/udp_source.h"
#include "flowacct/collector/stream/stream_listener.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using Log = std::function<void(absl::string_view)>;

std::string WithScheme(absl::string_view scheme, const std::string& address) {
  return absl::StrContains(address, "://") ? address : absl::StrCat(scheme, "://", address);
}

// Messages of GTP are longer than headers, and say nothing if they are cut: a network's frame, and some.
constexpr uint32_t kGtpSnapLength = 2048;

template <typename Input>
uint32_t SnapLength(const ConfigFile& file, const Input& input) {
  return file.message().has_gtp() && !input.has_snap_length() ? kGtpSnapLength : input.snap_length();
}

absl::StatusOr<InputSources> NewUdpSources(const ConfigFile& file, const config::Udp& udp, size_t workers,
                                           const Log& log) {
  InputSources sources;
  sources.by_worker.resize(workers);
  for (int i = 0; i < udp.listen_size(); ++i) {
    UdpListenerOptions options;
    options.address = WithScheme("udp", udp.listen(i));
    options.bind_to_device = udp.device();
    options.receive_buffer_octets = ConfigFile::OctetsOf(udp.receive_buffer());
    auto group = UdpListener::NewGroup(options, workers);
    if (!group.ok()) return file.ErrorAt(udp, "listen", group.status().message(), i);
    for (const std::string& warning : group->warnings) {
      if (log) log(warning);
    }
    for (size_t w = 0; w < group->listeners.size(); ++w) {
      sources.by_worker[w].push_back(std::make_unique<UdpSource>(std::move(group->listeners[w])));
    }
  }
  return sources;
}

absl::StatusOr<InputSources> NewStreamSources(const ConfigFile& file, const config::Stream& stream, size_t workers,
                                              const Log& log) {
  StreamListenerOptions options;
  options.max_connections = std::max<size_t>(stream.max_connections() / workers, 1);
  options.idle_timeout = ConfigFile::DurationOf(stream.idle_timeout());
  if (stream.has_tls()) {
    TlsOptions tls;
    tls.certificate_file = stream.tls().certificate();
    tls.key_file = stream.tls().key();
    tls.ca_file = stream.tls().authority();
    auto context = TlsContext::New(TlsRole::kServer, tls);
    if (!context.ok()) return file.ErrorAt(stream, "tls", context.status().message());
    options.tls = *std::move(context);
  }
  InputSources sources;
  sources.by_worker.resize(workers);
  for (int i = 0; i < stream.listen_size(); ++i) {
    options.address = WithScheme(stream.has_tls() ? "tls" : "tcp", stream.listen(i));
    auto group = StreamListener::NewGroup(options, workers);
    if (!group.ok()) return file.ErrorAt(stream, "listen", group.status().message(), i);
    for (const std::string& warning : group->warnings) {
      if (log) log(warning);
    }
    for (size_t w = 0; w < group->listeners.size(); ++w) {
      sources.by_worker[w].push_back(std::make_unique<StreamSource>(std::move(group->listeners[w])));
    }
  }
  return sources;
}

absl::StatusOr<InputSources> NewInterfaceSources(const ConfigFile& file, const config::Interface& interface,
                                                 size_t workers) {
  InterfaceCaptureOptions options;
  options.filter = interface.filter();
  options.snap_length = SnapLength(file, interface);
  options.promiscuous = interface.promiscuous();
  options.buffer_octets = ConfigFile::OctetsOf(interface.buffer());
  switch (interface.direction()) {
    case config::Interface::BOTH:
      options.direction = CaptureDirection::kBoth;
      break;
    case config::Interface::IN:
      options.direction = CaptureDirection::kIn;
      break;
    case config::Interface::OUT:
      options.direction = CaptureDirection::kOut;
      break;
  }
  if (options.snap_length < 64 || options.snap_length > 65536) {
    return file.ErrorAt(interface, "snap_length", "between 64 and 65536");
  }
  InputSources sources;
  sources.by_worker.resize(workers);
  for (int i = 0; i < interface.device_size(); ++i) {
    options.device = interface.device(i);
    auto capture = InterfaceCapture::New(options);
    if (!capture.ok()) {
      const bool filter = absl::IsInvalidArgument(capture.status());
      return file.ErrorAt(interface, filter ? "filter" : "device", capture.status().message(), filter ? 0 : i);
    }
    // An interface is one worker's; several are shared out.
    sources.by_worker[static_cast<size_t>(i) % workers].push_back(
        std::make_unique<InterfaceSource>(*std::move(capture), interface.interface_index()));
  }
  return sources;
}

absl::StatusOr<InputSources> NewNflogSources(const ConfigFile& file, const config::Nflog& nflog, size_t workers) {
  InterfaceCaptureOptions options;
  options.snap_length = SnapLength(file, nflog);
  options.buffer_octets = ConfigFile::OctetsOf(nflog.buffer());
  if (options.snap_length < 64 || options.snap_length > 65536) {
    return file.ErrorAt(nflog, "snap_length", "between 64 and 65536");
  }
  InputSources sources;
  sources.by_worker.resize(workers);
  for (int i = 0; i < nflog.group_size(); ++i) {
    if (nflog.group(i) > 65535) return file.ErrorAt(nflog, "group", "a group is a number up to 65535", i);
    options.device = absl::StrCat("nflog:", nflog.group(i));
    auto capture = InterfaceCapture::New(options);
    if (!capture.ok()) return file.ErrorAt(nflog, "group", capture.status().message(), i);
    sources.by_worker[static_cast<size_t>(i) % workers].push_back(
        std::make_unique<InterfaceSource>(*std::move(capture), /*tell_interfaces=*/true));
  }
  return sources;
}

absl::StatusOr<InputSources> NewCapturesSources(const config::Captures& captures, const Log& log) {
  CapturesSourceOptions options;
  options.paths.assign(captures.path().begin(), captures.path().end());
  if (captures.content() == config::Captures::PACKETS) options.kind = CaptureKind::kPackets;
  if (captures.content() == config::Captures::EXPORTS) options.kind = CaptureKind::kExports;
  options.pattern = captures.pattern();
  options.remove = captures.remove();
  options.use_capture_time = captures.use_capture_time();
  options.log = log;
  InputSources sources;
  // In their order, so by one worker.
  sources.by_worker.resize(1);
  sources.by_worker[0].push_back(std::make_unique<CapturesSource>(std::move(options)));
  return sources;
}

absl::StatusOr<InputSources> NewKafkaSources(const ConfigFile& file, const config::Input& input,
                                             const std::string& position, size_t workers, const Log& log) {
  auto source = KafkaInput::New(file, input, position, log);
  if (!source.ok()) return source.status();
  // Partitions come and go, and what is known of their exporters is one decoder's: so all are one worker's. Several
  // inputs are shared out.
  size_t worker = 0;
  for (const config::Input& other : file.message().input()) {
    if (&other == &input) break;
    if (other.has_kafka()) ++worker;
  }
  InputSources sources;
  sources.by_worker.resize(workers);
  sources.by_worker[worker % workers].push_back(*std::move(source));
  return sources;
}

}  // namespace

absl::StatusOr<InputSources> NewInputSources(const ConfigFile& file, const config::Input& input, size_t workers,
                                             const std::string& position, const Log& log) {
  switch (input.kind_case()) {
    case config::Input::kUdp:
      return NewUdpSources(file, input.udp(), workers, log);
    case config::Input::kStream:
      return NewStreamSources(file, input.stream(), workers, log);
    case config::Input::kInterface:
      return NewInterfaceSources(file, input.interface(), workers);
    case config::Input::kNflog:
      return NewNflogSources(file, input.nflog(), workers);
    case config::Input::kCaptures:
      return NewCapturesSources(input.captures(), log);
    case config::Input::kSessions:
      return InputSources();  // rows come of what the other inputs tell
    case config::Input::kKafka:
      return NewKafkaSources(file, input, position, workers, log);
    default:
      return file.ErrorAt(input, "name", "give one of udp, stream, interface, nflog, captures, sessions and kafka");
  }
}

InputStatus DescribeInput(const config::Input& input) {
  InputStatus status;
  status.name = input.name();
  switch (input.kind_case()) {
    case config::Input::kUdp:
      status.kind = "udp";  // the sources tell their addresses
      break;
    case config::Input::kStream:
      status.kind = input.stream().has_tls() ? "tls" : "tcp";
      break;
    case config::Input::kInterface:
      status.kind = "interface";
      break;
    case config::Input::kNflog:
      status.kind = "nflog";
      status.listen = absl::StrJoin(input.nflog().group(), ",");
      break;
    case config::Input::kCaptures:
      status.kind = "captures";
      status.listen = absl::StrJoin(input.captures().path(), ",");
      break;
    case config::Input::kSessions:
      status.kind = "sessions";
      break;
    case config::Input::kKafka:
      status.kind = "kafka";
      status.listen = absl::StrCat(absl::StrJoin(input.kafka().topic(), ","), "@", input.kafka().brokers());
      break;
    case config::Input::KIND_NOT_SET:
      break;
  }
  return status;
}

}  // namespace flowacct::collector
