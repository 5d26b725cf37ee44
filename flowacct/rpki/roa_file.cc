#include "flowacct/rpki/roa_file.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "flowacct/base/ip_prefix.h"

namespace flowacct::rpki {
namespace {

constexpr unsigned kParseFlags =
    rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag;
// Where things are: the object is 1, its "roas" 2, an entry 3.
constexpr size_t kEntryDepth = 3;

class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
  Handler(absl::Time now, size_t max_vrps, RoaFile* file) : now_(now), max_vrps_(max_vrps), file_(file) {}

  bool Default() { return Scalar(Member::kOther); }  // true, false, null
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const absl::string_view number(text, size);
    if (!InEntry()) return true;
    switch (member_) {
      case Member::kAsn:
        return Put(absl::SimpleAtoi(number, &as_), kHasAsn);
      case Member::kMaxLength:
        return Put(absl::SimpleAtoi(number, &max_length_), kHasMaxLength);
      case Member::kExpires: {
        int64_t seconds = 0;
        malformed_ |= !absl::SimpleAtoi(number, &seconds);
        expired_ = absl::FromUnixSeconds(seconds) <= now_;
        return true;
      }
      case Member::kPrefix:
      case Member::kOther:
        return Scalar(member_);
    }
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    absl::string_view value(text, size);
    if (!InEntry()) return true;
    if (member_ == Member::kPrefix) {
      const std::optional<base::IpPrefix> prefix = base::IpPrefix::Parse(value);
      // With its length, and of an IPv6 one that is none of IPv4.
      const bool good =
          prefix && absl::StrContains(value, '/') && absl::StrContains(value, ':') == !prefix->address().IsV4();
      if (good) prefix_ = *prefix;
      return Put(good, kHasPrefix);
    }
    if (member_ == Member::kAsn) {
      if (absl::StartsWithIgnoreCase(value, "AS")) value.remove_prefix(2);
      return Put(absl::SimpleAtoi(value, &as_), kHasAsn);
    }
    return Scalar(member_);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const absl::string_view key(text, size);
    if (depth_ == 1) roas_ = key == "roas";
    member_ = key == "asn"         ? Member::kAsn
              : key == "prefix"    ? Member::kPrefix
              : key == "maxLength" ? Member::kMaxLength
              : key == "expires"   ? Member::kExpires
                                   : Member::kOther;
    return true;
  }
  bool StartObject() {
    if (depth_ == 0) object_ = true;
    if (++depth_ == kEntryDepth && in_roas_) {
      has_ = 0;
      malformed_ = expired_ = false;
      entry_ = true;
    } else if (depth_ == kEntryDepth + 1 && entry_) {
      (void)Scalar(member_);
    }
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (depth_ == kEntryDepth && entry_) {
      entry_ = false;
      if (!Finish()) return false;
    }
    --depth_;
    return true;
  }
  bool StartArray() {
    if (++depth_ == 2 && roas_ && object_) in_roas_ = found_ = true;
    if (depth_ == kEntryDepth + 1 && entry_) (void)Scalar(member_);
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (depth_-- == 2) in_roas_ = false;
    return true;
  }

  bool found() const { return found_; }
  bool full() const { return full_; }

 private:
  enum class Member : uint8_t { kOther, kAsn, kPrefix, kMaxLength, kExpires };
  static constexpr unsigned kHasAsn = 1, kHasPrefix = 2, kHasMaxLength = 4;

  bool InEntry() const { return entry_ && depth_ == kEntryDepth; }
  bool Put(bool good, unsigned what) {
    malformed_ |= !good;
    has_ |= what;
    return true;
  }
  // A value of a kind that the member does not have.
  bool Scalar(Member member) {
    if (InEntry() || (entry_ && depth_ == kEntryDepth + 1)) malformed_ |= member != Member::kOther;
    return true;
  }
  bool Finish() {
    if ((has_ & kHasMaxLength) == 0) max_length_ = prefix_.length();
    const bool whole = (has_ & (kHasAsn | kHasPrefix)) == (kHasAsn | kHasPrefix) && !malformed_ && max_length_ <= 128;
    const Vrp vrp{prefix_, static_cast<uint8_t>(max_length_), as_};
    if (!whole || !IsValid(vrp)) {
      ++file_->malformed;
    } else if (expired_) {
      ++file_->expired;
    } else if (file_->vrps.size() >= max_vrps_) {
      full_ = true;
      return false;
    } else {
      file_->vrps.push_back(vrp);
    }
    return true;
  }

  const absl::Time now_;
  const size_t max_vrps_;
  RoaFile* const file_;
  size_t depth_ = 0;
  bool object_ = false;   // the whole is an object
  bool roas_ = false;     // the last key of it was "roas"
  bool in_roas_ = false;  // within its array
  bool found_ = false;
  bool entry_ = false;
  bool full_ = false;
  Member member_ = Member::kOther;
  unsigned has_ = 0;
  bool malformed_ = false, expired_ = false;
  base::IpPrefix prefix_;
  uint32_t as_ = 0;
  uint32_t max_length_ = 0;
};

}  // namespace

absl::StatusOr<RoaFile> ParseRoaFile(absl::string_view json, absl::Time now, const RoaFileOptions& options) {
  RoaFile file;
  Handler handler(now, options.max_vrps, &file);
  rapidjson::MemoryStream stream(json.data(), json.size());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kParseFlags>(stream, handler);
  if (handler.full()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", options.max_vrps, " VRPs: raise RoaFileOptions::max_vrps if that is meant"));
  }
  if (result.IsError()) return absl::InvalidArgumentError(absl::StrCat("no JSON at octet ", result.Offset()));
  if (!handler.found()) {
    return absl::InvalidArgumentError("no list \"roas\", as the JSON of rpki-client and Routinator has it");
  }
  return file;
}

}  // namespace flowacct::rpki
