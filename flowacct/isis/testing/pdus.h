// PDUs of each of the nine types, with all that they can carry, for tests and for seeds of fuzz corpora.

#ifndef FLOWACCT_ISIS_TESTING_PDUS_H_
#define FLOWACCT_ISIS_TESTING_PDUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "flowacct/base/ip_prefix.h"
#include "flowacct/isis/authentication.h"
#include "flowacct/isis/identifiers.h"
#include "flowacct/isis/lsp_content.h"
#include "flowacct/isis/trill.h"

namespace flowacct::isis::testing {

struct NamedPdu {
  std::string name;
  std::vector<uint8_t> octets;
};

// By the text of the identifiers; of a text that is none, the test dies.
SystemId System(const char* text);
NodeId Node(const char* text);
LspId Lsp(const char* text);
AreaAddress Area(const char* text);
base::IpAddress Address(const char* text);
base::IpPrefix Prefix(const char* text);

// Every member has something, of every kind.
LspContent FullContent();
TrillSwitch FullTrillSwitch();
std::vector<GroupMembership> FullGroups();
TrillPort FullTrillPort();
TrillNeighbors FullTrillNeighbors();
// One of each type, and an LSP for each kind of content that does not go together in one.
std::vector<NamedPdu> Pdus(const AuthenticationKey& key = {});

}  // namespace flowacct::isis::testing

#endif  // FLOWACCT_ISIS_TESTING_PDUS_H_
