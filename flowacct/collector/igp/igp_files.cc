#include "flowacct/collector/igp/igp_files.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/bgp/link_state.h"
#include "flowacct/bgp/update.h"
#include "flowacct/collector/capture/octet_source.h"
#include "flowacct/collector/count_text.h"
#include "flowacct/collector/igp/bgp_ls_topology.h"
#include "flowacct/isis/checksum.h"
#include "flowacct/isis/hello_content.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/tlv_types.h"
#include "flowacct/mrt/reader.h"
#include "flowacct/topology/from_isis.h"
#include "flowacct/topology/igp_daemon_map.h"

namespace flowacct::collector {
namespace {

using topology::NodeStyle;

// A topology of 10,000 routers is some megabytes.
constexpr size_t kMaxTextOctets = size_t{256} << 20;
constexpr size_t kHeadOctets = 512;
constexpr size_t kBlock = size_t{256} << 10;

// RFC 6396, 2: a time, then a type, of which IANA's highest is 49.
bool LooksLikeMrt(const std::string& head) {
  return head.size() >= 12 && head[4] == 0 && head[5] > 0 && head[5] <= 49 && head[6] == 0;
}

// The first line that says something: pmacct's maps have NAME=VALUE from the first word on.
bool LooksLikeDaemonMap(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text.substr(0, 65536), '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#' || line[0] == '!') continue;
    return absl::StartsWith(line, "node=") || absl::StartsWith(line, "area_id=") ||
           absl::StrContains(line.substr(0, line.find(' ')), "_metric=");
  }
  return false;
}

// What UPDATEs say of link state.
class LinkStateListener : public mrt::Listener {
 public:
  explicit LinkStateListener(BgpLsTopology* topology, std::function<void(int64_t)> changed)
      : topology_(topology), changed_(std::move(changed)) {}

  void OnMessage(const mrt::BgpMessage& message) override {
    if (message.type != bgp::MessageType::kUpdate) return;
    bgp::DecodeUpdate(message.message, message.context, &update_, &counters_);
    if (update_.action() == bgp::ErrorAction::kSessionReset) return;
    Take(update_.withdrawn(), nullptr);
    bgp::LinkStateAttribute attribute;
    const bgp::AttributeView* const found = update_.Find(bgp::AttributeCode::kLinkStateAttribute);
    if (found != nullptr && !bgp::ReadLinkStateAttribute(found->value, &attribute).ok()) {
      ++malformed;
      attribute = bgp::LinkStateAttribute();  // RFC 9552, 8.2.2
    }
    Take(update_.announced(), &attribute);
    changed_(absl::ToUnixNanos(message.ends.time));
  }

  uint64_t objects = 0, malformed = 0;

 private:
  void Take(absl::Span<const bgp::NlriSection> sections, const bgp::LinkStateAttribute* attribute) {
    for (const bgp::NlriSection& section : sections) {
      if (!bgp::FamilySet::LinkState().Has(section.family)) continue;
      const bool vpn = section.family == bgp::Family::kLinkStateVpn;
      bgp::VisitLinkStateNlri(
          section.octets, vpn, section.add_path, [&](const base::DecodeResult& result, const bgp::LinkStateNlri& nlri) {
            ++(result.ok() ? objects : malformed);
            if (!result.ok()) return;
            attribute != nullptr ? topology_->Announce(nlri, *attribute) : topology_->Withdraw(nlri);
          });
    }
  }

  BgpLsTopology* const topology_;
  const std::function<void(int64_t)> changed_;
  bgp::Update update_;
  bgp::UpdateCounters counters_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<IgpFiles>> IgpFiles::Load(IgpFilesOptions options) {
  std::unique_ptr<IgpFiles> igp(new IgpFiles(std::move(options)));
  for (const std::string& file : igp->options_.files) {
    if (const absl::Status status = igp->LoadFile(file); !status.ok()) return status;
  }
  if (igp->database_ == nullptr) igp->database_ = std::make_unique<topology::LinkStateDatabase>(igp->options_.database);
  for (auto& [key, speaker] : igp->speakers_) igp->speakers_list_.push_back(std::move(speaker));
  const topology::LinkStateDatabase& database = *igp->database_;
  if (database.refused() > 0 || igp->counters_.beyond_bound > 0) {
    igp->summary_.push_back(
        absl::StrCat(Count(database.refused() + igp->counters_.beyond_bound, "advertisement"), " beyond the bounds"));
  }
  return igp;
}

absl::Status IgpFiles::SetStyle(NodeStyle style, const std::string& file) {
  if (database_ == nullptr) {
    topology::LinkStateDatabaseOptions options = options_.database;
    options.style = style;
    database_ = std::make_unique<topology::LinkStateDatabase>(options);
  }
  if (database_->style() == style) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(file, ": its routers are named as ", style == NodeStyle::kIsis ? "IS-IS" : "OSPF",
                   " does, those of the files before otherwise; a topology is of one protocol"));
}

