#include "flowacct/sink/mongodb/filter_match.h"

#include "gtest/gtest.h"
