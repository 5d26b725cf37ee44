#include "flowacct/collector/probe/export_sender.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "flowacct/collector/socket/endpoint.h"
#include "flowacct/collector/transport/udp_transport.h"

namespace flowacct::collector {
namespace {

// Between two looks at the clock.
constexpr uint64_t kBurst = 16;
// Of IPFIX, the one protocol that goes over connections (RFC 7011, 3.1).
constexpr size_t kLengthOffset = 2, kSequenceOffset = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<ExportSender>> ExportSender::New(ExportSenderOptions options) {
  auto transport = Transport::New(options.transport);
  if (!transport.ok()) return transport.status();
  return absl::WrapUnique(new ExportSender(std::move(options), *std::move(transport)));
}

ExportSender::ExportSender(ExportSenderOptions options, std::unique_ptr<Transport> transport)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      sessions_(transport_->to().scheme != EndpointScheme::kUdp) {}

base::IpAddress ExportSender::from() const {
  return sessions_ ? base::IpAddress::V4(0) : static_cast<const UdpTransport&>(*transport_).from().address;
}

absl::Status ExportSender::Send(base::Octets datagram, uint64_t rows) {
  return sessions_ ? SendMessage(datagram, rows) : SendDatagram(datagram, rows);
}

absl::Status ExportSender::SendDatagram(base::Octets datagram, uint64_t rows) {
  Pace();
  const absl::Status status = transport_->Send(datagram);
  TakeRefusals();
  last_rows_ = status.ok() ? rows : 0;
  return status;
}

void ExportSender::TakeRefusals() {
  const uint64_t refused = transport_->counters().refused;
  if (refused == refused_) return;
  refused_ = refused;
  rows_lost_ += std::exchange(last_rows_, 0);
}

absl::Status ExportSender::SendMessage(base::Octets message, uint64_t rows) {
  WaitForRoom(message.size());
  TakeSent();
  const uint32_t sequence = base::LoadBe32(message.data() + kSequenceOffset);
  GivePreamble(queued_.empty() ? sequence : queued_.front().sequence);
  absl::Status status = transport_->Send(message);
  if (!status.ok()) return status;
  queued_.push_back({rows, sequence});
  queued_rows_ += rows;
  return status;
}

void ExportSender::TakeSent() {
  for (const uint64_t sent = transport_->counters().sent; sent_ < sent; ++sent_) {
    queued_rows_ -= queued_.front().rows;
    queued_.pop_front();
  }
}

void ExportSender::SetPreamble(base::Octets messages, uint32_t data_records) {
  preamble_.assign(messages.begin(), messages.end());
  preamble_records_ = data_records;
  TakeSent();
}

void ExportSender::GivePreamble(uint32_t next_sequence) {
  if (preamble_.empty()) return;
  std::vector<uint8_t> messages = preamble_;
  for (size_t at = 0; at < messages.size(); at += base::LoadBe16(messages.data() + at + kLengthOffset)) {
    uint8_t* sequence = messages.data() + at + kSequenceOffset;
    base::StoreBe32(sequence, base::LoadBe32(sequence) + next_sequence - preamble_records_);
  }
  transport_->SetPreamble(messages);
}

void ExportSender::Settle() {
  if (!sessions_) {
    transport_->Settle();
    TakeRefusals();
    refused_lately_ = refused_ - std::exchange(refused_at_settle_, refused_);
    return;
  }
  TakeSent();
  const TransportCounters counters = transport_->counters();
  unacknowledged_lately_ =
      counters.octets_unacknowledged - std::exchange(unacknowledged_, counters.octets_unacknowledged);
}

std::string ExportSender::trouble() const {
  const std::string to = transport_->to().ToString();
  if (!sessions_) {
    if (refused_lately_ == 0) return "";
    return absl::StrCat(to, ": nobody listens there: ", refused_lately_, " datagrams were refused");
  }
  std::string text;
  if (unacknowledged_lately_ > 0) {
    absl::StrAppend(&text, to, ": the connection broke: up to ", unacknowledged_lately_,
                    " octets that were sent may not have arrived");
  }
  const bool away = closed_ ? rows_left_ > 0 : !transport_->connected();
  if (away) {
    const std::string why = transport_->counters().last_error;
    absl::StrAppend(&text, text.empty() ? "" : "; ", to, ": not connected", why.empty() ? "" : ": ", why, ": ",
                    closed_ ? rows_left_ : queued_rows_, closed_ ? " rows were left" : " rows wait");
  }
  return text;
}

absl::Status ExportSender::Close() {
  transport_->Settle();
  transport_->Close(options_.close_patience);
  if (sessions_) {
    TakeSent();
    rows_left_ = std::exchange(queued_rows_, 0);
    rows_lost_ += rows_left_;
    queued_.clear();
  } else {
    TakeRefusals();
  }
  closed_ = true;
  return absl::OkStatus();
}

void ExportSender::WaitForRoom(size_t octets) {
  const absl::Time until = absl::Now() + options_.transport.send_wait;
  while (transport_->connected() &&
         transport_->counters().queued_octets + octets > options_.transport.max_queued_octets && absl::Now() < until) {
    absl::SleepFor(absl::Milliseconds(1));
  }
}

void ExportSender::Pace() {
  if (options_.datagrams_per_second == 0 || paced_++ % kBurst != 0) return;
  const absl::Time now = absl::Now();
  if (due_ > now) {
    absl::SleepFor(due_ - now);
  } else {
    due_ = now;
  }
  due_ += absl::Seconds(static_cast<double>(kBurst) / options_.datagrams_per_second);
}

}  // namespace flowacct::collector
