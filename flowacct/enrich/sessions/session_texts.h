// The texts that records tell of sessions, as ids of one batch's interner: names of access points, radio access,
// countries, places.
//
// Ownership: of one worker; the ids are of one interner (Meet). Threads: one. Errors: none; what has no text is
// kNone. Cost: an array look-up a text that was told before, else an interning of some 100 ns. Memory: an id for each
// text that sessions have, and 700 KB for places once one is told.

#ifndef FLOWACCT_ENRICH_SESSIONS_SESSION_TEXTS_H_
#define FLOWACCT_ENRICH_SESSIONS_SESSION_TEXTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flowacct/base/digits.h"
#include "flowacct/base/interner.h"
#include "flowacct/gtp/values.h"
#include "flowacct/session/facts.h"
#include "flowacct/session/session_reader.h"

namespace flowacct::enrich {

// What is told of a place: in its most exact form, or in one form.
enum class PlaceText : uint8_t { kMostExact, kCgi, kSai, kRai, kTai, kEcgi };
inline constexpr size_t kPlaceTexts = 6;

class SessionTexts {
 public:
  using Id = base::InternId;

  // Before each batch: forgets the ids of another interner.
  void Meet(const base::Interner& interner);

  Id Session(const session::SessionReader& reader, base::InternId text, base::Interner& interner);
  Id Rat(gtp::RatType rat, base::Interner& interner);
  Id Roaming(session::Roaming roaming, base::Interner& interner);
  Id Interface(session::Interface interface, base::Interner& interner);
  Id Match(session::Match match, base::Interner& interner);
  Id Direction(session::Direction direction, base::Interner& interner);
  Id Country(base::Digits plmn, base::Interner& interner);
  Id Place(const session::SessionReader& reader, uint32_t location, PlaceText text, base::Interner& interner);

 private:
  // As many as a nation's sites; two that are in each other's way take turns.
  static constexpr size_t kPlaceBits = 14;
  // Of a text that was not looked for yet, and of one that does not exist.
  static constexpr Id kUnasked = base::Interner::kNone, kNoText = ~Id{0};

  struct CachedPlace {
    uint32_t location = 0;
    std::array<Id, kPlaceTexts> ids{};
  };
  template <typename TextOf>
  static Id Ask(Id* id, const TextOf& text_of, base::Interner& interner) {
    if (*id == kUnasked) {
      const absl::string_view text = text_of();
      *id = text.empty() ? kNoText : interner.Intern(text);
    }
    return *id == kNoText ? base::Interner::kNone : *id;
  }

  std::shared_ptr<const void> identity_;
  std::vector<Id> session_;
  std::array<Id, 256> rat_{};
  std::array<Id, 16> roaming_{}, interface_{}, match_{}, direction_{};
  std::array<Id, 4096> country_{};  // by the nibbles of the mobile country code
  std::vector<CachedPlace> places_;
};

}  // namespace flowacct::enrich

#endif  // FLOWACCT_ENRICH_SESSIONS_SESSION_TEXTS_H_
