#include "flowacct/enrich/privacy/privacy.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "flowacct/base/digits.h"
#include "flowacct/base/ip_address.h"
#include "flowacct/base/ip_prefix.h"
#include "flowacct/base/octets.h"

namespace flowacct::enrich {
namespace {

using F = record::FieldId;
using record::FieldType;
using Method = PrivacyRule::Method;

constexpr F kTimeFields[] = {F::kStartTime, F::kEndTime, F::kExportTime, F::kArrivalTime};

// What keys are derived for: each of these fields, all other digits, all addresses.
struct Kind {
  F field;
  absl::string_view purpose;
};
constexpr Kind kFieldKinds[] = {{F::kImsi, "imsi"}, {F::kMsisdn, "msisdn"}};
constexpr absl::string_view kOtherDigits = "digits", kAddresses = "addresses";
constexpr size_t kDigitsKind = std::size(kFieldKinds), kAddressKind = kDigitsKind + 1;

absl::string_view PurposeOf(size_t kind) {
  if (kind == kAddressKind) return kAddresses;
  return kind == kDigitsKind ? kOtherDigits : kFieldKinds[kind].purpose;
}

uint8_t KindOf(F field) {
  if (record::Info(field).type != FieldType::kDigits) return kAddressKind;
  for (size_t i = 0; i < std::size(kFieldKinds); ++i) {
    if (kFieldKinds[i].field == field) return static_cast<uint8_t>(i);
  }
  return kDigitsKind;
}

absl::Status Wrong(F field, absl::string_view method, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("privacy of ", record::Info(field).name, " = ", method, ": ", what));
}

absl::Status CheckType(const PrivacyRule& rule, absl::string_view method) {
  const FieldType type = record::Info(rule.field).type;
  const bool may = rule.method == Method::kFirstDigits ? type == FieldType::kDigits
                   : rule.method == Method::kNetwork   ? type == FieldType::kAddress || type == FieldType::kPrefix
                                                       : type == FieldType::kDigits || type == FieldType::kAddress;
  if (may) return absl::OkStatus();
  switch (type) {
    case FieldType::kDigits:
      return Wrong(rule.field, method, "of digits there are \"pseudonym\" and \"first 6\"");
    case FieldType::kAddress:
      return Wrong(rule.field, method, "of an address there are \"pseudonym\" and its network, as \"/24,48\"");
    case FieldType::kPrefix:
      return Wrong(rule.field, method, "a network can only become a shorter one, as \"/24,48\"");
    default:
      return Wrong(rule.field, method,
                   "it names nobody: only numbers of subscribers and devices, addresses and "
                   "networks can be hidden");
  }
}

}  // namespace

absl::StatusOr<PrivacyRule> PrivacyRule::Parse(F field, absl::string_view method) {
  PrivacyRule rule;
  rule.field = field;
  absl::string_view rest = method;
  uint32_t number = 0;
  if (method == "pseudonym") {
    rule.method = Method::kPseudonym;
  } else if (absl::ConsumePrefix(&rest, "first ")) {
    rule.method = Method::kFirstDigits;
    if (!absl::SimpleAtoi(rest, &number) || number == 0 || number >= base::Digits::kMaxDigits) {
      return Wrong(field, method, "1 to 15 digits can be kept");
    }
    rule.digits = static_cast<uint8_t>(number);
  } else if (absl::ConsumePrefix(&rest, "/")) {
    rule.method = Method::kNetwork;
    const size_t comma = rest.find(',');
    if (!absl::SimpleAtoi(rest.substr(0, comma), &number) || number > (comma == rest.npos ? 128 : 32)) {
      return Wrong(field, method, "the length of a network is 0 to 32, and 0 to 128 of IPv6");
    }
    if (number <= 32) {
      rule.v4_length = static_cast<uint8_t>(number);
      rule.v6_length = 64;
    } else {
      rule.v6_length = static_cast<uint8_t>(number);
    }
    if (comma != rest.npos) {
      if (!absl::SimpleAtoi(rest.substr(comma + 1), &number) || number > 128) {
        return Wrong(field, method, "the length of a network of IPv6 is 0 to 128");
      }
      rule.v6_length = static_cast<uint8_t>(number);
    }
  } else {
    return Wrong(field, method, "write \"pseudonym\", \"first 6\" or \"/24,48\"");
  }
  if (absl::Status status = CheckType(rule, method); !status.ok()) return status;
  return rule;
}

absl::StatusOr<EnricherFactory> Privacy::Factory(PrivacyOptions options) {
  record::FieldSet fields;
  for (const PrivacyRule& rule : options.rules) {
    if (fields.Has(rule.field)) return Wrong(rule.field, "...", "it has two rules; leave one");
    fields.Add(rule.field);
    if (absl::Status status = CheckType(rule, "..."); !status.ok()) return status;
    if (rule.method == Method::kPseudonym && options.key == nullptr) {
      return Wrong(rule.field, "pseudonym", "there is no key; name a file that has one");
    }
  }
  if (options.rotation_nanos < 0) return absl::InvalidArgumentError("privacy: a rotation cannot be negative");
  auto shared = std::make_shared<const PrivacyOptions>(std::move(options));
  return EnricherFactory([shared = std::move(shared)] { return std::unique_ptr<Enricher>(new Privacy(shared)); });
}

std::vector<F> Privacy::RequiredFields(const record::FieldSet& wanted) const {
  for (const PrivacyRule& rule : options_->rules) {
    if (rule.method == Method::kPseudonym && options_->rotation_nanos != 0 && wanted.Has(rule.field)) {
      return std::vector<F>(std::begin(kTimeFields), std::end(kTimeFields));
    }
  }
  return {};
}

