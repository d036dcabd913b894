// The workloads over libzmq.
#include "peer_libzmq.hpp"
#include "program.hpp"  // main(), over the peer included before
