#include "flowacct/gtp/values.h"

#include <string>
#include <vector>

#include "flowacct/gtp/causes.h"
#include "gtest/gtest.h"

namespace flowacct::gtp {
namespace {

std::string Label(size_t size) { return std::string(1, static_cast<char>(size)) + std::string(size, 'a'); }

TEST(Values, PlmnOfThreeOctets) {
  struct Case {
    uint8_t octets[3];
    const char* text;  // empty: no number
  };
  const Case kCases[] = {
      {{0x62, 0xf2, 0x10}, "26201"},  {{0x13, 0x00, 0x14}, "310410"}, {{0x00, 0xf1, 0x10}, "00101"},
      {{0x00, 0x01, 0x00}, "001000"}, {{0x99, 0x99, 0x99}, "999999"}, {{0xff, 0xff, 0xff}, ""},
      {{0xa2, 0xf2, 0x10}, ""},       {{0x6a, 0xf2, 0x10}, ""},       {{0x62, 0xfb, 0x10}, ""},
      {{0x62, 0xe2, 0x10}, ""},       {{0x62, 0xf2, 0x1c}, ""},       {{0x62, 0xf2, 0xf1}, ""},
      {{0x62, 0x12, 0xff}, ""},
  };
  for (const Case& c : kCases) {
    const Plmn plmn = PlmnFromOctets(c.octets);
    EXPECT_EQ(plmn.empty() ? "" : plmn.ToString(), c.text);
  }
}

TEST(Values, ApnOfLabels) {
  struct Case {
    std::string octets;
    const char* text;  // null: malformed
    const char* network;
    const char* operator_id;
  };
  const std::string longest = Label(63) + Label(35);
  const std::vector<Case> cases = {
      {std::string("\x08internet", 9), "internet", "internet", ""},
      {std::string("\x03www\x06mnc001\x06mcc262\x04gprs", 23), "www.mnc001.mcc262.gprs", "www", "mnc001.mcc262.gprs"},
      {std::string("\x03WWW\x06MNC001\x06McC262\x04GPRS", 23), "WWW.MNC001.McC262.GPRS", "WWW", "MNC001.McC262.GPRS"},
      {std::string("\x01"
                   "a\x01"
                   "b\x06mnc001\x06mcc262\x04gprs",
                   23),
       "a.b.mnc001.mcc262.gprs", "a.b", "mnc001.mcc262.gprs"},
      {std::string("\x06mnc001\x06mcc262\x04gprs", 19), "mnc001.mcc262.gprs", "", "mnc001.mcc262.gprs"},
      {std::string("\x07xmnc001\x06mcc262\x04gprs", 20), "xmnc001.mcc262.gprs", "xmnc001.mcc262.gprs", ""},
      {std::string("\x06mnc0x1\x06mcc262\x04gprs", 19), "mnc0x1.mcc262.gprs", "mnc0x1.mcc262.gprs", ""},
      {std::string("\x06mnc001\x06mcc262\x04gprt", 19), "mnc001.mcc262.gprt", "mnc001.mcc262.gprt", ""},
      {std::string("\x03ims\x00", 5), "ims", "ims", ""},  // the root label
      {std::string(), nullptr, "", ""},
      {std::string("\x00", 1), nullptr, "", ""},
      {std::string("\x00\x00", 2), nullptr, "", ""},
      {std::string("\x03ims\x00\x00", 6), nullptr, "", ""},
      {std::string("\x03ims\x00\x01"
                   "a",
                   7),
       nullptr, "", ""},
      {std::string("\x04ims", 4), nullptr, "", ""},      // beyond the end
      {std::string("\x03ims\x01", 5), nullptr, "", ""},  // a length alone
      // Text without lengths, told by a first octet that can be none.
      {std::string("ims", 3), "ims", "ims", ""},
      {std::string("ims.mnc001.mcc262.gprs", 22), "ims.mnc001.mcc262.gprs", "ims", "mnc001.mcc262.gprs"},
      {std::string("a..b", 4), nullptr, "", ""},
      {std::string("a.", 2), nullptr, "", ""},
      {std::string("a b", 3), nullptr, "", ""},
      {std::string(64, 'a'), nullptr, "", ""},
      {std::string(63, 'a') + "." + std::string(36, 'b'), nullptr, "", ""},
      {std::string("3gpp", 4), nullptr, "", ""},  // a label of 51 octets
      {std::string("\x03i.s", 4), nullptr, "", ""},
      {std::string("\x03i s", 4), nullptr, "", ""},
      {std::string("\x03i\x80s", 4), nullptr, "", ""},
      {std::string("\x03i\x7fs", 4), nullptr, "", ""},
      {Label(64), nullptr, "", ""},
      {Label(63) + Label(36), nullptr, "", ""},
  };
  for (const Case& c : cases) {
    const std::optional<Apn> apn = ApnFromLabels(base::AsOctets(c.octets));
    ASSERT_EQ(apn.has_value(), c.text != nullptr) << c.octets;
    if (!apn) continue;
    EXPECT_EQ(apn->text(), c.text);
    EXPECT_EQ(apn->network(), c.network);
    EXPECT_EQ(apn->operator_id(), c.operator_id);
  }
  ASSERT_EQ(longest.size(), Apn::kMaxSize);
  const std::optional<Apn> apn = ApnFromLabels(base::AsOctets(longest));
  ASSERT_TRUE(apn.has_value());
  EXPECT_EQ(apn->text().size(), 99u);
}

TEST(Values, LocationsAreTextsOfTheirFormsFields) {
  struct Case {
    LocationForm form;
    LocationArea area;
    const char* text;
  };
  const Plmn two = *Plmn::Parse("26201"), three = *Plmn::Parse("310410");
  const Case kCases[] = {
      {LocationForm::kEcgi, {two, 0, 1234567}, "ecgi:262-01-1234567"},
      {LocationForm::kEcgi, {three, 7, 0xfffffff}, "ecgi:310-410-268435455"},
      {LocationForm::kCgi, {two, 258, 772}, "cgi:262-01-258-772"},
      {LocationForm::kSai, {two, 0, 0}, "sai:262-01-0-0"},
      {LocationForm::kRai, {two, 65535, 255}, "rai:262-01-65535-255"},
      {LocationForm::kTai, {three, 12594, 9}, "tai:310-410-12594"},
      {LocationForm::kLai, {two, 1, 0}, "lai:262-01-1"},
      {LocationForm::kMacroEnodeb, {two, 10, 0xfffff}, "macro_enodeb:262-01-1048575"},
      {LocationForm::kExtendedMacroEnodeb, {three, 0xffffffff, 0xffffffff}, "ext_macro_enodeb:310-410-4294967295"},
      {LocationForm::kTai, {Plmn(), 1, 0}, "tai:--1"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(LocationText(c.form, c.area), c.text);
    EXPECT_LE(LocationText(c.form, c.area).size(), kLocationTextSize);
    EXPECT_EQ(LocationText(c.form, c.area).rfind(std::string(LocationFormName(c.form)) + ":", 0), 0u);
  }
}

TEST(Values, TheMostExactForm) {
  UserLocation location;
  EXPECT_EQ(MostExactForm(location), std::nullopt);
  // Each one is before all that came earlier.
  for (const LocationForm form :
       {LocationForm::kLai, LocationForm::kTai, LocationForm::kRai, LocationForm::kMacroEnodeb,
        LocationForm::kExtendedMacroEnodeb, LocationForm::kSai, LocationForm::kCgi, LocationForm::kEcgi}) {
    location.Set(form, {*Plmn::Parse("26201"), 1, 2});
    EXPECT_EQ(MostExactForm(location), form) << LocationFormName(form);
  }
}

TEST(Values, NamesOfNumbers) {
  EXPECT_EQ(RatTypeName(0), "");
  EXPECT_EQ(RatTypeName(1), "UTRAN");
  EXPECT_EQ(RatTypeName(6), "EUTRAN");
  EXPECT_EQ(RatTypeName(10), "NR");
  EXPECT_EQ(RatTypeName(22), "LTE-M(OTHERSAT)");
  EXPECT_EQ(RatTypeName(23), "");
  EXPECT_EQ(RatTypeName(255), "");
  for (InterfaceType type = 0; type <= 41; ++type) {
    EXPECT_NE(InterfaceTypeName(type), "") << type;
    EXPECT_NE(PlaneOf(type), InterfacePlane::kUnknown) << type;
  }
  EXPECT_EQ(InterfaceTypeName(kS1UEnodebGtpU), "S1-U eNodeB GTP-U");
  EXPECT_EQ(InterfaceTypeName(kGnGgsnGtpC), "Gn/Gp GGSN GTP-C");
  EXPECT_EQ(PlaneOf(kS11SgwGtpC), InterfacePlane::kControl);
  EXPECT_EQ(PlaneOf(kS11SgwGtpU), InterfacePlane::kUser);
  EXPECT_EQ(PlaneOf(kS5PgwPmip), InterfacePlane::kPmip);
  EXPECT_EQ(PlaneOf(kIuRncGtpU), InterfacePlane::kUser);
  for (const InterfaceType unknown : {42, 63, 255, 0x106, 0xffff}) {
    EXPECT_EQ(InterfaceTypeName(unknown), "") << unknown;
    EXPECT_EQ(PlaneOf(unknown), InterfacePlane::kUnknown) << unknown;
  }
}

TEST(Values, TimeZones) {
  struct Case {
    uint8_t octet;
    int minutes;
    const char* text;
  };
  const Case kCases[] = {{0x00, 0, "+00:00"},    {0x80, 120, "+02:00"}, {0x40, 60, "+01:00"},
                         {0x4a, -360, "-06:00"}, {0x22, 330, "+05:30"}, {0x32, 345, "+05:45"},
                         {0x97, 1185, "+19:45"}, {0x08, 0, "+00:00"},   {0x19, -165, "-02:45"}};
  for (const Case& c : kCases) {
    EXPECT_EQ(TimeZoneMinutes(c.octet), c.minutes);
    EXPECT_EQ(TimeZoneText(c.octet), c.text);
  }
  EXPECT_EQ(TimeZoneMinutes(0xa0), std::nullopt);
  EXPECT_EQ(TimeZoneText(0xf0), "");
}

TEST(Causes, AcceptByRange) {
  for (unsigned cause = 0; cause <= 255; ++cause) {
    const uint8_t c = static_cast<uint8_t>(cause);
    EXPECT_EQ(CauseAccepts(2, c), cause >= 16 && cause <= 63) << cause;
    EXPECT_EQ(CauseAccepts(1, c), cause >= 128 && cause <= 191) << cause;
    EXPECT_EQ(CauseAccepts(0, c), CauseAccepts(1, c)) << cause;
  }
}

TEST(Causes, HaveNames) {
  EXPECT_EQ(CauseName(2, 16), "Request accepted");
  EXPECT_EQ(CauseName(2, 64), "Context Not Found");
  EXPECT_EQ(CauseName(2, 131), "Rejection due to paging restriction");
  EXPECT_EQ(CauseName(2, 128), "S1-U Path Failure");
  EXPECT_EQ(CauseName(1, 128), "Request accepted");
  EXPECT_EQ(CauseName(0, 199), "No resource available");
  EXPECT_EQ(CauseName(1, 16), "");
  EXPECT_EQ(CauseName(2, 0), "");
  EXPECT_EQ(CauseName(2, 240), "");
}

}  // namespace
}  // namespace flowacct::gtp
