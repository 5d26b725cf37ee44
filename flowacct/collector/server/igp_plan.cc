#include "flowacct/collector/server/igp_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/igp/igp_files.h"
#include "flowacct/collector/server/config_address.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/sink/queue/secret.h"

namespace flowacct::collector {
namespace {

using config::ConfigFile;
using isis::AuthenticationKind;
using topology::NodeStyle;

// RFC 5120, 7.1: twelve bits.
constexpr uint32_t kMaxTopologyNumber = 4095;
// Only a stand-in, until the system tells the real ones.
constexpr uint8_t kSomeMac[6] = {2, 0, 0, 0, 0, 1};
constexpr uint16_t kSomeMtu = 1497;

int64_t NanosOf(const std::string& duration) { return absl::ToInt64Nanoseconds(ConfigFile::DurationOf(duration)); }

AuthenticationKind KindOf(config::IsisKey::Algorithm algorithm) {
  switch (algorithm) {
    case config::IsisKey::CLEAR:
      return AuthenticationKind::kClear;
    case config::IsisKey::NONE:
      return AuthenticationKind::kNone;
    case config::IsisKey::HMAC_MD5:
      return AuthenticationKind::kHmacMd5;
    case config::IsisKey::HMAC_SHA_1:
      return AuthenticationKind::kHmacSha1;
    case config::IsisKey::HMAC_SHA_224:
      return AuthenticationKind::kHmacSha224;
    case config::IsisKey::HMAC_SHA_256:
      return AuthenticationKind::kHmacSha256;
    case config::IsisKey::HMAC_SHA_384:
      return AuthenticationKind::kHmacSha384;
    case config::IsisKey::HMAC_SHA_512:
      return AuthenticationKind::kHmacSha512;
  }
  return AuthenticationKind::kNone;
}

absl::Status PlanKey(const ConfigFile& file, const config::IsisKey& key, isis::AuthenticationKey* made) {
  if (key.algorithm() == config::IsisKey::NONE)
    return file.ErrorAt(key, "algorithm", "only what is accepted may be NONE");
  if (key.has_key() == key.has_key_file()) return file.ErrorAt(key, "", "give key or key_file, one of both");
  made->kind = KindOf(key.algorithm());
  if (key.key_id() > UINT16_MAX) return file.ErrorAt(key, "key_id", "is at most 65535");
  made->key_id = static_cast<uint16_t>(key.key_id());
  made->secret = key.key();
  if (key.has_key_file()) {
    sink::queue::Secret secret;
    secret.file = key.key_file();
    auto read = sink::queue::ReadSecret(secret, "isis: key");
    if (!read.ok()) return file.ErrorAt(key, "key_file", read.status().message());
    made->secret = *std::move(read);
  }
  if (made->secret.empty()) return file.ErrorAt(key, key.has_key() ? "key" : "key_file", "is empty");
  return absl::OkStatus();
}

absl::Status PlanAcceptedKeys(const ConfigFile& file, const google::protobuf::RepeatedPtrField<config::IsisKey>& keys,
                              std::vector<isis::AuthenticationKey>* made) {
  for (const config::IsisKey& key : keys) {
    isis::AuthenticationKey& accepted = made->emplace_back();
    if (key.algorithm() == config::IsisKey::NONE) {
      if (key.has_key() || key.has_key_file()) return file.ErrorAt(key, "algorithm", "NONE has no key");
      continue;
    }
    if (const absl::Status status = PlanKey(file, key, &accepted); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// To tell whether secrets that files hold are other ones now.
std::string SecretsOf(const std::vector<isis::AuthenticationKey>& keys) {
  return absl::StrJoin(keys, "\n", [](std::string* out, const isis::AuthenticationKey& key) { *out += key.secret; });
}

void PlanLevel(config::IsisLevel level, bool* level_1, bool* level_2) {
  *level_1 = level != config::LEVEL_2;
  *level_2 = level != config::LEVEL_1;
}

absl::StatusOr<IgpCircuit> PlanCircuit(const ConfigFile& file, const config::IsisCircuit& circuit,
                                       const isis::InstanceOptions& instance) {
  IgpCircuit made;
  if (circuit.has_gre() == !circuit.device().empty()) {
    return file.ErrorAt(circuit, "", "give device: \"eth0\", or gre { local: \"192.0.2.9\" remote: \"192.0.2.1\" }");
  }
  isis::CircuitOptions& options = made.circuit.options;
  options.kind =
      circuit.kind() == config::IsisCircuit::LAN ? isis::CircuitKind::kLan : isis::CircuitKind::kPointToPoint;
  if (circuit.has_gre()) {
    const config::IsisGre& gre = circuit.gre();
    if (circuit.kind() == config::IsisCircuit::LAN) {
      return file.ErrorAt(circuit, "kind", "a tunnel has two ends; it is POINT_TO_POINT");
    }
    IsisCircuit::Gre& tunnel = made.circuit.gre.emplace();
    for (const auto& [name, text, to] : {std::make_tuple("local", &gre.local(), &tunnel.local),
                                         std::make_tuple("remote", &gre.remote(), &tunnel.remote)}) {
      auto address = ParseAddress(file, gre, name, *text);
      if (!address.ok()) return address.status();
      *to = *address;
    }
    if (tunnel.local.IsV4() != tunnel.remote.IsV4()) {
      return file.ErrorAt(gre, "remote", "is of another family than local; a tunnel goes over IPv4 or over IPv6");
    }
    for (int i = 0; i < gre.address_size(); ++i) {
      auto address = ParseAddress(file, gre, "address", gre.address(i), i);
      if (!address.ok()) return address.status();
      tunnel.told.push_back(*address);
    }
    options.name = absl::StrCat("gre ", tunnel.local.ToString(), " ", tunnel.remote.ToString());
  } else {
    made.circuit.device = options.name = circuit.device();
  }
  PlanLevel(circuit.level(), &options.level_1, &options.level_2);
  options.topologies = instance.topologies;
  const absl::Duration hello = ConfigFile::DurationOf(circuit.hello_interval());
  if (hello != absl::Floor(hello, absl::Seconds(1)) || hello < absl::Seconds(1) || hello > absl::Seconds(65535)) {
    return file.ErrorAt(circuit, "hello_interval", "is whole seconds, from 1s to 65535s");
  }
  options.hello_seconds = static_cast<uint16_t>(absl::ToInt64Seconds(hello));
  if (circuit.hold_multiplier() > UINT16_MAX) return file.ErrorAt(circuit, "hold_multiplier", "is at most 65535");
  options.hold_multiplier = static_cast<uint16_t>(circuit.hold_multiplier());
  options.pad = circuit.padding();
  if (circuit.mtu() > UINT16_MAX) return file.ErrorAt(circuit, "mtu", "is at most 65535");
  options.mtu = static_cast<uint16_t>(circuit.mtu());
  options.max_neighbors = circuit.max_neighbors();
  if (circuit.has_key()) {
    if (const absl::Status status = PlanKey(file, circuit.key(), &options.hello_key); !status.ok()) return status;
  }
  if (circuit.has_level_2_key()) {
    if (circuit.kind() != config::IsisCircuit::LAN) {
      return file.ErrorAt(circuit, "level_2_key", "is of a LAN; elsewhere hellos are of both levels, and have one key");
    }
    const absl::Status status = PlanKey(file, circuit.level_2_key(), &options.level_2_hello_key.emplace());
    if (!status.ok()) return status;
  }
  if (const auto status = PlanAcceptedKeys(file, circuit.accepted_key(), &options.accepted_hello_keys); !status.ok()) {
    return status;
  }
  // An instance that is nobody's says what cannot be.
  auto instance_made = isis::Instance::Create(instance);
  if (!instance_made.ok()) return instance_made.status();
  isis::CircuitOptions tried = options;
  std::copy(std::begin(kSomeMac), std::end(kSomeMac), tried.mac.octets.begin());
  if (tried.mtu == 0) tried.mtu = kSomeMtu;
  if (const auto index = (*instance_made)->AddCircuit(tried, 0); !index.ok()) {
    return file.ErrorAt(circuit, "", index.status().message());
  }
  made.said = absl::StrCat(circuit.SerializeAsString(), "\n", options.hello_key.secret, "\n",
                           options.level_2_hello_key ? options.level_2_hello_key->secret : "", "\n",
                           SecretsOf(options.accepted_hello_keys));
  return made;
}

absl::Status PlanIsis(const ConfigFile& file, const config::Igp& igp, IgpServiceOptions* options) {
  const config::Isis& isis = igp.isis();
  isis::InstanceOptions& instance = options->isis.emplace();
  const auto system = isis::SystemId::Parse(isis.system_id());
  if (!system) {
    return file.ErrorAt(isis, "system_id",
                        absl::StrCat("\"", isis.system_id(), "\" is no system identifier; such as 0000.0000.f10a"));
  }
  instance.system = *system;
  for (int i = 0; i < isis.area_size(); ++i) {
    const auto area = isis::AreaAddress::Parse(isis.area(i));
    if (!area) {
      return file.ErrorAt(isis, "area", absl::StrCat("\"", isis.area(i), "\" is no area; such as 49.0001"), i);
    }
    instance.areas.push_back(*area);
  }
  PlanLevel(isis.level(), &instance.level_1, &instance.level_2);
  instance.hostname = isis.hostname();
  instance.passive = isis.passive();
  for (int i = 0; i < isis.topology_size(); ++i) {
    if (isis.topology(i) == 0 || isis.topology(i) > kMaxTopologyNumber) {
      return file.ErrorAt(isis, "topology", absl::StrCat("from 1 to ", kMaxTopologyNumber, "; 0 is there always"), i);
    }
    instance.topologies.push_back(static_cast<isis::TopologyNumber>(isis.topology(i)));
  }
  if (isis.has_area_key()) {
    if (const auto status = PlanKey(file, isis.area_key(), &instance.lsp_keys[0]); !status.ok()) return status;
  }
  if (isis.has_domain_key()) {
    if (const auto status = PlanKey(file, isis.domain_key(), &instance.lsp_keys[1]); !status.ok()) return status;
  }
  for (const auto& [keys, accepted] : {std::make_pair(&isis.accepted_area_key(), &instance.accepted_lsp_keys[0]),
                                       std::make_pair(&isis.accepted_domain_key(), &instance.accepted_lsp_keys[1])}) {
    if (const auto status = PlanAcceptedKeys(file, *keys, accepted); !status.ok()) return status;
  }
  instance.max_lsps = igp.max_advertisements();
  instance.max_octets = ConfigFile::OctetsOf(igp.max_memory());
  if (const auto made = isis::Instance::Create(instance); !made.ok()) {
    return file.ErrorAt(isis, "", made.status().message());
  }
  if (isis.circuit_size() == 0) {
    return file.ErrorAt(isis, "", "nobody is heard; give circuit { device: \"eth0\" }, or one with gre");
  }
  std::map<std::string, int> names;
  for (const config::IsisCircuit& circuit : isis.circuit()) {
    auto made = PlanCircuit(file, circuit, instance);
    if (!made.ok()) return made.status();
    if (!names.emplace(made->circuit.options.name, 0).second) {
      return file.ErrorAt(circuit, "", absl::StrCat("two circuits are ", made->circuit.options.name, "; give it once"));
    }
    options->circuits.push_back(*std::move(made));
  }
  return absl::OkStatus();
}

absl::Status PlanFiles(const ConfigFile& file, const config::Igp& igp, IgpServiceOptions* options) {
  std::map<topology::AdvertisementKey, topology::Advertisement> told;
  for (int i = 0; i < igp.file_size(); ++i) {
    if (igp.file(i).empty() || igp.file(i) == "-") return file.ErrorAt(igp, "file", "is the path of a file", i);
    IgpFilesOptions reading;
    reading.files = {igp.file(i)};
    reading.database = options->topology.database;
    const auto files = IgpFiles::Load(std::move(reading));
    if (!files.ok()) return file.ErrorAt(igp, "file", files.status().message(), i);
    const topology::TopologyState state = (*files)->database().State();
    if (state.style() != options->topology.database.style) {
      return file.ErrorAt(igp, "file",
                          absl::StrCat("its routers are named as ", state.style() == NodeStyle::kOspf
                                                                        ? "OSPF does; give protocol: OSPF"
                                                                        : "IS-IS does; give protocol: ISIS"),
                          i);
    }
    for (const auto& advertisement : state.advertisements()) {
      told.insert_or_assign(advertisement->key, *advertisement);
    }
    options->files.groups.insert(options->files.groups.end(), (*files)->groups().begin(), (*files)->groups().end());
  }
  for (auto& [key, advertisement] : told) options->files.advertisements.push_back(std::move(advertisement));
  return absl::OkStatus();
}

// What may be another while the collector runs is left out.
config::Igp Lasting(const config::Igp& igp) {
  config::Igp lasting = igp;
  lasting.clear_file();
  lasting.clear_exporter();
  if (lasting.has_isis()) lasting.mutable_isis()->clear_circuit();
  return lasting;
}

}  // namespace

absl::StatusOr<IgpServiceOptions> PlanIgp(const ConfigFile& file) {
  const config::Igp& igp = file.message().igp();
  IgpServiceOptions options;
  topology::LiveTopologyOptions& topology = options.topology;
  topology.database.style = igp.protocol() == config::Igp::OSPF ? NodeStyle::kOspf : NodeStyle::kIsis;
  if (!igp.has_isis() && igp.file().empty() && !igp.bgp_ls()) {
    return file.ErrorAt(igp, "", "there is nobody who tells the topology; give isis, file or bgp_ls: true");
  }
  if (igp.has_isis() && igp.protocol() == config::Igp::OSPF) {
    return file.ErrorAt(igp, "protocol", "with isis it is ISIS");
  }
  if (igp.bgp_ls() && !file.message().has_bgp() && !file.message().has_bmp()) {
    return file.ErrorAt(igp, "bgp_ls", "there is nobody who tells it; give bgp { listen: \"[::]:179\" } or bmp");
  }
  if (igp.max_advertisements() == 0) return file.ErrorAt(igp, "max_advertisements", "is at least 1");
  if (igp.max_routers() == 0) return file.ErrorAt(igp, "max_routers", "is at least 1");
  topology.database.max_advertisements = igp.max_advertisements();
  topology.database.max_octets = ConfigFile::OctetsOf(igp.max_memory());
  topology.database.max_history_octets = ConfigFile::OctetsOf(igp.history());
  topology.max_roots = igp.max_routers();
  const config::IgpSpf& spf = igp.spf();
  topology.backoff.initial_delay_nanos = NanosOf(spf.initial_delay());
  topology.backoff.short_delay_nanos = NanosOf(spf.short_delay());
  topology.backoff.long_delay_nanos = NanosOf(spf.long_delay());
  topology.backoff.time_to_learn_nanos = NanosOf(spf.time_to_learn());
  topology.backoff.holddown_nanos = NanosOf(spf.holddown());
  options.bgp_ls = igp.bgp_ls();
  options.bgp_ls_options.style = topology.database.style;
  options.stale_for_nanos = NanosOf(igp.stale_for());
  auto exporters = std::make_shared<enrich::IgpExporters>();
  for (const config::IgpExporter& exporter : igp.exporter()) {
    auto prefix = ParsePrefix(file, exporter, "exporters", exporter.exporters());
    if (!prefix.ok()) return prefix.status();
    if (exporter.router().empty()) return file.ErrorAt(exporter, "router", "is empty; name a router");
    const std::optional<uint32_t> in_if =
        exporter.has_interface() ? std::make_optional(exporter.interface()) : std::nullopt;
    if (!exporters->Add(*prefix, in_if, exporter.router())) {
      return file.ErrorAt(exporter, "exporters", "these exporters and interface are given twice; give them once");
    }
    options.exporters.routers.push_back(exporter.router());
  }
  options.exporters.lines = std::move(exporters);
  if (igp.has_isis()) {
    if (const absl::Status status = PlanIsis(file, igp, &options); !status.ok()) return status;
  }
  if (const absl::Status status = PlanFiles(file, igp, &options); !status.ok()) return status;
  return options;
}

absl::Status CheckIgpChange(const ConfigFile& before, const IgpServiceOptions* options_before, const ConfigFile& file,
                            const IgpServiceOptions* options) {
  const config::Config& config = file.message();
  if (!config.has_igp() && !before.message().has_igp()) return absl::OkStatus();
  if (config.has_igp() != before.message().has_igp()) {
    return file.ErrorAt(config, config.has_igp() ? "igp" : "",
                        config.has_igp() ? "cannot come while the collector runs; restart it"
                                         : "igp cannot go while the collector runs; restart it");
  }
  // Secrets may be another though the configuration is the same.
  const auto secrets = [](const IgpServiceOptions& o) {
    return o.isis ? absl::StrCat(o.isis->lsp_keys[0].secret, "\n", o.isis->lsp_keys[1].secret, "\n",
                                 SecretsOf(o.isis->accepted_lsp_keys[0]), "\n", SecretsOf(o.isis->accepted_lsp_keys[1]))
                  : std::string();
  };
  if (Lasting(config.igp()).SerializeAsString() != Lasting(before.message().igp()).SerializeAsString() ||
      secrets(*options) != secrets(*options_before)) {
    return file.ErrorAt(
        config, "igp",
        "only circuits, files and exporters can change while the collector runs; for all else restart it");
  }
  return absl::OkStatus();
}

absl::StatusOr<enrich::IgpOptions> PlanIgpEnricher(const ConfigFile& file, const config::IgpWays& ways,
                                                   const IgpServiceOptions& options) {
  enrich::IgpOptions made;
  made.exporters = options.exporters.lines;
  made.fill_networks = ways.networks();
  if (ways.max_ways() == 0) return file.ErrorAt(ways, "max_ways", "is at least 1");
  if (ways.max_cached() == 0 || ways.max_cached() > (1u << 28)) {
    return file.ErrorAt(ways, "max_cached", "from 1 to 268435456");
  }
  made.max_ways = ways.max_ways();
  made.cache_entries = ways.max_cached();
  return made;
}

enrich::EnricherFactory IgpFactory(std::shared_ptr<const IgpHolder> holder, enrich::IgpOptions options) {
  return [holder = std::move(holder), options = std::move(options)] {
    IgpService& service = *holder->service;
    const enrich::Igp igp{service.epochs(), &service.reach(), service.published(), service.wanted()};
    return enrich::IgpEnricher::Factory(holder->service, igp, options)();
  };
}

}  // namespace flowacct::collector
