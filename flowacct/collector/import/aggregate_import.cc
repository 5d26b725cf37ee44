#include "flowacct/collector/import/aggregate_import.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/import/routing_import.h"
#include "flowacct/flow/template/information_element.h"
#include "flowacct/record/field.h"

namespace flowacct::collector {
namespace {

// Primitives that sum both directions.
struct TwoWay {
  absl::string_view primitive, source, destination;
};
constexpr TwoWay kTwoWay[] = {
    {"sum_host", "src_addr", "dst_addr"}, {"sum_net", "src_net", "dst_net"}, {"sum_as", "src_as", "dst_as"},
    {"sum_port", "src_port", "dst_port"}, {"sum_mac", "src_mac", "dst_mac"},
};

// Fields that routes fill.
constexpr absl::string_view kOfRoutes[] = {
    "as_path",      "std_comm",     "ext_comm",     "lrg_comm",       "local_pref", "med",     "src_as_path",
    "src_std_comm", "src_ext_comm", "src_lrg_comm", "src_local_pref", "src_med",    "src_roa", "dst_roa",
};

// How aggregate_primitives says what a value is.
struct Semantics {
  absl::string_view word;
  record::CustomFieldOptions::Type type;
  absl::string_view ours;
};
constexpr Semantics kSemantics[] = {
    {"u_int", record::CustomFieldOptions::Type::kNumber, "NUMBER"},
    {"str", record::CustomFieldOptions::Type::kText, "TEXT"},
    {"hex", record::CustomFieldOptions::Type::kHex, "HEX"},
    {"mac", record::CustomFieldOptions::Type::kHex, "HEX"},
    {"raw", record::CustomFieldOptions::Type::kHex, "HEX"},
    {"ip", record::CustomFieldOptions::Type::kAddress, "ADDRESS"},
};

// The registry's field that field_type ("83", "637:91") fills; empty if none.
std::string FieldOfElement(absl::string_view type) {
  const std::vector<absl::string_view> parts = absl::StrSplit(type, ':');
  uint32_t pen = 0, element = 0;
  if (parts.size() > 2 || !absl::SimpleAtoi(parts.back(), &element) || element > 65535) return "";
  if (parts.size() == 2 && !absl::SimpleAtoi(parts[0], &pen)) return "";
  const auto* const known = parts.size() == 2 ? flow::FindInformationElement(pen, static_cast<uint16_t>(element))
                                              : flow::FindNetFlow9FieldType(static_cast<uint16_t>(element));
  return known == nullptr || !known->field ? "" : std::string(record::Info(*known->field).name);
}

template <typename Words>
bool Contains(const Words& words, absl::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

}  // namespace

std::string ImportedAggregate::By(absl::string_view instead_of_two) const {
  std::vector<std::string> items = by;
  if (!instead_of_two.empty()) items.insert(items.begin(), std::string(instead_of_two));
  return absl::StrJoin(items, ",");
}

AggregateImport::AggregateImport(ImportContext* context) : context_(context) { ReadPrimitives(); }

void AggregateImport::ReadPrimitives() {
  Settings& settings = context_->settings();
  const Statement* const file = settings.Of(Setting::kAggregatePrimitives);
  if (file == nullptr) return;
  const auto map = context_->ReadMap(file, "its primitives are left out");
  for (const MapLine& line : map ? *map : std::vector<MapLine>()) {
    const std::string* const name = line.Find("name");
    if (name == nullptr) continue;
    Primitive primitive;
    record::CustomFieldOptions& custom = primitive.custom;
    custom.name = absl::AsciiStrToLower(*name);
    if (const std::string* const type = line.Find("field_type")) {
      primitive.field = FieldOfElement(*type);
      custom.element = *type;
    }
    for (const MapLine::Pair& pair : line.pairs) {
      if (pair.key == "packet_ptr") custom.packet.push_back(pair.value);
    }
    const std::string* const length = line.Find("len");
    uint32_t octets = 0;
    // "vlen": whatever the exporter's template says.
    if (length != nullptr && *length != "vlen" && (!absl::SimpleAtoi(*length, &octets) || octets > UINT16_MAX)) {
      primitive.why_not = absl::StrCat("len=", *length, " is no length");
    }
    custom.length = static_cast<uint16_t>(octets);
    const std::string* const semantics = line.Find("semantics");
    const auto meaning =
        std::find_if(std::begin(kSemantics), std::end(kSemantics),
                     [semantics](const Semantics& known) { return semantics != nullptr && known.word == *semantics; });
    if (meaning != std::end(kSemantics)) {
      custom.type = meaning->type;
    } else {
      primitive.why_not = "its semantics are none of u_int, hex, ip, mac, str, raw";
    }
    const std::string key = custom.name;
    primitives_[key] = std::move(primitive);
  }
}

std::string AggregateImport::CustomFieldOf(const Statement* statement, absl::string_view name, Primitive* primitive) {
  if (primitive->used) return primitive->custom.name;
  // Names of ours are taken.
  if (record::FindField(primitive->custom.name)) absl::StrAppend(&primitive->custom.name, "_custom");
  if (primitive->why_not.empty()) {
    used_.push_back(primitive->custom);
    const auto tried = record::CustomFields::New(used_);
    primitive->used = tried.ok();
    if (tried.ok()) return primitive->custom.name;
    used_.pop_back();
    primitive->why_not = std::string(tried.status().message());
  }
  context_->settings().Attention(
      statement,
      absl::StrCat(name, " of aggregate_primitives is left out, so that groups are larger: ", primitive->why_not));
  return "";
}

void AggregateImport::WriteCustomFields(ConfigWriter* out) const {
  for (const record::CustomFieldOptions& custom : used_) {
    out->Open("custom_field");
    out->Text("name", custom.name);
    const auto meaning = std::find_if(std::begin(kSemantics), std::end(kSemantics),
                                      [&custom](const Semantics& known) { return known.type == custom.type; });
    if (custom.type != record::CustomFieldOptions::Type::kNumber) out->Word("type", meaning->ours);
    if (!custom.element.empty()) out->Text("element", custom.element);
    for (const std::string& place : custom.packet) out->Text("packet", place);
    if (custom.length != 0) out->Number("length", custom.length);
    out->Close();
  }
  if (!used_.empty()) out->Blank();
}

std::string AggregateImport::FieldOf(const Statement* statement, absl::string_view primitive) {
  Settings& settings = context_->settings();
  if (const auto known = primitives_.find(primitive); known != primitives_.end()) {
    return known->second.field.empty() ? CustomFieldOf(statement, primitive, &known->second) : known->second.field;
  }
  if (primitive == "class") {
    if (SeesPackets(context_->daemon())) {
      settings.Attention(statement, "class: applications are not told from packets; it is left out");
      return "";
    }
    settings.Remark(statement, "class is application, as the exporter told it");
    return "application";
  }
  if (primitive == "peer_dst_ip" && settings.FlagOf(Setting::kUseIpNextHop, false)) {
    settings.Remark(settings.Of(Setting::kUseIpNextHop),
                    "peer_dst_ip is next_hop here; a BGP next hop that the exporter tells is bgp_next_hop");
    return "next_hop";
  }
  const std::optional<record::FieldId> field = record::FindField(primitive);
  if (!field) {
    settings.Attention(statement,
                       absl::StrCat("no field is called ", primitive, "; it is left out, so that groups are larger"));
    return "";
  }
  std::string name(record::Info(*field).name);
  if (Contains(kOfRoutes, name) && !RoutingImport(context_).active()) {
    settings.Remark(statement, absl::StrCat(name, " needs routes, which bgp_daemon: true would bring"));
  }
  if (name == "tcp_flags") {
    settings.Remark(statement,
                    SeesPackets(context_->daemon()) || context_->daemon() == Daemon::kSfacctd
                        ? "tcpflags is a part of the key: packets with other flags are another group, where pmacct "
                          "ors them"
                        : "tcpflags is a part of the key: flows with other flags are another group, where pmacct ors "
                          "them");
  }
  return name;
}

std::string AggregateImport::NetworkOf(const Plugin& plugin, absl::string_view side) {
  Settings& settings = context_->settings();
  const Statement* const mask = settings.Of(Setting::kNetworksMask, plugin);
  if (mask == nullptr) return "";
  const Statement* const net = settings.Of(Setting::kNet);
  // Packets have no networks of their own: a file that tells some is looked at instead.
  const bool applies = net != nullptr
                           ? net->value == "mask"
                           : SeesPackets(context_->daemon()) && settings.Of(Setting::kNetworksFile, plugin) == nullptr;
  if (!applies) {
    settings.Remark(mask, net == nullptr && SeesPackets(context_->daemon())
                              ? "networks are those of networks_file"
                              : "networks are those that nfacctd_net or its like chose, not cut by a mask");
    return "";
  }
  const auto bits = settings.NumberOf(mask, 0, 128);
  if (!bits) return "";
  return absl::StrCat(side, "_addr/", std::min<uint64_t>(*bits, 32), ",", *bits);
}

ImportedAggregate AggregateImport::Of(const Plugin& plugin, absl::string_view unless_told) {
  Settings& settings = context_->settings();
  const Statement* const statement = settings.Of(Setting::kAggregate, plugin);
  ImportedAggregate aggregate;
  const std::string text = absl::AsciiStrToLower(statement == nullptr ? unless_told : statement->value);
  for (absl::string_view word : absl::StrSplit(text, ',')) {
    word = absl::StripAsciiWhitespace(word);
    if (word.empty() || word == "none") continue;
    if (word == "flows") {
      aggregate.flows = true;
      continue;
    }
    const auto two_way = std::find_if(std::begin(kTwoWay), std::end(kTwoWay),
                                      [word](const TwoWay& two) { return two.primitive == word; });
    if (two_way != std::end(kTwoWay)) {
      aggregate.source = std::string(two_way->source);
      aggregate.destination = std::string(two_way->destination);
      settings.Remark(statement, absl::StrCat(word, " sums both directions: two pipelines here, by ", two_way->source,
                                              " and by ", two_way->destination, ", whose rows are to be added"));
      continue;
    }
    std::string item;
    if (word == "src_net" || word == "dst_net") item = NetworkOf(plugin, word.substr(0, 3));
    if (word == "src_mask" || word == "dst_mask") {
      // The column of a network has its length, too.
      if (!NetworkOf(plugin, word.substr(0, 3)).empty()) continue;
    }
    if (item.empty()) item = FieldOf(statement, word);
    if (!item.empty() && !Contains(aggregate.by, item)) aggregate.by.push_back(std::move(item));
  }
  return aggregate;
}

}  // namespace flowacct::collector
