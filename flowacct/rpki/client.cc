#include "flowacct/rpki/client.h"

#include <algorithm>
#include <utility>

namespace flowacct::rpki {
namespace {

constexpr absl::string_view kStates[] = {
#define X(name, text) text,
    FLOWACCT_RPKI_CLIENT_STATES(X)
#undef X
};

// Of queries that wait to be sent; each has at most 12 octets.
constexpr size_t kMaxOutputOctets = 4096;

}  // namespace

absl::string_view ClientStateName(ClientState state) { return kStates[static_cast<size_t>(state)]; }

Client::Client(const ClientOptions& options, ClientListener* listener)
    : options_(options),
      listener_(listener),
      version_(std::min(options.version, kMaxVersion)),
      refresh_(options.refresh),
      retry_(options.retry),
      expire_(options.expire),
      next_(absl::InfinitePast()) {}

void Client::Connected(absl::Time now) {
  partial_.clear();
  output_.Clear();
  sent_ = 0;
  version_settled_ = false;
  Query(now);
}

// RFC 8210, 8.1, 8.2.
void Client::Query(absl::Time now) {
  if (output().size() > kMaxOutputOctets) return Close(ErrorCode::kInternalError, false, "the cache takes nothing");
  full_ = !has_session_;
  if (full_) {
    WriteResetQuery(version_, &output_);
  } else {
    WriteSerialQuery(version_, session_id_, serial_, &output_);
  }
  state_ = ClientState::kQueried;
  next_ = now + options_.response_time;
}

void Client::ConsumeOutput(size_t octets) {
  sent_ += octets;
  if (sent_ == output_.size()) {
    output_.Clear();
    sent_ = 0;
  }
}

absl::Time Client::deadline() const { return std::min(next_, expires_); }

void Client::Tick(absl::Time now) {
  if (now >= expires_) {  // RFC 8210, 6
    Forget();
    Flush();
  }
  if (now < next_) return;
  switch (state_) {
    case ClientState::kDown:
    case ClientState::kClosing:
      return;
    case ClientState::kQueried:
    case ClientState::kReceiving:
      ++counters_.timeouts;
      return Close(ErrorCode::kInternalError, false, "the cache does not answer");
    case ClientState::kSynchronized:
    case ClientState::kNoData:
      return Query(now);
  }
}

void Client::Disconnected(absl::Time now) {
  state_ = ClientState::kDown;
  next_ = now + retry_;
  partial_.clear();
  output_.Clear();
  sent_ = 0;
  coming_ = announced_ = withdrawn_ = VrpSet();
}

void Client::Forget() {
  has_session_ = false;
  serial_ = 0;
}

void Client::Flush() {
  expires_ = absl::InfiniteFuture();
  if (vrps_.empty()) return;
  counters_.flushed += vrps_.size();
  vrps_ = VrpSet();
  listener_->OnUpdate(vrps_);
}

void Client::Close(ErrorCode code, bool from_cache, absl::string_view text) {
  state_ = ClientState::kClosing;
  next_ = absl::InfiniteFuture();
  coming_ = announced_ = withdrawn_ = VrpSet();
  listener_->OnClosed(code, from_cache, text);
}

void Client::Fail(ErrorCode code, base::Octets pdu, absl::string_view text) {
  // No error about an error (RFC 8210, 5.11).
  if (pdu.size() < 2 || static_cast<PduType>(pdu[1]) != PduType::kErrorReport) {
    WriteErrorReport(version_, code, pdu.subspan(0, std::min(pdu.size(), kPduHeaderOctets + 24)), text, &output_);
    ++counters_.errors_sent;
  }
  Forget();
  Close(code, false, text);
}

bool Client::Receive(base::Octets octets, absl::Time now) {
  if (state_ == ClientState::kDown || closing()) return false;
  counters_.octets += octets.size();
  if (state_ == ClientState::kQueried || state_ == ClientState::kReceiving) next_ = now + options_.response_time;
  while (!octets.empty()) {
    if (!partial_.empty()) {
      const size_t wanted =
          partial_.size() < kPduHeaderOctets ? kPduHeaderOctets : LoadPduHeader(partial_.data()).length;
      const size_t n = std::min(wanted - partial_.size(), octets.size());
      partial_.insert(partial_.end(), octets.begin(), octets.begin() + n);
      octets.remove_prefix(n);
    }
    const base::Octets rest = partial_.empty() ? octets : base::Octets(partial_);
    const PduBoundary next = NextPdu(rest, options_.max_pdu_octets);
    if (next.outcome == PduBoundary::Outcome::kMore) {
      if (!partial_.empty()) continue;
      partial_.assign(octets.begin(), octets.end());
      return true;
    }
    if (next.outcome == PduBoundary::Outcome::kError) {
      Fail(next.error, rest.subspan(0, kPduHeaderOctets), ErrorCodeText(next.error));
    } else {
      const base::Octets pdu = rest.subspan(0, next.header.length);
      ++counters_.received[next.header.type];
      if (CheckVersion(next.header, pdu)) ReadPdu(pdu, now);
    }
    if (closing()) {
      partial_.clear();
      return false;
    }
    if (partial_.empty()) {
      octets.remove_prefix(next.header.length);
    } else {
      partial_.clear();
    }
  }
  return true;
}

// RFC 8210, 7.
bool Client::CheckVersion(const PduHeader& header, base::Octets pdu) {
  if (header.version == version_) {
    version_settled_ |= static_cast<PduType>(header.type) != PduType::kSerialNotify;
    return true;
  }
  const PduType type = static_cast<PduType>(header.type);
  if (!version_settled_) {
    if (type == PduType::kSerialNotify) return true;  // to be ignored whatever its version
    if (header.version < version_ && type == PduType::kErrorReport) return true;
    if (header.version < version_ && type == PduType::kCacheResponse) {
      version_ = header.version;
      version_settled_ = true;
      ++counters_.downgrades;
      return true;
    }
  }
  Fail(ErrorCode::kUnexpectedVersion, pdu, ErrorCodeText(ErrorCode::kUnexpectedVersion));
  return false;
}

void Client::ReadPdu(base::Octets pdu, absl::Time now) {
  const PduHeader header = LoadPduHeader(pdu.data());
  const PduType type = static_cast<PduType>(header.type);
  switch (type) {
    case PduType::kSerialNotify:
      // Not before the first answer, nor while one is under way (RFC 8210, 5.2, 7).
      if (state_ == ClientState::kNoData) return Query(now);
      if (state_ != ClientState::kSynchronized) return;
      if (header.session_id != session_id_) {
        Fail(ErrorCode::kCorruptData, pdu, "another session");
        return Flush();
      }
      if (base::LoadBe32(pdu.data() + kPduHeaderOctets) != serial_) Query(now);
      return;
    case PduType::kCacheResponse:
      return ReadCacheResponse(pdu, now);
    case PduType::kIpv4Prefix:
    case PduType::kIpv6Prefix:
      return ReadPrefixPdu(pdu);
    case PduType::kRouterKey:
      if (state_ != ClientState::kReceiving) Fail(ErrorCode::kCorruptData, pdu, "router key outside of an answer");
      return;
    case PduType::kEndOfData:
      return Finish(pdu, now);
    case PduType::kCacheReset:
      if (state_ != ClientState::kQueried || full_) return Fail(ErrorCode::kCorruptData, pdu, "unexpected cache reset");
      Forget();  // the data stay until they are replaced (RFC 8210, 8.3)
      return Query(now);
    case PduType::kErrorReport:
      return ReadError(pdu, now);
    case PduType::kSerialQuery:
    case PduType::kResetQuery:
      return Fail(ErrorCode::kInvalidRequest, pdu, "a query from a cache");
  }
}

void Client::ReadCacheResponse(base::Octets pdu, absl::Time now) {
  if (state_ != ClientState::kQueried) return Fail(ErrorCode::kCorruptData, pdu, "unexpected cache response");
  const uint16_t session_id = LoadPduHeader(pdu.data()).session_id;
  if (!full_ && session_id != session_id_) {
    // Its serial numbers are not those that we know (RFC 8210, 5.1).
    Fail(ErrorCode::kCorruptData, pdu, "another session");
    return Flush();
  }
  session_id_ = session_id;
  coming_.clear();
  announced_.clear();
  withdrawn_.clear();
  if (full_) coming_.reserve(vrps_.size());
  state_ = ClientState::kReceiving;
}

// RFC 8210, 5.6, 5.7.
void Client::ReadPrefixPdu(base::Octets pdu) {
  if (state_ != ClientState::kReceiving) return Fail(ErrorCode::kCorruptData, pdu, "prefix outside of an answer");
  PrefixPdu prefix;
  if (!ReadPrefix(pdu, &prefix)) return Fail(ErrorCode::kCorruptData, pdu, "lengths of a prefix");
  const Vrp& vrp = prefix.vrp;
  if (full_) {
    if (!prefix.announce) {
      if (coming_.erase(vrp) == 0) Fail(ErrorCode::kWithdrawalOfUnknown, pdu, "");
      return;
    }
    if (!coming_.insert(vrp).second) return Fail(ErrorCode::kDuplicateAnnouncement, pdu, "");
  } else if (prefix.announce) {
    // There it is if it was before, and is not withdrawn.
    if (withdrawn_.erase(vrp) == 0 && (vrps_.contains(vrp) || !announced_.insert(vrp).second)) {
      return Fail(ErrorCode::kDuplicateAnnouncement, pdu, "");
    }
  } else if (announced_.erase(vrp) == 0 && (!vrps_.contains(vrp) || !withdrawn_.insert(vrp).second)) {
    return Fail(ErrorCode::kWithdrawalOfUnknown, pdu, "");
  }
  if (coming_.size() > options_.max_vrps ||
      (!full_ && vrps_.size() - withdrawn_.size() + announced_.size() > options_.max_vrps)) {
    ++counters_.over_limit;
    Fail(ErrorCode::kInternalError, pdu, "more than this router takes");
  }
}

void Client::Finish(base::Octets pdu, absl::Time now) {
  if (state_ != ClientState::kReceiving) return Fail(ErrorCode::kCorruptData, pdu, "unexpected end of data");
  if (LoadPduHeader(pdu.data()).session_id != session_id_) {
    Fail(ErrorCode::kCorruptData, pdu, "another session");
    return Flush();
  }
  const EndOfDataPdu end = ReadEndOfData(pdu);
  bool changed = true;
  if (full_) {
    changed = coming_ != vrps_;
    ++counters_.resets;
    counters_.announced += coming_.size();
    counters_.withdrawn += vrps_.size();
    vrps_ = std::move(coming_);
    coming_ = VrpSet();
  } else {
    changed = !announced_.empty() || !withdrawn_.empty();
    counters_.announced += announced_.size();
    counters_.withdrawn += withdrawn_.size();
    for (const Vrp& vrp : withdrawn_) vrps_.erase(vrp);
    vrps_.insert(announced_.begin(), announced_.end());
    announced_ = withdrawn_ = VrpSet();
  }
  if (end.has_timers) {
    const auto take = [&](uint32_t seconds, uint32_t least, uint32_t most, absl::Duration* timer) {
      if (seconds < least || seconds > most) ++counters_.ignored_timers;
      *timer = absl::Seconds(std::min(std::max(seconds, least), most));
    };
    take(end.refresh_seconds, 1, 86400, &refresh_);
    take(end.retry_seconds, 1, 7200, &retry_);
    take(end.expire_seconds, 600, 172800, &expire_);
  }
  ++counters_.updates;
  serial_ = end.serial;
  has_session_ = true;
  state_ = ClientState::kSynchronized;
  next_ = now + refresh_;
  expires_ = now + expire_;
  if (changed) listener_->OnUpdate(vrps_);
}

void Client::ReadError(base::Octets pdu, absl::Time now) {
  ++counters_.errors_received;
  const PduHeader header = LoadPduHeader(pdu.data());
  const ErrorCode code = static_cast<ErrorCode>(header.session_id);
  ErrorReportPdu report;
  if (!ReadErrorReport(pdu, &report)) report = {};
  if (code == ErrorCode::kNoDataAvailable && state_ == ClientState::kQueried) {
    // It has none yet; that is no fault (RFC 8210, 8.4).
    state_ = ClientState::kNoData;
    next_ = now + retry_;
    return;
  }
  if (code == ErrorCode::kUnsupportedVersion && !version_settled_ && header.version < version_) {
    version_ = header.version;
    ++counters_.downgrades;
  }
  Forget();
  Close(code, true, report.text);
}

}  // namespace flowacct::rpki
