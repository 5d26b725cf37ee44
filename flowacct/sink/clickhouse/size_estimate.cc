#include "flowacct/sink/clickhouse/size_estimate.h"
namespace flowacct::sink::clickhouse {
}
