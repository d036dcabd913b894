// Memory barriers in other threads.
#pragma once

namespace zerowire {

/// Whether membarrier() may be called. The first call asks the system for it, in a thread of its
/// own: that can take tens of milliseconds.
bool membarrier_ready();
/// Every running thread of this process has passed a full memory barrier between the call and its
/// return, some microseconds later: one that goes on to read sees what this thread wrote before,
/// and what it wrote before can be read here.
void membarrier();

}  // namespace zerowire
