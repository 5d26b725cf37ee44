#include "flowacct/collector/import/input_import.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/collector/import/packet_filter.h"

namespace flowacct::collector {

InputImport::InputImport(ImportContext* context) : context_(context) {
  Settings& settings = context_->settings();
  if (settings.Of(Setting::kSaveFile) != nullptr && context_->daemon() != Daemon::kUacctd) {
    kind_ = Kind::kCaptures;
    if (const Statement* filter = settings.Of(Setting::kPcapFilter);
        filter != nullptr && SeesPackets(context_->daemon())) {
      // No kernel sees a capture's packets.
      const absl::StatusOr<std::string> where = TranslatePacketFilter(filter->value);
      if (where.ok()) {
        where_ = *where;
      } else {
        settings.Attention(filter,
                           absl::StrCat("cannot be said in our language, so that all packets of the capture are "
                                        "accounted: ",
                                        where.status().message()));
      }
    }
  } else if (ListensForExports(context_->daemon())) {
    kind_ = Kind::kUdp;
  } else if (context_->daemon() == Daemon::kUacctd) {
    kind_ = Kind::kNflog;
  } else {
    kind_ = Kind::kInterface;
    FindDevices();
  }
}

bool InputImport::HasKernelFilter() const { return kind_ == Kind::kInterface; }

void InputImport::FindDevices() {
  Settings& settings = context_->settings();
  const auto direction_of = [](absl::string_view word) {
    return absl::EqualsIgnoreCase(word, "in") ? "IN" : absl::EqualsIgnoreCase(word, "out") ? "OUT" : "";
  };
  const Statement* const map = settings.Of(Setting::kInterfacesMap);
  if (map != nullptr) {
    const auto lines = context_->ReadMap(map, "name the devices in place of \"any\"");
    for (const MapLine& line : lines ? *lines : std::vector<MapLine>()) {
      const std::string* const device = line.Find("ifname");
      if (device == nullptr) {
        settings.Attention(map, absl::StrCat("line ", line.line, " of the map names no device; it is left out"));
        continue;
      }
      if (line.Find("ifindex") != nullptr) {
        settings.Remark(map, "numbers of interfaces are the system's; a rule can set others");
      }
      const std::string* const word = line.Find("direction");
      const std::string direction = word == nullptr ? "" : direction_of(*word);
      auto same = std::find_if(devices_.begin(), devices_.end(),
                               [&](const Devices& devices) { return devices.direction == direction; });
      if (same == devices_.end()) same = devices_.insert(same, Devices{{}, direction, From(map)});
      same->names.push_back(*device);
    }
    if (devices_.empty()) devices_.push_back({{"any"}, "", From(map)});
    return;
  }
  Devices devices;
  if (const Statement* direction = settings.Of(Setting::kDirection)) {
    devices.direction = direction_of(direction->value);
    if (devices.direction.empty()) settings.Fail(direction, "is neither in nor out; write one of them");
  }
  const Statement* const device = settings.Of(Setting::kInterface);
  devices.names.push_back(device == nullptr || device->value.empty() ? "any" : device->value);
  devices.from = From(device);
  if (device == nullptr) {
    settings.Attention(nullptr,
                       "no pcap_interface is named, so all devices are heard; pmacct would take the first one");
  }
  devices_.push_back(std::move(devices));
}

size_t InputImport::Add(const InputNeed& need) {
  const auto same = std::find(needs_.begin(), needs_.end(), need);
  if (same != needs_.end()) return static_cast<size_t>(same - needs_.begin());
  needs_.push_back(need);
  return needs_.size() - 1;
}

std::string InputImport::NameOf(size_t need, size_t devices) const {
  std::string name(DaemonName(context_->daemon()));
  if (needs_.size() > 1) absl::StrAppend(&name, needs_[need].metered ? "-flows" : "-packets");
  size_t like = 1;  // what has the same name comes after the first with a number
  for (size_t i = 0; i < need; ++i) like += needs_[i].metered == needs_[need].metered ? 1 : 0;
  if (like > 1) absl::StrAppend(&name, like);
  if (devices < devices_.size() && devices_.size() > 1) {
    const std::string& direction = devices_[devices].direction;
    absl::StrAppend(&name, direction.empty() ? "" : "-", absl::AsciiStrToLower(direction));
  }
  return name;
}

std::vector<std::string> InputImport::NamesOf(size_t need) const {
  std::vector<std::string> names;
  if (needs_.size() < 2) return names;
  for (size_t i = 0; i < std::max<size_t>(devices_.size(), 1); ++i) names.push_back(NameOf(need, i));
  return names;
}

void InputImport::Write(ConfigWriter* out) {
  if (needs_.empty()) needs_.emplace_back();
  for (size_t need = 0; need < needs_.size(); ++need) {
    for (size_t i = 0; i < std::max<size_t>(devices_.size(), 1); ++i) {
      out->Open("input");
      out->Text("name", NameOf(need, i));
      switch (kind_) {
        case Kind::kUdp:
          WriteUdp(out);
          break;
        case Kind::kInterface:
          WriteInterface(needs_[need], devices_[i], out);
          break;
        case Kind::kNflog:
          WriteNflog(out);
          break;
        case Kind::kCaptures:
          WriteCaptures(out);
          break;
      }
      if (needs_[need].metered) {
        out->Open("meter");
        for (const InputNeed::MeterValue& value : needs_[need].meter) {
          value.quoted ? out->Text(value.name, value.value, value.from)
                       : out->Word(value.name, value.value, value.from);
        }
        out->Close();
      }
      if (const Statement* tunnel =
              SeesPackets(context_->daemon()) ? context_->settings().Of(Setting::kTunnel) : nullptr) {
        context_->settings().Remark(tunnel, "into all tunnels that can be read, GTP-U on its standard port");
        out->Word("depth", "INNERMOST", From(tunnel));
      }
      out->Close();
    }
  }
}

void InputImport::WriteUdp(ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const port = settings.Of(Setting::kPort);
  const Statement* const address = settings.Of(Setting::kAddress);
  const uint64_t standard = context_->daemon() == Daemon::kSfacctd ? 6343 : 2100;
  const uint64_t number = settings.NumberOf(port, 1, 65535).value_or(standard);
  std::string listen = "[::]";
  if (address != nullptr) {
    const auto parsed = base::IpAddress::Parse(address->value);
    if (!parsed)
      settings.Fail(address, absl::StrCat("\"", address->value, "\" is no address; give one, such as 192.0.2.1"));
    listen = parsed && !parsed->IsV4() ? absl::StrCat("[", address->value, "]") : address->value;
  }
  std::string from = From(address);
  if (port != nullptr) absl::StrAppend(&from, from.empty() ? "" : "; ", From(port));
  if (from.empty()) from = "pmacct's port unless told";
  out->Open("udp");
  out->Text("listen", absl::StrCat(listen, ":", number), from);
  if (const Statement* buffer = settings.Of(Setting::kReceiveBuffer)) {
    if (const auto octets = settings.NumberOf(buffer, 1, uint64_t{1} << 40)) {
      out->Text("receive_buffer", absl::StrCat(*octets), From(buffer));
    }
  }
  if (const Statement* device = settings.Of(Setting::kDevice)) out->Text("device", device->value, From(device));
  out->Close();
  WriteAllowed(out);
}

void InputImport::WriteAllowed(ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const file = settings.Of(Setting::kAllowFile);
  if (file == nullptr) return;
  // Nobody sends from here. Rather too few exporters than all of them.
  constexpr absl::string_view kNobody = "::/128";
  out->Open("admission");
  const auto list = context_->ReadList(file, "until prefixes are given in admission { allow: ... } nobody is heard");
  size_t prefixes = 0;
  for (const ListLine& line : list ? *list : std::vector<ListLine>()) {
    const auto prefix = base::IpPrefix::Parse(line.word);
    if (!prefix) {
      settings.Attention(
          file, absl::StrCat("line ", line.line, " of the file, ", line.word, ", is no prefix; it is left out"));
      continue;
    }
    out->Text("allow", prefix->ToString(), ++prefixes == 1 ? From(file) : "");
  }
  if (prefixes == 0) out->Text("allow", kNobody, "nobody");
  if (prefixes == 0 && list) {
    settings.Attention(file, "the file has no prefix, so that nobody is heard, as by pmacct since 1.7.1");
  }
  out->Close();
}

std::string InputImport::KernelFilter(const InputNeed& need, std::string* from) {
  Settings& settings = context_->settings();
  std::vector<std::string> parts;
  if (const Statement* filter = settings.Of(Setting::kPcapFilter); filter != nullptr && !filter->value.empty()) {
    parts.push_back(filter->value);
    *from = From(filter);
  }
  if (const Statement* protocol = settings.Of(Setting::kPcapProtocol)) {
    parts.push_back(absl::StrCat("ether proto ", protocol->value));
    absl::StrAppend(from, from->empty() ? "" : "; ", From(protocol));
  }
  if (!need.filter.empty()) {
    parts.push_back(need.filter);
    absl::StrAppend(from, from->empty() ? "" : "; ", "aggregate_filter");
  }
  if (parts.size() < 2) return parts.empty() ? "" : parts[0];
  std::string filter;
  for (const std::string& part : parts) absl::StrAppend(&filter, filter.empty() ? "(" : " and (", part, ")");
  return filter;
}

void InputImport::WriteSnapLength(ConfigWriter* out) {
  Settings& settings = context_->settings();
  const Statement* const length = settings.Of(Setting::kSnapLength);
  const auto octets = settings.NumberOf(length, 1, UINT32_MAX);
  if (!octets) return;
  // Less holds no headers, more no packet has.
  const uint64_t fitting = std::min<uint64_t>(std::max<uint64_t>(*octets, 64), 65536);
  if (fitting != *octets) settings.Remark(length, "from 64 to 65536 octets");
  out->Number("snap_length", fitting, From(length));
}

void InputImport::WriteInterface(const InputNeed& need, const Devices& devices, ConfigWriter* out) {
  Settings& settings = context_->settings();
  out->Open("interface");
  for (const std::string& device : devices.names) out->Text("device", device, devices.from);
  std::string from;
  if (const std::string filter = KernelFilter(need, &from); !filter.empty()) out->Text("filter", filter, from);
  WriteSnapLength(out);
  if (!devices.direction.empty()) out->Word("direction", devices.direction);
  if (!settings.FlagOf(Setting::kPromiscuous, true)) {
    out->Flag("promiscuous", false, From(settings.Of(Setting::kPromiscuous)));
  }
  if (need.sampling_rate > 1) out->Number("sampling_rate", need.sampling_rate, need.sampling_from);
  if (const Statement* buffer = settings.Of(Setting::kReceiveBuffer)) {
    if (const auto octets = settings.NumberOf(buffer, 1, uint64_t{1} << 40)) {
      out->Text("buffer", absl::StrCat(*octets), From(buffer));
    }
  }
  if (const Statement* index = settings.Of(Setting::kIfIndex)) {
    if (index->value == "none") out->Flag("interface_index", false, From(index));
    if (index->value == "hash" || index->value == "map") {
      settings.Attention(index, "numbers of interfaces are the system's here; a rule can set others");
    } else if (index->value != "none" && index->value != "sys") {
      settings.Fail(index, "is none of sys, hash, map, none; write one of them");
    }
  }
  out->Close();
}

void InputImport::WriteNflog(ConfigWriter* out) {
  Settings& settings = context_->settings();
  out->Open("nflog");
  const Statement* const group = settings.Of(Setting::kGroup);
  out->Number("group", settings.NumberOf(group, 0, 65535).value_or(0),
              group == nullptr ? "pmacct's group unless told" : From(group));
  WriteSnapLength(out);
  if (const Statement* buffer = settings.Of(Setting::kNetlinkSize)) {
    if (const auto octets = settings.NumberOf(buffer, 1, uint64_t{1} << 40)) {
      out->Text("buffer", absl::StrCat(*octets), From(buffer));
    }
  }
  out->Close();
}

void InputImport::WriteCaptures(ConfigWriter* out) {
  Settings& settings = context_->settings();
  out->Open("captures");
  const Statement* const file = settings.Of(Setting::kSaveFile);
  out->Text("path", file->value, From(file));
  out->Word("content", SeesPackets(context_->daemon()) ? "PACKETS" : "EXPORTS");
  const Statement* const wait = settings.Of(Setting::kSaveFileWait);
  if (!settings.FlagOf(Setting::kSaveFileWait, false)) out->Flag("exit_at_end", true, From(wait));
  out->Close();
}

}  // namespace flowacct::collector
