// TxWindow: the packets that a source keeps for repair.
#pragma once

#include <cstdint>

namespace zerowire::pgm {}
