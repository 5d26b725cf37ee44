// A record as texts by name: the form in which our records and other programs' outputs are held against one another.
//
// Numbers keep the digits they were written with; a list's members are numbered, an object's are joined with dots.

#ifndef FLOWACCT_COLLECTOR_REPLAY_TESTING_VALUES_H_
#define FLOWACCT_COLLECTOR_REPLAY_TESTING_VALUES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace flowacct::collector::testing {

using Values = std::map<std::string, std::string>;

// $FLOWACCT_CAPTURES, or "" where it is not set.
std::string CapturesFolder();
// The whole file below CapturesFolder(); a test failure if there is none.
std::string ReadCapturesFile(absl::string_view name);

// A JSON object: {"a":{"b":[1,"x"]}} is a.b.0 = 1, a.b.1 = x. An empty list or object is "" under its own name, null
// is "null".
Values FromJson(absl::string_view json);
// One object a line.
std::vector<Values> FromJsonLines(absl::string_view text);
// {"events":[{"netflow":{...}},...]}: the members of the events' objects `netflow`.
std::vector<Values> FromLogstash(absl::string_view json);
// InfluxDB line protocol: measurement,tag=a,tag=b field=1u,field="text" time. Without measurement and time.
std::vector<Values> FromLineProtocol(absl::string_view text);
// Zeek's tab-separated logs, by the names of their "#fields" line.
std::vector<Values> FromZeekLog(absl::string_view text);

}  // namespace flowacct::collector::testing

#endif  // FLOWACCT_COLLECTOR_REPLAY_TESTING_VALUES_H_
