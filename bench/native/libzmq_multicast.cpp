// Multicast over libzmq.
#include "peer_libzmq.hpp"
// Over the peer included before: main()
#include "multicast.hpp"