// A text whole, or standard input, which cannot be opened twice.
absl::StatusOr<std::string> IgpFiles::Slurp(const std::string& file) const {
  auto source = OpenFileSource(file, options_.interrupted);
  if (!source.ok()) return absl::Status(source.status().code(), absl::StrCat(file, ": ", source.status().message()));
  auto plain = Decompressed(*std::move(source), CaptureReaderOptions().max_zstd_window_octets);
  std::string octets;
  absl::Status status = plain.status();
  while (status.ok()) {
    const size_t begin = octets.size();
    if (begin > kMaxTextOctets) {
      status = absl::ResourceExhaustedError(absl::StrCat("more than ", kMaxTextOctets, " octets are no topology"));
      break;
    }
    octets.resize(begin + kBlock);
    const absl::StatusOr<size_t> read = (*plain)->Read(reinterpret_cast<uint8_t*>(octets.data()) + begin, kBlock);
    octets.resize(begin + (read.ok() ? *read : 0));
    status = read.status();
    if (read.ok() && *read == 0) return octets;
  }
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

absl::StatusOr<std::string> IgpFiles::Head(const std::string& file) const {
  auto source = OpenFileSource(file, options_.interrupted);
  if (!source.ok()) return absl::Status(source.status().code(), absl::StrCat(file, ": ", source.status().message()));
  auto plain = Decompressed(*std::move(source), CaptureReaderOptions().max_zstd_window_octets);
  std::string head;
  absl::Status status = plain.status();
  while (status.ok() && head.size() < kHeadOctets) {
    const size_t begin = head.size();
    head.resize(kHeadOctets);
    const absl::StatusOr<size_t> read =
        (*plain)->Read(reinterpret_cast<uint8_t*>(head.data()) + begin, kHeadOctets - begin);
    head.resize(begin + (read.ok() ? *read : 0));
    status = read.status();
    if (read.ok() && *read == 0) break;
  }
  if (!status.ok()) return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
  return head;
}

absl::Status IgpFiles::LoadFile(const std::string& file) {
  // Standard input comes once: it is held whole.
  std::string held;
  absl::StatusOr<std::string> head = file == "-" ? Slurp(file) : Head(file);
  if (!head.ok()) return head.status();
  if (file == "-") {
    held = *std::move(head);
    head = held.substr(0, kHeadOctets);
  }
  auto reader = file == "-" ? CaptureReader::OpenBuffer(held, file) : CaptureReader::Open(file, Reading());
  if (reader.ok()) return LoadCapture(**reader);
  if (!absl::IsInvalidArgument(reader.status())) return reader.status();  // else it is none
  if (LooksLikeMrt(*head)) {
    auto mrt = file == "-" ? MrtFile::OfOctets(std::move(held), file) : MrtFile::Open(file, options_.interrupted);
    return mrt.ok() ? LoadMrt(**mrt) : mrt.status();
  }
  if (head->find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": is neither a capture, MRT, nor a topology in text ('flowacct igp --help' tells of these)"));
  }
  if (file == "-") return LoadText(file, held);
  auto text = Slurp(file);
  return text.ok() ? LoadText(file, *text) : text.status();
}

CaptureReaderOptions IgpFiles::Reading() const {
  CaptureReaderOptions reading;
  reading.interrupted = options_.interrupted;
  return reading;
}

