#include "flowacct/collector/import/replica_import.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::collector {

std::vector<ReplicaImport::TaggedExporter> ReplicaImport::ExportersByTag(const Plugin& plugin) {
  std::vector<TaggedExporter> tagged;
  const Statement* const map = context_->settings().Of(Setting::kPreTagMap, plugin);
  if (map == nullptr) return tagged;
  const auto lines = context_->ReadMap(map, "give the exporters in replica { exporters: ... }");
  for (const MapLine& line : lines ? *lines : std::vector<MapLine>()) {
    TaggedExporter exporter{0, ""};
    bool understood = true;
    for (const MapLine::Pair& pair : line.pairs) {
      if (pair.key == "set_tag" || pair.key == "id") {
        understood = understood && absl::SimpleAtoi(pair.value, &exporter.tag);
      } else if (pair.key == "ip") {
        const auto prefix = base::IpPrefix::Parse(pair.value);
        understood = understood && prefix.has_value();
        if (prefix) exporter.prefix = prefix->ToString();
      } else {
        understood = false;
      }
    }
    if (!understood || exporter.prefix.empty()) {
      context_->settings().Attention(map,
                                     absl::StrCat("line ", line.line,
                                                  " of the map asks for more than an exporter; a replica only knows "
                                                  "exporters, so it is left out"));
      continue;
    }
    // The first line that fits counts. Where a later one is within an earlier one, it never does.
    const auto prefix = base::IpPrefix::Parse(exporter.prefix);
    bool counts = true;
    for (const TaggedExporter& before : tagged) {
      const auto earlier = base::IpPrefix::Parse(before.prefix);
      if (before.tag == exporter.tag) continue;
      if (earlier->Contains(prefix->address()) && earlier->length() <= prefix->length()) {
        counts = false;
      } else if (prefix->Contains(earlier->address())) {
        context_->settings().Attention(map, absl::StrCat("line ", line.line,
                                                         " of the map holds the exporters of an "
                                                         "earlier one, which get both tags here"));
      }
    }
    if (counts) tagged.push_back(std::move(exporter));
  }
  return tagged;
}

void ReplicaImport::WriteExporters(const Statement* receivers, const MapLine& pool,
                                   const std::vector<TaggedExporter>& tagged, ConfigWriter* out) {
  const std::string* const tags = pool.Find("tag");
  if (tags == nullptr) return;
  Settings& settings = context_->settings();
  size_t written = 0, unsaid = 0;
  for (absl::string_view word : absl::StrSplit(*tags, ',', absl::SkipWhitespace())) {
    const std::vector<absl::string_view> ends = absl::StrSplit(word, '-');
    uint64_t low = 0, high = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &low) || !absl::SimpleAtoi(ends.back(), &high) || low == 0) {
      settings.Attention(receivers,
                         absl::StrCat("line ", pool.line, " of the file: tag ", word,
                                      " asks for exporters without a tag or all but some; give replica.exporters"));
      ++unsaid;
      continue;
    }
    for (const TaggedExporter& exporter : tagged) {
      if (exporter.tag < low || exporter.tag > high) continue;
      out->Text("exporters", exporter.prefix, absl::StrCat("tag ", exporter.tag));
      ++written;
    }
  }
  if (written > 0) return;
  // Rather nothing than what was not to be sent there.
  out->Text("exporters", "::/128", "nobody");
  if (unsaid > 0) return;
  settings.Attention(receivers, absl::StrCat("line ", pool.line, " of the file: no exporter is known to have tag ",
                                             *tags, ", so that nothing is sent; give replica.exporters"));
}

void ReplicaImport::Add(const Plugin& plugin) {
  Settings& settings = context_->settings();
  const Statement* const receivers = settings.Of(Setting::kTeeReceivers, plugin);
  if (receivers == nullptr) {
    settings.Attention(
        nullptr, absl::StrCat("plugin ", plugin.name, " has no tee_receivers; give replica { name: ... to: ... }"));
    return;
  }
  const auto pools = context_->ReadMap(receivers, "give replica { name: ... to: ... } for each pool");
  const std::vector<TaggedExporter> tagged = ExportersByTag(plugin);
  absl::string_view stem = plugin.name;
  if (stem == "default_tee") stem = "tee";
  for (const MapLine& pool : pools ? *pools : std::vector<MapLine>()) {
    const std::string* const addresses = pool.Find("ip");
    if (addresses == nullptr || absl::StripAsciiWhitespace(absl::StrReplaceAll(*addresses, {{",", " "}})).empty()) {
      settings.Attention(
          receivers, absl::StrCat("line ", pool.line, " of the file has no ip=, but Kafka or ZeroMQ; it is left out"));
      continue;
    }
    Replica replica{&plugin, {}};
    ConfigWriter& out = replica.text;
    out.Open("replica");
    const std::string* const id = pool.Find("id");
    std::string name = PlainName(absl::StrCat(stem, "-", id == nullptr ? absl::StrCat(pool.line) : *id));
    for (int i = 2; std::find(names_.begin(), names_.end(), name) != names_.end(); ++i) {
      name = PlainName(absl::StrCat(stem, "-", pool.line, "-", i));
    }
    names_.push_back(name);
    out.Text("name", name);
    for (absl::string_view address : absl::StrSplit(*addresses, ',', absl::SkipWhitespace())) {
      out.Text("to", address, absl::StrCat("line ", pool.line, " of ", receivers->value));
      if (!IsAddressAndPort(address)) {
        settings.Attention(receivers, absl::StrCat("line ", pool.line, " of the file: ", address,
                                                   " is no address and port; names of hosts are not looked up"));
      }
    }
    if (const std::string* balance = pool.Find("balance-alg")) {
      if (*balance == "rr") {
        out.Word("balance", "ROUND_ROBIN");
      } else {
        out.Word("balance", "HASH");
        if (*balance != "hash-agent") settings.Remark(receivers, absl::StrCat(*balance, " is by exporter here"));
      }
    }
    if (pool.Find("src_port") != nullptr)
      settings.Attention(receivers, "src_port has no counterpart: the system chooses");
    WriteExporters(receivers, pool, tagged, &out);
    const bool transparent = settings.FlagOf(Setting::kTeeTransparent, plugin, false);
    if (transparent) out.Flag("keep_source", true, From(settings.Of(Setting::kTeeTransparent, plugin)));
    if (const Statement* source = settings.Of(Setting::kSource, plugin); source != nullptr && transparent) {
      settings.Remark(source, "tee_transparent keeps the exporter's own");
    } else if (source != nullptr) {
      if (!base::IpAddress::Parse(source->value)) {
        settings.Fail(source, absl::StrCat("\"", source->value, "\" is no address; give one, such as 192.0.2.1"));
      }
      out.Text("from", source->value, From(source));
    }
    out.Close();
    replicas_.push_back(std::move(replica));
  }
}

void ReplicaImport::Write(const Plugin& plugin, ConfigWriter* out) const {
  for (const Replica& replica : replicas_) {
    if (replica.plugin == &plugin) out->Append(replica.text);
  }
}

}  // namespace flowacct::collector
