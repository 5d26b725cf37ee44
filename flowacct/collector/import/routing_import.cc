#include "flowacct/collector/import/routing_import.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/import/rules_import.h"
#include "flowacct/collector/routelog/log_file_set.h"
#include "flowacct/collector/routing/routing_options.h"

namespace flowacct::collector {

namespace {

// Of pmacct's two daemons the keys that are alike.
struct DaemonSettings {
  Setting daemon, ip, port, max_peers, allow, log, dump, dump_every;
};
constexpr DaemonSettings kBgp = {Setting::kBgpDaemon,   Setting::kBgpIp,        Setting::kBgpPort,
                                 Setting::kBgpMaxPeers, Setting::kBgpAllowFile, Setting::kBgpMessageLog,
                                 Setting::kBgpDumpFile, Setting::kBgpDumpEvery};
constexpr DaemonSettings kBmp = {Setting::kBmpDaemon,   Setting::kBmpIp,        Setting::kBmpPort,
                                 Setting::kBmpMaxPeers, Setting::kBmpAllowFile, Setting::kBmpMessageLog,
                                 Setting::kBmpDumpFile, Setting::kBmpDumpEvery};

// pmacct takes "passive" and "online" for true, too.
bool IsOn(Settings& settings, Setting setting) {
  const Statement* const daemon = settings.Of(setting);
  if (daemon == nullptr) return false;
  const std::string value = absl::AsciiStrToLower(daemon->value);
  return value == "true" || value == "passive" || value == "online";
}

void WriteListen(Settings& settings, const DaemonSettings& keys, uint64_t usual_port, ConfigWriter* out) {
  const Statement* const ip = settings.Of(keys.ip);
  const Statement* const port = settings.Of(keys.port);
  std::string address = ip == nullptr ? "::" : ip->value;
  if (ip != nullptr && !base::IpAddress::Parse(address)) {
    settings.Attention(ip, absl::StrCat("\"", address, "\" is no address: every one of this machine is listened on"));
    address = "::";
  }
  const uint64_t number = settings.NumberOf(port, 1, 65535).value_or(usual_port);
  const std::string listen = address.find(':') == std::string::npos ? absl::StrCat(address, ":", number)
                                                                    : absl::StrCat("[", address, "]:", number);
  out->Text("listen", listen, From(ip != nullptr ? ip : port != nullptr ? port : settings.Of(keys.daemon)));
}

// `block` and `who`: for the sentence about a file that cannot be read.
void WriteAllowed(ImportContext* context, const DaemonSettings& keys, absl::string_view block, absl::string_view who,
                  ConfigWriter* out) {
  Settings& settings = context->settings();
  const Statement* const file = settings.Of(keys.allow);
  if (file == nullptr) return;
  // Rather too few than all of them.
  constexpr absl::string_view kNobody = "::/128";
  const auto list =
      context->ReadList(file, absl::StrCat("until prefixes are given in ", block, " { allow: ... } nobody may ", who));
  size_t prefixes = 0;
  for (const ListLine& line : list ? *list : std::vector<ListLine>()) {
    const auto prefix = base::IpPrefix::Parse(line.word);
    if (prefix) {
      out->Text("allow", prefix->ToString(), ++prefixes == 1 ? From(file) : "");
    } else {
      settings.Attention(
          file, absl::StrCat("line ", line.line, " of the file, ", line.word, ", is no prefix; it is left out"));
    }
  }
  if (prefixes == 0) out->Text("allow", kNobody, "nobody");
}

// `ports`: those of whoever tells are known here, too.
void WriteLogs(Settings& settings, const DaemonSettings& keys, bool ports, ConfigWriter* out) {
  const auto write_file = [&](const Statement* file) {
    std::string name = file->value;
    for (absl::string_view word = PortWordOf(name); !ports && !word.empty(); word = PortWordOf(name)) {
      settings.Attention(file, absl::StrCat("the port of a BMP router is not known: 0 stands for ", word));
      absl::StrReplaceAll({{word, "0"}}, &name);
    }
    out->Text("file", name, From(file));
  };
  if (const Statement* const log = settings.Of(keys.log)) {
    out->Open("message_log");
    write_file(log);
    out->Close();
  }
  const Statement* const dump = settings.Of(keys.dump);
  const Statement* const every = settings.Of(keys.dump_every);
  if (dump == nullptr) return;
  out->Open("json_dump");
  write_file(dump);
  if (const auto seconds = settings.NumberOf(every, 1, 86400)) {
    out->Text("every", absl::StrCat(*seconds, "s"), From(every));
  }
  out->Close();
}

}  // namespace

bool RoutingImport::active() {
  return IsOn(context_->settings(), kBgp.daemon) || IsOn(context_->settings(), kBmp.daemon);
}

void RoutingImport::Write(ConfigWriter* out) {
  WriteBgp(out);
  WriteBmp(out);
}

void RoutingImport::WriteBmp(ConfigWriter* out) {
  Settings& settings = context_->settings();
  if (!IsOn(settings, kBmp.daemon)) return;
  out->Open("bmp");
  WriteListen(settings, kBmp, 1790, out);
  const Statement* const routers = settings.Of(kBmp.max_peers);
  if (const auto number = settings.NumberOf(routers, 1, 32768)) out->Number("max_routers", *number, From(routers));
  WriteAllowed(context_, kBmp, "bmp", "connect", out);
  WriteLogs(settings, kBmp, /*ports=*/false, out);
  out->Close();
  out->Blank();
}

void RoutingImport::WriteBgp(ConfigWriter* out) {
  Settings& settings = context_->settings();
  if (!IsOn(settings, kBgp.daemon)) return;
  out->Open("bgp");
  WriteListen(settings, kBgp, 179, out);
  if (const Statement* id = settings.Of(Setting::kBgpId)) {
    const auto identifier = base::IpAddress::Parse(id->value);
    if (identifier && identifier->IsV4()) {
      out->Text("router_id", id->value, From(id));
    } else {
      settings.Attention(id, absl::StrCat("\"", id->value, "\" is no IPv4 address: one of this machine is taken"));
    }
  }
  const Statement* const as = settings.Of(Setting::kBgpAs);
  if (const auto local_as = settings.NumberOf(as, 1, UINT32_MAX)) out->Number("local_as", *local_as, From(as));
  const Statement* const peers = settings.Of(kBgp.max_peers);
  if (const auto max_peers = settings.NumberOf(peers, 1, 8192)) out->Number("max_peers", *max_peers, From(peers));
  WriteAllowed(context_, kBgp, "bgp", "peer", out);
  WriteMap(out);
  WriteLogs(settings, kBgp, /*ports=*/true, out);
  out->Close();
  out->Blank();
}

// bgp_agent_map: "bgp_ip=192.0.2.1 ip=198.51.100.0/24 in=5". Of several lines the first that is met counts.
void RoutingImport::WriteMap(ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const file = settings.Of(Setting::kBgpAgentMap);
  if (file == nullptr) return;
  const auto map = context_->ReadMap(file, "each exporter has the routes of the peer of its own address");
  // Exporters whose flows are all of a line that was met.
  std::vector<std::pair<base::IpPrefix, size_t>> taken;
  for (const MapLine& line : map ? *map : std::vector<MapLine>()) {
    const auto attention = [&](const auto&... what) {
      settings.Attention(file, absl::StrCat("line ", line.line, what...));
    };
    const std::string* const peer = line.Find("bgp_ip");
    const std::string* const exporters = line.Find("ip");
    const auto address = peer == nullptr ? std::nullopt : base::IpAddress::Parse(*peer);
    const auto prefix = exporters == nullptr ? std::nullopt : base::IpPrefix::Parse(*exporters);
    if (!address || !prefix) {
      attention(" does not say bgp_ip=ADDRESS ip=PREFIX; it is left out");
      continue;
    }
    const auto earlier = std::find_if(taken.begin(), taken.end(), [&](const auto& all) {
      return all.first.length() <= prefix->length() && all.first.Contains(prefix->address());
    });
    if (earlier != taken.end()) {
      attention(" is never met: line ", earlier->second, " takes all flows of ", prefix->ToString(),
                "; it is left out");
      continue;
    }
    if (line.Find("bgp_port") != nullptr) {
      attention(": bgp_port has no counterpart: of several peers of ", address->ToString(),
                " each answers; give the router id of the one that is meant");
    }
    std::vector<absl::string_view> said = {"bgp_ip", "bgp_port", "ip"};
    // Interfaces by themselves, where they are no 0, which also means that there is none.
    const auto interface_of = [&](absl::string_view key) -> const std::string* {
      const std::string* const interface = line.Find(key);
      uint32_t number = 0;
      if (interface == nullptr || !absl::c_all_of(*interface, absl::ascii_isdigit) ||
          !absl::SimpleAtoi(*interface, &number) || number == 0) {
        return nullptr;
      }
      said.push_back(key);
      return interface;
    };
    const std::string* const in = interface_of("in");
    const std::string* const out_if = interface_of("out");
    const auto where = ConditionOfLine(line, said);
    if (!where.ok()) {
      attention(": ", where.status().message(), "; it is left out");
      continue;
    }
    if (in == nullptr && out_if == nullptr && where->empty()) {
      if (prefix->length() == 0) {  // every exporter of that family: whoever has no other
        taken.push_back({*prefix, line.line});
        out->Text("reflector", address->ToString());
        continue;
      }
      if (AddressesOf(*prefix) > kMaxMappedExporters) {
        attention(": ", prefix->ToString(),
                  " has more addresses than can be mapped; it is left out: reflector answers for all exporters");
        continue;
      }
      taken.push_back({*prefix, line.line});
    }
    out->Open("map");
    out->Text("exporters", prefix->ToString());
    out->Text("peer", address->ToString());
    if (in != nullptr) out->Text("in_if", *in);
    if (out_if != nullptr) out->Text("out_if", *out_if);
    if (!where->empty()) out->Text("where", *where);
    out->Close();
  }
}

void RoutingImport::WriteRpki(ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const file = settings.Of(Setting::kRpkiRoasFile);
  const Statement* const cache = settings.Of(Setting::kRpkiCache);
  const Statement* const version = settings.Of(Setting::kRpkiCacheVersion);
  ConfigWriter rpki;
  if (cache != nullptr) {
    if (IsAddressAndPort(cache->value)) {
      rpki.Text("cache", absl::StrCat("tcp://", cache->value), From(cache));
      if (const auto number = settings.NumberOf(version, 0, 1)) rpki.Number("version", *number, From(version));
    } else {
      settings.Attention(cache, absl::StrCat("\"", cache->value,
                                             "\" is no address and port; names are not looked up: give rpki { cache: "
                                             "\"192.0.2.1:323\" }"));
    }
  }
  if (file != nullptr) rpki.Text("roa_file", file->value, From(file));
  if (rpki.text().empty()) return;
  if (!active()) {
    settings.Remark(file != nullptr ? file : cache, "only routes are validated, which bgp_daemon: true would bring");
  }
  out->Open("rpki");
  out->Append(rpki);
  out->Close();
  out->Blank();
}

void RoutingImport::WriteRoutes(ConfigWriter* out) {
  if (!active()) return;
  Settings& settings = context_->settings();
  out->Open("routes");
  const Statement* const as = settings.Of(Setting::kAs);
  const std::string method = as == nullptr ? "" : absl::AsciiStrToLower(as->value);
  if (method == "longest" || method == "fallback") {
    out->Word("policy", "LONGEST", From(as));
  } else if (method != "bgp" && method != "bmp") {
    out->Word("policy", "FILL",
              as == nullptr ? "AS numbers are the exporter's unless nfacctd_as or its like says bgp" : From(as));
  }
  const Statement* const radius = settings.Of(Setting::kBgpRadius);
  if (const auto hops = settings.NumberOf(radius, 1, 255)) out->Number("as_path_radius", *hops, From(radius));
  const Statement* const follow = settings.Of(Setting::kBgpFollowDefault);
  if (const auto times = settings.NumberOf(follow, 0, 20)) out->Number("follow_default", *times, From(follow));
  if (const Statement* const routers = settings.Of(Setting::kBgpFollowNextHop)) {
    for (absl::string_view word : absl::StrSplit(routers->value, ',', absl::SkipWhitespace())) {
      const auto prefix = base::IpPrefix::Parse(absl::StripAsciiWhitespace(word));
      if (prefix) {
        out->Text("follow_next_hop", prefix->ToString(), From(routers));
      } else {
        settings.Attention(routers, absl::StrCat(word, " is no prefix; it is left out"));
      }
    }
  }
  out->Close();
}

}  // namespace flowacct::collector
