// Resolver: looks host names up, on threads of its own.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "net/endpoint.hpp"

namespace zerowire {

/// Starts a thread when there is work and all (at most kThreads) are busy; a thread ends when it
/// finds nothing to do, so that nothing has to be joined.
class Resolver {
 public:
  using Done = std::function<void(Result<Address>)>;

  struct Query {
    std::string host;
    uint16_t port;
    bool ipv6;
    unsigned turn;  ///< which of several addresses, see resolve_address()
    Done done;
  };
  /// Calls `done` on a resolver thread (or here, when no thread can be had).
  void resolve(Query query);

 private:
  static constexpr int kThreads = 4;
  struct State {
    std::mutex mutex;
    std::deque<Query> queue;  ///< guarded by mutex
    int threads = 0;          ///< guarded by mutex
  };

  static void work(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace zerowire
