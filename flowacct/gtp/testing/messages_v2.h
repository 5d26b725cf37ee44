// Messages of GTPv2-C as networks send them, for tests, corpora and benchmarks.

#ifndef FLOWACCT_GTP_TESTING_MESSAGES_V2_H_
#define FLOWACCT_GTP_TESTING_MESSAGES_V2_H_

#include <cstdint>
#include <string>
#include <vector>

namespace flowacct::gtp::testing {

struct NamedMessage {
  std::string name;
  std::vector<uint8_t> octets;
};

// Of S11 and S5/S8, an attach and its end in their order; bearers that come and go; hand over; and what nodes say of
// themselves. The first ones are Create Session Request and Response, and Modify Bearer Request and Response.
std::vector<NamedMessage> MessagesV2();
// That have, whatever their type is for, each element that v2 reads as a value, in each of its forms.
std::vector<NamedMessage> ElementMessagesV2();

}  // namespace flowacct::gtp::testing

#endif  // FLOWACCT_GTP_TESTING_MESSAGES_V2_H_
