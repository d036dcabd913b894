// Starting threads of the library's own.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace zerowire {

/// With all signals blocked, which are for the application's threads. False: no thread, and
/// `argument` is still the caller's.
inline bool start_thread(pthread_t& thread, void* (*run)(void*), void* argument) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const int error = pthread_create(&thread, nullptr, run, argument);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return error == 0;
}

}  // namespace zerowire
