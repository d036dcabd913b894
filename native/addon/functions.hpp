// The functions that JavaScript calls; what each does is said at the same name in lib/native.ts.
#pragma once

#include <node_api.h>

#include "environment.hpp"

namespace zerowire::addon {

/// `args` has as many elements as the function is registered with in module.cpp; those that
/// JavaScript left out are undefined. Null is returned with an exception pending.
using Args = const napi_value*;

napi_value init(Environment& env, Args args);
napi_value ref(Environment& env, Args args);
napi_value ready(Environment& env, Args args);
napi_value arm(Environment& env, Args args);
napi_value readiness(Environment& env, Args args);
napi_value lingering(Environment& env, Args args);
napi_value finish(Environment& env, Args args);

napi_value default_context(Environment& env, Args args);
napi_value create_context(Environment& env, Args args);
napi_value context_option(Environment& env, Args args);
napi_value set_context_option(Environment& env, Args args);
napi_value release_context(Environment& env, Args args);

napi_value create_socket(Environment& env, Args args);
napi_value close_socket(Environment& env, Args args);
napi_value set_option_number(Environment& env, Args args);
napi_value set_option_string(Environment& env, Args args);
napi_value get_option_number(Environment& env, Args args);
napi_value get_option_string(Environment& env, Args args);

napi_value bind(Environment& env, Args args);
napi_value unbind(Environment& env, Args args);
napi_value connect(Environment& env, Args args);
napi_value disconnect(Environment& env, Args args);
napi_value subscribe(Environment& env, Args args);
napi_value unsubscribe(Environment& env, Args args);

napi_value send(Environment& env, Args args);
napi_value send_parts(Environment& env, Args args);
napi_value send_packed(Environment& env, Args args);
napi_value stable(Environment& env, Args args);
napi_value room(Environment& env, Args args);
napi_value flush(Environment& env, Args args);
napi_value drive(Environment& env, Args args);
napi_value receive(Environment& env, Args args);

napi_value monitor(Environment& env, Args args);
napi_value next_event(Environment& env, Args args);

napi_value proxy(Environment& env, Args args);
napi_value proxy_control(Environment& env, Args args);

/// The context behind a handle from JavaScript; null, with EFAULT pending, once released.
std::shared_ptr<SharedContext> context_of(Environment& env, napi_value handle);

}  // namespace zerowire::addon
