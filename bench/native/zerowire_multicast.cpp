// Multicast over zerowire's C++ API.
#include "peer_zerowire.hpp"
// Over the peer included before: main()
#include "multicast.hpp"
#include "offload.hpp"
