// Advertisements as octets, for files of this library's own (base/sealed_octets.h).
//
// Guarantees: what was written reads back as the same; any octets at all read as an advertisement or as nothing, with
// memory in proportion to the octets. Any thread. Errors: the reader has failed. Cost: one pass.

#ifndef FLOWACCT_TOPOLOGY_ADVERTISEMENT_OCTETS_H_
#define FLOWACCT_TOPOLOGY_ADVERTISEMENT_OCTETS_H_

#include "flowacct/base/octet_reader.h"
#include "flowacct/base/octet_writer.h"
#include "flowacct/topology/advertisement.h"

namespace flowacct::topology {

void WriteAdvertisement(const Advertisement& advertisement, base::OctetWriter* writer);
// False: these are none.
bool ReadAdvertisement(base::OctetReader* reader, Advertisement* advertisement);

}  // namespace flowacct::topology

#endif  // FLOWACCT_TOPOLOGY_ADVERTISEMENT_OCTETS_H_