void Privacy::Bind(const record::Layout& layout, const record::FieldSet& /*wanted*/) {
  // Not only what is wanted: nothing that a rule names goes on as it is.
  targets_.clear();
  wants_periods_ = false;
  for (const PrivacyRule& rule : options_->rules) {
    const FieldPlace place = PlaceOf(layout, rule.field);
    if (!place.there()) continue;
    targets_.push_back({rule, place, KindOf(rule.field), record::Info(rule.field).type == FieldType::kPrefix});
    wants_periods_ |= rule.method == Method::kPseudonym;
  }
  wants_periods_ &= options_->rotation_nanos != 0;
  for (size_t i = 0; i < kTimes; ++i) times_[i] = PlaceOf(layout, kTimeFields[i]);
}

int64_t Privacy::PeriodOf(const uint8_t* row) const {
  if (!wants_periods_) return 0;
  for (const FieldPlace& time : times_) {
    if (!time.there() || !IsPresent(row, time.index)) continue;
    const int64_t nanos = base::LoadHost<int64_t>(row + time.offset), rotation = options_->rotation_nanos;
    return nanos / rotation - (nanos % rotation < 0 ? 1 : 0);
  }
  return 0;
}

Pseudonyms& Privacy::PseudonymsOf(int64_t number, uint8_t kind) {
  Period* period = nullptr;
  for (Period& known : periods_) {
    if (known.used != 0 && known.number == number) period = &known;
  }
  if (period == nullptr) {
    period = std::min_element(periods_.begin(), periods_.end(),
                              [](const Period& a, const Period& b) { return a.used < b.used; });
    *period = Period();
    period->number = number;
  }
  period->used = ++uses_;
  std::unique_ptr<Pseudonyms>& pseudonyms = period->pseudonyms[kind];
  if (pseudonyms == nullptr) {
    MasterKey::Derived key = options_->key->Derive(PurposeOf(kind), number);
    pseudonyms = std::make_unique<Pseudonyms>(key);
    OPENSSL_cleanse(key.data(), key.size());
    ++keys_derived_;
  }
  return *pseudonyms;
}

void Privacy::Cut(const Target& target, uint8_t* row) {
  uint8_t* const field = row + target.place.offset;
  ++cut_;
  if (target.rule.method == Method::kFirstDigits) {
    const auto digits = base::Digits::FromBits(base::LoadHost<uint64_t>(field));
    base::StoreHost(field, digits.Prefix(target.rule.digits).bits());
    return;
  }
  const base::IpAddress address = base::IpAddress::FromV6(field);
  uint8_t length = address.IsV4() ? target.rule.v4_length : target.rule.v6_length;
  if (target.is_prefix) {
    uint8_t& told = field[base::IpAddress::kSize];
    told = length = std::min(length, told);
  }
  std::memcpy(field, base::Mask(address, length).data(), base::IpAddress::kSize);
}

void Privacy::Replace(const Target& target, int64_t period, uint8_t* const* rows, size_t n) {
  if (n == 0) return;
  Pseudonyms& pseudonyms = PseudonymsOf(period, target.kind);
  pseudonyms_ += n;
  const uint16_t offset = target.place.offset;
  if (target.kind == kAddressKind) {
    base::IpAddress addresses[kBlock];
    for (size_t i = 0; i < n; ++i) addresses[i] = base::IpAddress::FromV6(rows[i] + offset);
    pseudonyms.Replace(absl::MakeSpan(addresses, n));
    for (size_t i = 0; i < n; ++i) std::memcpy(rows[i] + offset, addresses[i].data(), base::IpAddress::kSize);
    return;
  }
  base::Digits digits[kBlock];
  for (size_t i = 0; i < n; ++i) digits[i] = base::Digits::FromBits(base::LoadHost<uint64_t>(rows[i] + offset));
  pseudonyms.Replace(absl::MakeSpan(digits, n));
  for (size_t i = 0; i < n; ++i) base::StoreHost(rows[i] + offset, digits[i].bits());
}

void Privacy::Apply(record::FlowBatch& batch) {
  const size_t stride = batch.stride();
  for (size_t first = 0; first < batch.size() && !targets_.empty(); first += kBlock) {
    const size_t n = std::min(kBlock, batch.size() - first);
    uint8_t* const block = batch.data() + first * stride;
    int64_t periods[kBlock];
    for (size_t i = 0; i < n; ++i) periods[i] = PeriodOf(block + i * stride);
    for (const Target& target : targets_) {
      // The rows that have the field, those of one period together: nearly always all are of one.
      uint32_t left[kBlock];
      size_t count = 0;
      for (size_t i = 0; i < n; ++i) {
        uint8_t* const row = block + i * stride;
        if (!IsPresent(row, target.place.index)) continue;
        if (target.rule.method == Method::kPseudonym) {
          left[count++] = static_cast<uint32_t>(i);
        } else {
          Cut(target, row);
        }
      }
      while (count > 0) {
        const int64_t period = periods[left[0]];
        uint8_t* rows[kBlock];
        size_t of_period = 0, others = 0;
        for (size_t i = 0; i < count; ++i) {
          if (periods[left[i]] == period) {
            rows[of_period++] = block + left[i] * stride;
          } else {
            left[others++] = left[i];
          }
        }
        Replace(target, period, rows, of_period);
        count = others;
      }
    }
  }
}

std::vector<EnricherCounter> Privacy::counters() const {
  return {{"pseudonyms", pseudonyms_}, {"values_cut", cut_}, {"keys_derived", keys_derived_}};
}

}  // namespace flowacct::enrich
