#include "flowacct/collector/generate/gtp_traffic.h"

#include <cstdio>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "flowacct/collector/generate/gtp_simulation.h"

namespace flowacct::collector {

namespace {

struct TapInfo {
  absl::string_view name, interface;
};
constexpr TapInfo kTaps[] = {
#define X(name, text, interface) {text, interface},
    FLOWACCT_GTP_TAPS(X)
#undef X
};

std::string TapNames() {
  std::string names;
  for (const TapInfo& tap : kTaps) absl::StrAppend(&names, names.empty() ? "" : ", ", tap.name);
  return names;
}

// Seconds since 1970 with nine digits of the second.
void AppendTime(int64_t nanos, std::string* out) {
  char text[32];
  std::snprintf(text, sizeof(text), "%lld.%09lld", static_cast<long long>(nanos / 1000000000),
                static_cast<long long>(nanos % 1000000000));
  out->append(text);
}

absl::Status OutOfRange(absl::string_view name, double value, absl::string_view range) {
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", value, "; give ", range));
}

}  // namespace

absl::StatusOr<uint16_t> ParseGtpTaps(absl::string_view text) {
  uint16_t taps = 0;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    size_t i = 0;
    while (i < std::size(kTaps) && kTaps[i].name != name) ++i;
    if (i == std::size(kTaps)) {
      return absl::InvalidArgumentError(absl::StrCat("there is no tap '", name, "'; there are ", TapNames()));
    }
    taps = static_cast<uint16_t>(taps | 1u << i);
  }
  return taps;
}

absl::string_view GtpKnowledgeName(GtpKnowledge knowledge) {
  constexpr absl::string_view kNames[] = {"direct", "linked", "no"};
  return kNames[static_cast<size_t>(knowledge)];
}

absl::StatusOr<std::unique_ptr<GtpTrafficGenerator>> NewGtpTraffic(const GtpTrafficOptions& given,
                                                                   GtpTruthListener* listener) {
  GtpTrafficOptions options = given;
  if (options.home_plmn.empty()) options.home_plmn = *base::Digits::Parse("26242");
  // 2^22: as many as there are shared addresses for (RFC 6598).
  constexpr uint32_t kMaxSubscribers = 1 << 22, kMaxEnodebs = 20000;
  constexpr uint32_t kMinReuse = 200, kMinRestart = 1000;  // longer than what is under way
  if (options.subscribers == 0 || options.subscribers > kMaxSubscribers) {
    return OutOfRange("subscribers", options.subscribers, absl::StrCat("1 to ", kMaxSubscribers));
  }
  if (options.enodebs < 2 || options.enodebs > kMaxEnodebs) {
    return OutOfRange("enodebs", options.enodebs, absl::StrCat("2 to ", kMaxEnodebs));
  }
  const struct {
    absl::string_view name;
    double value;
  } kPercents[] = {
      {"percent_3g", static_cast<double>(options.percent_3g)},
      {"percent_5g", static_cast<double>(options.percent_5g)},
      {"percent_3g + percent_5g", static_cast<double>(options.percent_3g + options.percent_5g)},
      {"percent_inbound", static_cast<double>(options.percent_inbound)},
      {"percent_outbound", static_cast<double>(options.percent_outbound)},
      {"percent_inbound + percent_outbound", static_cast<double>(options.percent_inbound + options.percent_outbound)},
      {"percent_v6_transport", static_cast<double>(options.percent_v6_transport)},
      {"percent_refused", static_cast<double>(options.percent_refused)},
      {"percent_repeated", options.percent_repeated},
      {"percent_lost", options.percent_lost},
      {"percent_early", static_cast<double>(options.percent_early)},
  };
  for (const auto& percent : kPercents) {
    if (!(percent.value >= 0 && percent.value <= 100)) return OutOfRange(percent.name, percent.value, "0 to 100");
  }
  if (options.procedure_milliseconds < 100 || options.procedure_milliseconds > 2000000) {
    return OutOfRange("procedure_milliseconds", options.procedure_milliseconds, "100 to 2000000");
  }
  if (options.burst_milliseconds == 0 || options.burst_milliseconds > 2000000) {
    return OutOfRange("burst_milliseconds", options.burst_milliseconds, "1 to 2000000");
  }
  if (options.teid_reuse_milliseconds < kMinReuse) {
    return OutOfRange("teid_reuse_milliseconds", options.teid_reuse_milliseconds, absl::StrCat("at least ", kMinReuse));
  }
  if (options.restart_milliseconds != 0 && options.restart_milliseconds < kMinRestart) {
    return OutOfRange("restart_milliseconds", options.restart_milliseconds,
                      absl::StrCat("0, or at least ", kMinRestart));
  }
  if (options.home_plmn.is_pseudonym() || options.home_plmn.size() < 5 || options.home_plmn.size() > 6) {
    return absl::InvalidArgumentError(
        absl::StrCat("home_plmn is '", options.home_plmn.ToString(), "'; give five or six digits"));
  }
  return std::unique_ptr<GtpTrafficGenerator>(new GtpSimulation(options, listener));
}

