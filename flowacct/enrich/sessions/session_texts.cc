#include "flowacct/enrich/sessions/session_texts.h"

#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "flowacct/gtp/mobile_networks.h"

namespace flowacct::enrich {
namespace {

constexpr absl::string_view kDirections[] = {"", "up", "down"};

// The form of each PlaceText but the first.
constexpr gtp::LocationForm kForms[] = {gtp::LocationForm::kCgi, gtp::LocationForm::kCgi, gtp::LocationForm::kSai,
                                        gtp::LocationForm::kRai, gtp::LocationForm::kTai, gtp::LocationForm::kEcgi};

}  // namespace

void SessionTexts::Meet(const base::Interner& interner) {
  if (identity_ == interner.identity()) return;
  *this = SessionTexts();
  identity_ = interner.identity();
}

SessionTexts::Id SessionTexts::Session(const session::SessionReader& reader, base::InternId text,
                                       base::Interner& interner) {
  if (text == base::Interner::kNone) return base::Interner::kNone;
  if (text >= session_.size()) session_.resize(2 * (size_t{text} + 1), kUnasked);
  return Ask(
      &session_[text], [&] { return reader.text(text); }, interner);
}

SessionTexts::Id SessionTexts::Rat(gtp::RatType rat, base::Interner& interner) {
  return Ask(
      &rat_[rat], [rat] { return gtp::RatTypeName(rat); }, interner);
}

SessionTexts::Id SessionTexts::Roaming(session::Roaming roaming, base::Interner& interner) {
  return Ask(
      &roaming_[static_cast<size_t>(roaming)], [roaming] { return session::RoamingName(roaming); }, interner);
}

SessionTexts::Id SessionTexts::Interface(session::Interface interface, base::Interner& interner) {
  return Ask(
      &interface_[static_cast<size_t>(interface)], [interface] { return session::InterfaceName(interface); }, interner);
}

SessionTexts::Id SessionTexts::Match(session::Match match, base::Interner& interner) {
  return Ask(
      &match_[static_cast<size_t>(match)], [match] { return session::MatchName(match); }, interner);
}

SessionTexts::Id SessionTexts::Direction(session::Direction direction, base::Interner& interner) {
  const size_t number = static_cast<size_t>(direction);
  return Ask(
      &direction_[number], [number] { return kDirections[number]; }, interner);
}

SessionTexts::Id SessionTexts::Country(base::Digits plmn, base::Interner& interner) {
  return Ask(
      &country_[plmn.bits() >> 52], [plmn] { return gtp::CountryOf(plmn); }, interner);
}

SessionTexts::Id SessionTexts::Place(const session::SessionReader& reader, uint32_t location, PlaceText text,
                                     base::Interner& interner) {
  if (location == 0) return base::Interner::kNone;
  if (places_.empty()) places_.resize(size_t{1} << kPlaceBits);
  CachedPlace& place = places_[location * uint32_t{0x9e3779b1} >> (32 - kPlaceBits)];
  if (place.location != location) {
    place = CachedPlace();
    place.location = location;
  }
  char octets[gtp::kLocationTextSize];
  const auto text_of = [&]() -> absl::string_view {
    const gtp::UserLocation& there = reader.location(location);
    if (text == PlaceText::kMostExact) {
      const std::optional<gtp::LocationForm> form = gtp::MostExactForm(there);
      if (!form) return {};
      return absl::string_view(octets, gtp::FormatLocation(*form, there[*form], octets));
    }
    const gtp::LocationForm form = kForms[static_cast<size_t>(text)];
    if (!there.Has(form)) return {};
    absl::string_view told(octets, gtp::FormatLocation(form, there[form], octets));
    told.remove_prefix(gtp::LocationFormName(form).size() + 1);  // the field's name says it
    return told;
  };
  return Ask(&place.ids[static_cast<size_t>(text)], text_of, interner);
}

}  // namespace flowacct::enrich
