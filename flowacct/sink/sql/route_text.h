// What routes tell, back from the text that stores keep of it (record/value_text.h), so that a filter can be asked.
//
// Standards: RFC 4271, 4.3 with numbers of 4 octets; RFC 5065; RFC 1997, 4360, 5668, 8092; RFC 3032.
// Guaranteed: what comes back answers each question of filter/route.h as what was stored did. Any text may come.
// Threads: any. Cost: a walk over the text.

#ifndef FLOWACCT_SINK_SQL_ROUTE_TEXT_H_
#define FLOWACCT_SINK_SQL_ROUTE_TEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "flowacct/filter/program.h"
#include "flowacct/filter/route.h"
#include "flowacct/filter/route_pattern.h"
#include "flowacct/record/field.h"

namespace flowacct::sink::sql {

// The octets that an interned value of this type has; nothing if the text is none of such a value.
std::optional<std::string> RouteOctets(record::FieldType type, absl::string_view text);

// What a condition on an AS path, communities or labels says of a stored text; negation is not looked at.
filter::Answer AskRoute(const filter::Condition& condition, absl::string_view text,
                        filter::RoutePattern::Scratch* scratch);

}  // namespace flowacct::sink::sql

#endif  // FLOWACCT_SINK_SQL_ROUTE_TEXT_H_