std::string GtpTrafficTruthJson(const GtpTrafficTruth& truth) {
  std::string out =
      absl::StrCat("{\"frames\":", truth.frames, ",\"control_messages\":", truth.control_messages,
                   ",\"user_packets\":", truth.user_packets, ",\"user_octets\":", truth.user_octets,
                   ",\"lost_messages\":", truth.lost_messages, ",\"repeated_messages\":", truth.repeated_messages,
                   ",\"early_bursts\":", truth.early_bursts, ",\"reused_teids\":", truth.reused_teids,
                   ",\"sessions\":", truth.sessions, ",\"known\":{");
  for (size_t i = 0; i < truth.user_packets_by_knowledge.size(); ++i) {
    absl::StrAppend(&out, i > 0 ? "," : "", "\"", GtpKnowledgeName(static_cast<GtpKnowledge>(i)),
                    "\":", truth.user_packets_by_knowledge[i]);
  }
  absl::StrAppend(&out, "},\"procedures\":{");
  for (size_t i = 0; i < kGtpProcedures; ++i) {
    absl::StrAppend(&out, i > 0 ? "," : "", "\"", GtpProcedureName(static_cast<GtpProcedure>(i)),
                    "\":", truth.procedures[i]);
  }
  absl::StrAppend(&out, "}}");
  return out;
}

std::string GtpUserTruthHeader() {
  return "packet,time,source,destination,teid,imsi,apn,direction,interface,ebi,inner_octets,known,session\n";
}

void AppendGtpUserTruth(const GtpUserTruth& truth, std::string* out) {
  absl::StrAppend(out, truth.packet, ",");
  AppendTime(truth.time_nanos, out);
  absl::StrAppend(out, ",", truth.source.ToString(), ",", truth.destination.ToString(), ",", truth.teid, ",",
                  truth.imsi.ToString(), ",", truth.apn, ",", truth.up ? "up" : "down", ",",
                  kTaps[static_cast<size_t>(truth.interface)].interface, ",", truth.ebi, ",", truth.inner_octets, ",");
  absl::StrAppend(out, GtpKnowledgeName(truth.known), ",", truth.session, "\n");
}

std::string GtpSessionTruthHeader() {
  return "session,imsi,msisdn,imei,home_plmn,visited_plmn,roaming,apn,ue_v4,ue_v6,gateway,charging_id,start,end,cause,"
         "packets_up,bytes_up,packets_down,bytes_down,radio_packets_up,radio_bytes_up,radio_packets_down,"
         "radio_bytes_down,moves\n";
}

void AppendGtpSessionTruth(const GtpSessionTruth& truth, std::string* out) {
  absl::StrAppend(out, truth.session, ",", truth.imsi.ToString(), ",", truth.msisdn.ToString(), ",",
                  truth.imei.ToString(), ",", truth.home_plmn.ToString(), ",", truth.visited_plmn.ToString(), ",",
                  GtpRoamingName(truth.roaming), ",", truth.apn, ",", truth.ue.v4 ? truth.ue.v4->ToString() : "", ",");
  if (truth.ue.v6) absl::StrAppend(out, truth.ue.v6->ToString(), "/", truth.ue.v6_length);
  absl::StrAppend(out, ",", truth.gateway.ToString(), ",", truth.charging_id, ",");
  AppendTime(truth.start_nanos, out);
  absl::StrAppend(out, ",");
  if (truth.end_nanos != 0) AppendTime(truth.end_nanos, out);
  absl::StrAppend(out, ",", truth.cause);
  for (const GtpVolume& v : {truth.gateway_volume, truth.radio_volume}) {
    absl::StrAppend(out, ",", v.packets_up, ",", v.bytes_up, ",", v.packets_down, ",", v.bytes_down);
  }
  absl::StrAppend(out, ",", truth.moves, "\n");
}

}  // namespace flowacct::collector
