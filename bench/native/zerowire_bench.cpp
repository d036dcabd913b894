// The workloads over zerowire's C++ API.
#include "peer_zerowire.hpp"
#include "program.hpp"  // main(), over the peer included before
