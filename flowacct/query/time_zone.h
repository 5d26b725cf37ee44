// The time zone of a name that a stranger may have chosen.
//
// Abseil keeps every name that it was ever asked for, right or wrong, for as long as the process lives. Here only names
// get there that this machine's list (tzdata, in $TZDIR or /usr/share/zoneinfo) has, each in one spelling, so that what
// is kept is bounded by that list. Not checked: what the file holds; Abseil does.
// Threads: any. Cost: a look at the file system, and the file once a name.

#ifndef FLOWACCT_QUERY_TIME_ZONE_H_
#define FLOWACCT_QUERY_TIME_ZONE_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace flowacct::query {

// False: there is none of that name.
bool FindTimeZone(absl::string_view name, absl::TimeZone* zone);

}  // namespace flowacct::query

#endif  // FLOWACCT_QUERY_TIME_ZONE_H_
