// The report on generated traffic, against what the generator says that its sessions used.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "flowacct/collector/generate/gtp_traffic.h"
#include "flowacct/collector/generate/pcap_writer.h"
#include "flowacct/collector/sessions/capture_sessions.h"
#include "flowacct/collector/sessions/charged_sessions.h"
#include "flowacct/collector/sessions/roaming_report.h"
#include "gtest/gtest.h"

namespace flowacct::collector {
namespace {

struct Truth : GtpTruthListener {
  void OnSession(const GtpSessionTruth& session) override { sessions.push_back(session); }
  std::vector<GtpSessionTruth> sessions;
};

struct Trace {
  Truth truth;
  int64_t last_nanos = 0;
  std::vector<session::SessionRecord> records;
  std::unique_ptr<CaptureSessions> capture;

  // Not while the trace ended: of those some messages are missing.
  bool IsWhole(int64_t start_nanos) const { return start_nanos < last_nanos - 100'000'000; }
};

const Trace& GeneratedTrace() {
  static const Trace* const trace = [] {
    auto* made = new Trace;
    GtpTrafficOptions options;
    options.packets = 100000;
    options.subscribers = 400;
    options.enodebs = 20;
    options.attach_milliseconds = 2000;
    options.procedure_milliseconds = 3000;
    options.percent_5g = 0;  // whose control plane is not GTP
    options.percent_inbound = 25;
    options.percent_outbound = 25;
    const char* folder = std::getenv("TEST_TMPDIR");
    const std::string path = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/roaming", getpid(), ".pcap");
    auto traffic = NewGtpTraffic(options, &made->truth);
    PcapWriterOptions nanoseconds;
    nanoseconds.nanoseconds = true;
    auto writer = PcapWriter::New(path, nanoseconds);
    if (!traffic.ok() || !writer.ok()) std::abort();
    CapturedPacket packet;
    while ((*traffic)->Next(&packet)) {
      made->last_nanos = packet.time_nanos;
      if (!(*writer)->Write(packet).ok()) std::abort();
    }
    (*traffic)->Finish();
    if (!(*writer)->Close().ok()) std::abort();
    CaptureSessionsOptions capture;
    capture.files = {path};
    auto sessions = CaptureSessions::Load(std::move(capture));
    unlink(path.c_str());
    if (!sessions.ok()) std::abort();
    made->capture = *std::move(sessions);
    made->records = made->capture->TakeRecords();
    return made;
  }();
  return *trace;
}

RoamingReport ReportOf(const Trace& trace, bool all) {
  RoamingOptions options;
  options.all = all;
  RoamingReport report(options);
  for (const session::SessionRecord& record : trace.records) {
    if (!trace.IsWhole(record.facts.start_nanos)) continue;
    EXPECT_TRUE(report.Add(ToRoamingSession(record, trace.capture->text(record.facts.apn))).ok());
  }
  return report;
}

std::vector<GtpSessionTruth> Sessions(const Trace& trace, bool all) {
  std::vector<GtpSessionTruth> sessions;
  for (const GtpSessionTruth& session : trace.truth.sessions) {
    if ((all || session.roaming != GtpRoaming::kHome) && trace.IsWhole(session.start_nanos)) {
      sessions.push_back(session);
    }
  }
  return sessions;
}

// What a partner who makes no mistake charges.
std::string ChargedText(const std::vector<GtpSessionTruth>& sessions) {
  std::string text = GtpSessionTruthHeader();
  for (const GtpSessionTruth& session : sessions) AppendGtpSessionTruth(session, &text);
  return text;
}

RoamingComparison CompareWith(const RoamingReport& report, const std::string& text, uint32_t tolerance_ppm) {
  const auto charged = ParseChargedSessions("charged.csv", text);
  EXPECT_TRUE(charged.ok()) << charged.status();
  RoamingCompareOptions options;
  options.tolerance_ppm = tolerance_ppm;
  return charged.ok() ? report.Compare(*charged, options) : RoamingComparison();
}

// "IMSI charging_id outcome octets"
std::set<std::string> Found(const RoamingComparison& comparison) {
  std::set<std::string> found;
  for (const RoamingDifference& d : comparison.differences) {
    found.insert(absl::StrCat(d.session.imsi.ToString(), " ", d.session.charging_id.value_or(0), " ",
                              RoamingOutcomeName(d.outcome), " ", absl::Uint128Low64(d.octets())));
  }
  return found;
}

TEST(RoamingTruthTest, WhatWasUsedIsExplainedToTheOctet) {
  const Trace& trace = GeneratedTrace();
  for (const bool all : {false, true}) {
    const std::vector<GtpSessionTruth> sessions = Sessions(trace, all);
    ASSERT_GT(sessions.size(), all ? 1000u : 400u);
    const RoamingComparison found = CompareWith(ReportOf(trace, all), ChargedText(sessions), 0);
    EXPECT_EQ(Found(found), std::set<std::string>());
    EXPECT_EQ(found.explained_ppm(), 1'000'000u);
    absl::uint128 octets = 0;
    for (const GtpSessionTruth& s : sessions) octets += s.gateway_volume.bytes_up + s.gateway_volume.bytes_down;
    EXPECT_GT(octets, 1'000'000u);
    EXPECT_EQ(found.all().charged.total(), octets);
    EXPECT_EQ(found.all().seen.total(), octets);
    EXPECT_EQ(found.all().charged_sessions, sessions.size());
  }
}

TEST(RoamingTruthTest, TheReportHasWhatEachNetworksSubscribersUsed) {
  const Trace& trace = GeneratedTrace();
  using Key = std::vector<std::string>;
  std::map<Key, RoamingVolume> want, got;
  for (const GtpSessionTruth& s : Sessions(trace, false)) {
    RoamingVolume& volume = want[{s.visited_plmn.ToString(), s.home_plmn.ToString(), ApnNetwork(s.apn)}];
    volume.up += s.gateway_volume.bytes_up;
    volume.down += s.gateway_volume.bytes_down;
  }
  for (const RoamingRow& row : ReportOf(trace, false).Rows()) {
    EXPECT_EQ(row.day, absl::CivilDay(2023, 11, 14));
    RoamingVolume& volume = got[{row.visited_plmn.ToString(), row.home_plmn.ToString(), row.apn}];
    volume.up += row.bytes_up;
    volume.down += row.bytes_down;
  }
  EXPECT_GT(want.size(), 20u);
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [key, volume] : want) {
    EXPECT_EQ(got[key].up, volume.up) << key[0] << " " << key[1] << " " << key[2];
    EXPECT_EQ(got[key].down, volume.down) << key[0] << " " << key[1] << " " << key[2];
  }
}

TEST(RoamingTruthTest, ExactlyWhatWasChangedIsFound) {
  const Trace& trace = GeneratedTrace();
  std::vector<GtpSessionTruth> sessions = Sessions(trace, false);
  // Every tenth session with traffic is changed, in one way after the other.
  std::set<std::string> want;
  std::vector<GtpSessionTruth> charged;
  absl::uint128 explained = 0, all = 0;
  size_t with_traffic = 0;
  for (const GtpSessionTruth& session : sessions) {
    GtpSessionTruth row = session;
    GtpVolume& volume = row.gateway_volume;
    const uint64_t octets = volume.bytes_up + volume.bytes_down;
    const auto add = [&](absl::string_view outcome, uint64_t off) {
      want.insert(absl::StrCat(row.imsi.ToString(), " ", row.charging_id, " ", outcome, " ", off));
    };
    bool is_explained = true;
    if (octets > 10000 && volume.bytes_up != volume.bytes_down && ++with_traffic % 10 == 0) {
      switch (with_traffic / 10 % 6) {
        case 0:  // two percent too much
          volume.bytes_up += octets / 50;
          add("different", octets / 50);
          is_explained = false;
          break;
        case 1:  // within the tolerance
          volume.bytes_down += octets / 200;
          break;
        case 2: {  // in two parts
          GtpSessionTruth part = row;
          part.gateway_volume.bytes_up = 1;
          volume.bytes_up -= 1;
          part.gateway_volume.bytes_down = 0;
          charged.push_back(part);
          all += 1;
          explained += 1;
          break;
        }
        case 3:  // up for down
          add("different",
              2 * (std::max(volume.bytes_up, volume.bytes_down) - std::min(volume.bytes_up, volume.bytes_down)));
          std::swap(volume.bytes_up, volume.bytes_down);
          is_explained = false;
          break;
        case 4:  // of nobody
          row.charging_id += 1'000'000;
          add("not_seen", octets);
          is_explained = false;
          break;
        case 5:  // too little
          volume.bytes_down -= octets / 40;
          add("different", octets / 40);
          is_explained = false;
          break;
      }
    }
    all += volume.bytes_up + volume.bytes_down;
    if (is_explained) explained += volume.bytes_up + volume.bytes_down;
    charged.push_back(row);
  }
  ASSERT_GT(want.size(), 10u);
  const RoamingComparison comparison = CompareWith(ReportOf(trace, false), ChargedText(charged), 10'000);
  std::set<std::string> found = Found(comparison);
  // What was seen of those whose charging identifiers are wrong now; of each bearer by itself.
  uint64_t not_charged = 0, not_seen = 0;
  for (auto i = found.begin(); i != found.end();) {
    if (absl::StrContains(*i, " not_charged ")) {
      ++not_charged;
      i = found.erase(i);
    } else {
      ++i;
    }
  }
  for (const std::string& what : want) not_seen += absl::StrContains(what, " not_seen ");
  EXPECT_EQ(found, want);
  EXPECT_GE(not_charged, not_seen);
  EXPECT_EQ(comparison.sum(RoamingOutcome::kNotCharged).seen.total(),
            comparison.sum(RoamingOutcome::kNotSeen).charged.total());
  EXPECT_EQ(comparison.all().charged.total(), all);
  EXPECT_EQ(comparison.sum(RoamingOutcome::kExplained).charged.total(), explained);
  EXPECT_EQ(comparison.explained_ppm(), static_cast<uint32_t>(explained * 1'000'000 / all));
}

}  // namespace
}  // namespace flowacct::collector
