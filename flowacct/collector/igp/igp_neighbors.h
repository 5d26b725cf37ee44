// Who says hello in files of an IGP, as JSON rows.
//
// Threads: any. Errors: none. Cost: a row a speaker.

#ifndef FLOWACCT_COLLECTOR_IGP_IGP_NEIGHBORS_H_
#define FLOWACCT_COLLECTOR_IGP_IGP_NEIGHBORS_H_

#include <string>

#include "flowacct/collector/igp/igp_files.h"

namespace flowacct::collector {

std::string NeighborRows(const IgpFiles& files);

}  // namespace flowacct::collector

#endif  // FLOWACCT_COLLECTOR_IGP_IGP_NEIGHBORS_H_
