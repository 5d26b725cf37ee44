// Hides whose records are: numbers of subscribers and devices, and addresses, become pseudonyms or are cut short,
// before an aggregation sees them.
//
// A rule for each field: `pseudonym` (pseudonyms.h), `first N` digits of a number (6 of an IMSI are its country and
// network, 8 of an IMEI its type), or `/24,48`, the network of an address with 24 bits of IPv4 and 48 of IPv6; prefixes
// become no longer than that. Fields without a rule stay. What a field tells, others may tell, too: a rule for dst_addr
// wants one for dst_net, src_addr and ue_addr.
//
// Pseudonyms rotate: their key is derived from the master key for the field's kind and the number of the period that
// the record's time is in (start_time, else end_time, export_time, arrival_time). So all workers, a restart and another
// machine with the same key tell the same, and nobody can follow a subscriber over periods. All addresses are of one
// kind: who sends and who receives has the same pseudonym.
//
// An Enricher for the records of one aggregation, after its filter (pipeline/pipeline.h): what is asked for is true,
// what is kept is not. Keys and true values are in no counter, text or error.
// Ownership: shares the master key. Threads: one at a time. Errors: New, for rules that cannot be; names field and
// rule. Cost: some 2 ns a number or IPv6 address, 20 ns an IPv4 address; some microseconds a period that is met, of
// which 8 are kept.

#ifndef FLOWACCT_ENRICH_PRIVACY_PRIVACY_H_
#define FLOWACCT_ENRICH_PRIVACY_PRIVACY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "flowacct/enrich/enricher.h"
#include "flowacct/enrich/field_place.h"
#include "flowacct/enrich/privacy/master_key.h"
#include "flowacct/enrich/privacy/pseudonyms.h"
#include "flowacct/record/field.h"

namespace flowacct::enrich {

// What names a subscriber or his device. A configuration that keeps one of these says what becomes of it, be it that it
// stays as it is; where one of them is kept, src_addr and dst_addr are a subscriber's, too.
inline constexpr record::FieldId kSubscriberFields[] = {record::FieldId::kImsi, record::FieldId::kMsisdn,
                                                        record::FieldId::kImei, record::FieldId::kUeAddr};

// Fields that tell who a person is: kept as they are only where somebody says so.
inline constexpr record::FieldId kIdentities[] = {record::FieldId::kImsi, record::FieldId::kMsisdn,
                                                  record::FieldId::kImei};

struct PrivacyRule {
  enum class Method : uint8_t { kPseudonym, kFirstDigits, kNetwork };

  // "pseudonym", "first 8", "/24", "/24,48" of a field that has such values. A network of one length: as aggregation
  // keys have it, of IPv4, and IPv6 by 64; above 32 of IPv6 alone, IPv4 whole.
  static absl::StatusOr<PrivacyRule> Parse(record::FieldId field, absl::string_view method);

  record::FieldId field{};
  Method method = Method::kPseudonym;
  uint8_t digits = 0;
  uint8_t v4_length = 32, v6_length = 128;
};

struct PrivacyOptions {
  std::vector<PrivacyRule> rules;
  // For pseudonyms; null if there are none.
  std::shared_ptr<const MasterKey> key;
  // How long a pseudonym stays the same; periods begin at multiples of it since 1970, UTC. 0: for ever.
  int64_t rotation_nanos = int64_t{86400} * 1000000000;
};

class Privacy : public Enricher {
 public:
  // InvalidArgument: a pseudonym without a key, a rule that its field's type has no use for, two rules for a field.
  static absl::StatusOr<EnricherFactory> Factory(PrivacyOptions options);

  absl::string_view name() const override { return "privacy"; }
  std::vector<record::FieldId> RequiredFields(const record::FieldSet& wanted) const override;
  void Bind(const record::Layout& layout, const record::FieldSet& wanted) override;
  void Apply(record::FlowBatch& batch) override;
  std::vector<EnricherCounter> counters() const override;

 private:
  static constexpr size_t kBlock = Pseudonyms::kBatch;
  static constexpr size_t kTimes = 4;
  // Periods whose keys are kept: now, and those that late records are of.
  static constexpr size_t kPeriods = 8;
  // Kinds of values with keys of their own.
  static constexpr size_t kKinds = 4;

  struct Target {
    PrivacyRule rule;
    FieldPlace place;
    uint8_t kind = 0;
    bool is_prefix = false;
  };
  struct Period {
    int64_t number = 0;
    uint64_t used = 0;  // the greatest was used last; 0: never
    std::array<std::unique_ptr<Pseudonyms>, kKinds> pseudonyms;
  };

  explicit Privacy(std::shared_ptr<const PrivacyOptions> options) : options_(std::move(options)) {}
  int64_t PeriodOf(const uint8_t* row) const;
  Pseudonyms& PseudonymsOf(int64_t period, uint8_t kind);
  void Cut(const Target& target, uint8_t* row);
  // Rows of a block that have the field, all of one period.
  void Replace(const Target& target, int64_t period, uint8_t* const* rows, size_t n);

  const std::shared_ptr<const PrivacyOptions> options_;
  std::vector<Target> targets_;  // that the bound layout has
  std::array<FieldPlace, kTimes> times_;
  bool wants_periods_ = false;
  std::array<Period, kPeriods> periods_;
  uint64_t uses_ = 0;
  uint64_t pseudonyms_ = 0, cut_ = 0, keys_derived_ = 0;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_PRIVACY_PRIVACY_H_