absl::Status IgpFiles::LoadCapture(CaptureReader& reader) {
  const IgpFileCounters before = counters_;
  uint64_t batches = 0;
  for (;;) {
    if (options_.interrupted && options_.interrupted()) return absl::CancelledError("interrupted");
    const auto packets = reader.NextBatch();
    if (!packets.ok()) return packets.status();
    if (packets->empty()) break;
    for (const CapturedPacket& packet : *packets) {
      ++counters_.packets;
      isis::CarriedPdu carried;
      const isis::EncapsulationResult result = isis::UnwrapCaptured(packet.link_type, packet.octets, &carried);
      ++counters_.encapsulations[static_cast<size_t>(result)];
      if (result != isis::EncapsulationResult::kOk) continue;
      if (database_ == nullptr || database_->style() != NodeStyle::kIsis) {
        if (const absl::Status status = SetStyle(NodeStyle::kIsis, reader.name()); !status.ok()) return status;
      }
      TakePdu(carried, packet.time_nanos);
    }
    if (++batches % 64 == 0 && options_.progress) options_.progress(reader);
  }
  std::string line = absl::StrCat(Count(counters_.packets - before.packets, "packet"), " from ", reader.name(), ": ",
                                  Count(counters_.pdus - before.pdus, "PDU"), " of IS-IS, ",
                                  Count(counters_.lsps - before.lsps, "LSP"));
  const auto tell = [&](uint64_t IgpFileCounters::*counter, const char* what) {
    if (const uint64_t n = counters_.*counter - before.*counter; n > 0) absl::StrAppend(&line, ", ", n, " ", what);
  };
  tell(&IgpFileCounters::malformed_pdus, "malformed PDUs");
  tell(&IgpFileCounters::wrong_checksums, "LSPs with a wrong checksum");
  tell(&IgpFileCounters::malformed_lsps, "LSPs with malformed contents");
  summary_.push_back(std::move(line));
  return absl::OkStatus();
}

void IgpFiles::TakePdu(const isis::CarriedPdu& carried, int64_t time_nanos) {
  isis::PduView pdu;
  if (!isis::PduView::Parse(carried.pdu, &pdu).ok()) {
    ++counters_.malformed_pdus;
    return;
  }
  ++counters_.pdus;
  ++counters_.by_type[std::string(pdu.info().name)];
  switch (pdu.kind()) {
    case isis::PduKind::kLsp:
      ++counters_.lsps;
      TakeLsp(pdu, time_nanos);
      break;
    case isis::PduKind::kLanHello:
    case isis::PduKind::kPointToPointHello:
      TakeHello(pdu, carried, time_nanos);
      break;
    default:
      break;
  }
}

void IgpFiles::TakeLsp(const isis::PduView& pdu, int64_t time_nanos) {
  const isis::Level level = pdu.level();
  const isis::LspId id = pdu.lsp_id();
  const bool purge = pdu.remaining_seconds() == 0;
  // A purge's checksum may be that of what it purges, without which it cannot be right (ISO 10589, 7.3.16.4).
  if (!purge && !isis::LspChecksumIsRight(pdu.octets())) {
    ++counters_.wrong_checksums;
    return;
  }
  const std::pair<uint8_t, isis::LspId> name = {static_cast<uint8_t>(level), id};
  auto known = lsps_.find(name);
  if (known == lsps_.end()) {
    if (lsps_.size() >= options_.max_speakers) {
      ++counters_.beyond_bound;
      return;
    }
    known = lsps_.try_emplace(name).first;
  } else if (LspMemory& last = known->second;
             pdu.sequence() < last.sequence || (pdu.sequence() == last.sequence && (last.purged || !purge))) {
    counters_.older_lsps += pdu.sequence() < last.sequence;
    // The same again. After a purge of that number only a higher one counts (ISO 10589, 7.3.16.2).
    return;
  }
  known->second = {pdu.sequence(), purge};
  if (purge) {
    ++counters_.purges;
    database_->Remove(topology::KeyOf(level, id), time_nanos);
    return;
  }
  isis::LspContent content;
  if (!isis::ReadLspContent(pdu.tlvs(), &content).ok()) ++counters_.malformed_lsps;  // what was read before counts
  database_->Apply(topology::AdvertisementOf(level, id, pdu.sequence(), pdu.lsp_flags(), content), time_nanos);
}

