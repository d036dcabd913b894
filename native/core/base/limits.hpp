// MessageLimits: what a peer may send.
#pragma once

#include <cstdint>

namespace zerowire {

struct MessageLimits {
  uint64_t frame = UINT64_MAX;    ///< bytes of one frame
  uint64_t message = UINT64_MAX;  ///< bytes of all frames of one message
  uint32_t parts = UINT32_MAX;    ///< frames of one message
};

}  // namespace zerowire
