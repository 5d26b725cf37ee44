#include "flowacct/collector/top/rates.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/collector/admin/identity.h"

namespace flowacct::collector {
namespace {

// Turns differences into rates.
class Per {
 public:
  explicit Per(absl::Duration elapsed) : seconds_(absl::ToDoubleSeconds(elapsed)) {}
  double operator()(uint64_t before, uint64_t now) const {
    return now <= before || seconds_ <= 0 ? 0 : static_cast<double>(now - before) / seconds_;
  }

 private:
  double seconds_;
};

// The one with this name, or one of zeros.
template <typename T>
T Named(const std::vector<T>* all, absl::string_view name, std::string T::*member) {
  if (all != nullptr) {
    for (const T& one : *all) {
      if (one.*member == name) return one;
    }
  }
  return T();
}

InputRates Between(const InputStatus& before, const InputStatus& now, const Per& per) {
  InputRates rates;
  rates.received = per(before.received, now.received);
  rates.octets = per(before.received_octets, now.received_octets);
  rates.records = per(before.records, now.records);
  rates.kernel_dropped = per(before.kernel_dropped, now.kernel_dropped);
  rates.rejected = per(RejectedBy(before), RejectedBy(now));
  return rates;
}

PipelineRates Between(const PipelineStatus& before, const PipelineStatus& now, const Per& per) {
  PipelineRates rates;
  rates.records = per(before.records_in, now.records_in);
  rates.aggregated = per(before.records_aggregated, now.records_aggregated);
  rates.filtered = per(before.records_filtered, now.records_filtered);
  rates.dropped = per(before.records_dropped, now.records_dropped);
  rates.late = per(before.records_late, now.records_late);
  rates.overflowed = per(before.records_overflowed, now.records_overflowed);
  rates.packets = per(before.packets, now.packets);
  rates.bytes = per(before.bytes, now.bytes);
  for (const SinkStatus& sink : now.sinks) {
    const SinkStatus was = Named(&before.sinks, sink.name, &SinkStatus::name);
    rates.sinks.push_back({per(was.rows_written, sink.rows_written), per(was.rows_lost, sink.rows_lost)});
  }
  return rates;
}

}  // namespace

StatusRates RatesOf(const CollectorStatus* before, const CollectorStatus& now) {
  if (before != nullptr && before->started != now.started) before = nullptr;
  StatusRates rates;
  rates.elapsed = now.now - (before != nullptr ? before->now : now.started);
  const Per per(rates.elapsed);
  for (const InputStatus& input : now.inputs) {
    const InputStatus was = Named(before == nullptr ? nullptr : &before->inputs, input.name, &InputStatus::name);
    const InputRates& of = rates.inputs.emplace_back(Between(was, input, per));
    rates.total.received += of.received;
    rates.total.octets += of.octets;
    rates.total.records += of.records;
    rates.total.kernel_dropped += of.kernel_dropped;
    rates.total.rejected += of.rejected;
  }
  for (const PipelineStatus& pipeline : now.pipelines) {
    rates.pipelines.push_back(Between(
        Named(before == nullptr ? nullptr : &before->pipelines, pipeline.name, &PipelineStatus::name), pipeline, per));
  }
  for (const ReplicaStatus& replica : now.replicas) {
    const ReplicaStatus was =
        Named(before == nullptr ? nullptr : &before->replicas, replica.name, &ReplicaStatus::name);
    std::vector<ReceiverRates>& receivers = rates.replicas.emplace_back();
    for (const ReplicaReceiverStatus& to : replica.receivers) {
      const ReplicaReceiverStatus of = Named(&was.receivers, to.to, &ReplicaReceiverStatus::to);
      receivers.push_back({per(of.sent, to.sent), per(of.dropped, to.dropped), per(of.errors, to.errors)});
    }
  }
  return rates;
}

std::vector<ExporterRates> RatesOf(const std::vector<record::ExporterReport>& before,
                                   const std::vector<record::ExporterReport>& now, absl::Duration elapsed) {
  using Key = std::tuple<base::IpAddress, absl::string_view, uint32_t>;
  absl::flat_hash_map<Key, const record::ExporterReport*> index;
  for (const record::ExporterReport& report : before) {
    if (report.scope != record::ExporterScope::kDomain) continue;
    index[Key(report.exporter, report.protocol, report.domain)] = &report;
  }
  const record::ExporterReport none;
  const Per per(elapsed);
  std::vector<ExporterRates> rates;
  rates.reserve(now.size());
  for (const record::ExporterReport& report : now) {
    if (report.scope != record::ExporterScope::kDomain) continue;
    const auto found = index.find(Key(report.exporter, report.protocol, report.domain));
    const record::ExporterReport& was = found == index.end() ? none : *found->second;
    ExporterRates& of = rates.emplace_back();
    of.exporter = report.exporter.ToString();
    of.protocol = std::string(report.protocol);
    of.domain = report.domain;
    of.datagrams = per(was.datagrams, report.datagrams);
    of.octets = per(was.octets, report.octets);
    of.records = per(was.flow_records + was.reverse_records, report.flow_records + report.reverse_records);
    of.errors = per(was.errors.errors(), report.errors.errors());
    of.lost = per(was.sequence.lost, report.sequence.lost);
    of.lost_total = report.sequence.lost;
    of.unit = std::string(report.sequence.unit);
    of.coverage = Coverage(report);
  }
  std::stable_sort(rates.begin(), rates.end(), [](const ExporterRates& a, const ExporterRates& b) {
    return std::tie(a.records, a.datagrams) > std::tie(b.records, b.datagrams);
  });
  return rates;
}

std::vector<double> RatesOf(const QueryAnswer& before, const QueryAnswer& now, size_t column, absl::Duration elapsed) {
  std::vector<double> rates(now.rows.size(), -1);
  if (before.columns != now.columns || column >= now.columns.size()) return rates;
  const auto key_of = [](const QueryAnswer& answer, const std::vector<QueryAnswer::Cell>& row) {
    std::string key;
    for (size_t i = 0; i < row.size(); ++i) {
      if (!answer.IsCounter(i)) absl::StrAppend(&key, static_cast<int>(row[i].kind), row[i].text, std::string(1, '\0'));
    }
    return key;
  };
  absl::flat_hash_map<std::string, uint64_t> index;
  for (const std::vector<QueryAnswer::Cell>& row : before.rows) {
    uint64_t value = 0;
    if (absl::SimpleAtoi(row[column].text, &value)) index[key_of(before, row)] = value;
  }
  for (size_t i = 0; i < now.rows.size(); ++i) {
    const auto found = index.find(key_of(now, now.rows[i]));
    uint64_t value = 0;
    if (found == index.end() || !absl::SimpleAtoi(now.rows[i][column].text, &value) || value < found->second) continue;
    rates[i] = Per(elapsed)(found->second, value);
  }
  return rates;
}

std::string RateText(double rate) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  if (!(rate > 0)) return "0";
  size_t prefix = 0;
  // 999.5 would be shown as 1000.
  while (rate >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    rate /= 1000;
    ++prefix;
  }
  if (prefix == 0 && (rate >= 9.95 || rate == std::floor(rate))) return absl::StrFormat("%.0f", rate);
  if (rate < 0.01) return "<0.01";
  const int decimals = rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0;
  return absl::StrFormat("%.*f%s", decimals, rate, kPrefixes[prefix]);
}

}  // namespace flowacct::collector