void IgpFiles::TakeHello(const isis::PduView& pdu, const isis::CarriedPdu& carried, int64_t time_nanos) {
  const bool lan = pdu.kind() == isis::PduKind::kLanHello;
  const uint8_t levels = lan ? static_cast<uint8_t>(pdu.level()) : pdu.circuit_levels();
  // One system may have several circuits in a capture: the Ethernet or GRE address tells them apart.
  const std::string where =
      carried.outer_source == base::IpAddress() ? carried.source.ToString() : carried.outer_source.ToString();
  const SpeakerKey key = {pdu.hello_source(), levels, where};
  auto found = speakers_.find(key);
  if (found == speakers_.end()) {
    if (speakers_.size() >= options_.max_speakers) {
      ++counters_.beyond_bound;
      return;
    }
    found = speakers_.try_emplace(key).first;
    found->second.first_nanos = time_nanos;
  }
  HelloSpeaker& speaker = found->second;
  ++speaker.hellos;
  speaker.last_nanos = time_nanos;
  speaker.levels = levels;
  speaker.lan = lan;
  speaker.system = pdu.hello_source();
  speaker.holding_seconds = pdu.holding_seconds();
  speaker.where = where;
  if (lan) {
    speaker.lan_id = pdu.lan_id();
    speaker.priority = pdu.priority();
  }
  isis::HelloContent content;
  if (!isis::ReadHelloContent(pdu.tlvs(), &content).ok()) {
    ++counters_.malformed_pdus;
    return;
  }
  speaker.areas = content.areas;
  speaker.addresses = content.interface_addresses;
  speaker.topologies.clear();
  for (const isis::TopologyMembership& m : content.topologies) speaker.topologies.push_back(m.topology);
  speaker.sees.clear();
  for (const base::MacAddress& mac : content.lan_neighbors) speaker.sees.push_back(mac.ToString());
  if (content.three_way && content.three_way->neighbor) speaker.sees.push_back(content.three_way->neighbor->ToString());
  isis::TlvReader tlvs(pdu.tlvs());
  speaker.authenticated = false;
  for (isis::Tlv tlv; tlvs.Next(&tlv);) speaker.authenticated |= tlv.type == isis::kTlvAuthentication;
}

absl::Status IgpFiles::LoadText(const std::string& file, const std::string& text) {
  std::vector<topology::Advertisement> advertisements;
  NodeStyle style = NodeStyle::kIsis;
  if (LooksLikeDaemonMap(text)) {
    auto map = topology::ParseIgpDaemonMap(text, file);
    if (!map.ok()) return map.status();
    advertisements = *std::move(map);
  } else {
    auto parsed = topology::ParseTopologyFile(text, file);
    if (!parsed.ok()) return parsed.status();
    style = parsed->style;
    advertisements = std::move(parsed->advertisements);
    groups_.insert(groups_.end(), parsed->groups.begin(), parsed->groups.end());
  }
  if (const absl::Status status = SetStyle(style, file); !status.ok()) return status;
  summary_.push_back(absl::StrCat(Count(advertisements.size(), "advertisement"), " from ", file));
  for (topology::Advertisement& advertisement : advertisements) database_->Apply(std::move(advertisement), 0);
  return absl::OkStatus();
}

absl::Status IgpFiles::LoadMrt(MrtFile& file) {
  BgpLsTopology objects;
  absl::Status style_status;
  LinkStateListener listener(&objects, [&](int64_t time_nanos) {
    if (!objects.style() || !style_status.ok()) return;
    style_status = SetStyle(*objects.style(), file.name());
    if (!style_status.ok()) return;
    objects.TakeChanges([&](const topology::Advertisement& changed) { database_->Apply(changed, time_nanos); },
                        [&](const topology::AdvertisementKey& gone) { database_->Remove(gone, time_nanos); });
  });
  mrt::Reader reader(&listener);
  for (;;) {
    if (options_.interrupted && options_.interrupted()) return absl::CancelledError("interrupted");
    const absl::StatusOr<base::Octets> block = file.Next();
    if (!block.ok()) return block.status();
    if (block->empty()) break;
    reader.Read(*block);
  }
  reader.End();
  if (!style_status.ok()) return style_status;
  counters_.beyond_bound += objects.counters().beyond_bound;
  summary_.push_back(absl::StrCat(Count(reader.counters().records, "record"), " from ", file.name(), ": ",
                                  Count(listener.objects, "object"), " of BGP-LS",
                                  listener.malformed > 0 ? absl::StrCat(", ", listener.malformed, " malformed") : ""));
  if (listener.objects == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.name(), ": no BGP-LS in it (UPDATEs of AFI 16388); tables and routes of IP tell of no topology"));
  }
  return absl::OkStatus();
}

}  // namespace flowacct::collector
