// Lists of FlowMessage (AS paths, communities, labels) and the octets that a record keeps of them.
//
// A list of numbers tells less than the octets do: of an AS path no segments, of a label no traffic class, and an empty
// list is no list. Where octets made of the list are not the octets of the record, a message has both.
// Threads: any. Cost: a pass over the octets.

#ifndef FLOWACCT_MESSAGE_EXACT_OCTETS_H_
#define FLOWACCT_MESSAGE_EXACT_OCTETS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/octets.h"
#include "flowacct/record/field.h"

namespace flowacct::message {

constexpr bool IsList(record::FieldType type) { return type >= record::FieldType::kLabelStack; }

// The numbers of a list, instead of what `numbers` holds. False: they do not tell it all.
bool ListOfOctets(record::FieldType type, base::Octets octets, std::vector<uint64_t>* numbers);
// Appends the octets that a record has of such a list.
void AppendOctetsOfList(record::FieldType type, const std::vector<uint64_t>& numbers, std::string* octets);

}  // namespace flowacct::message

#endif  // FLOWACCT_MESSAGE_EXACT_OCTETS_H_
