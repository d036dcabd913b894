// Failures of the core and of arguments as JavaScript exceptions with `code` and `errno`.
#pragma once

#include <node_api.h>

#include <string>
#include <string_view>

#include "zerowire/error.hpp"

namespace zerowire::addon {

/// All of them leave an exception pending and return null, for `return throw_...(...)`.
/// An empty message stands for the text of the code; `address`, when not empty, becomes a property.
napi_value throw_error(napi_env env, Errc code, std::string_view message = {},
                       std::string_view address = {});
napi_value throw_error(napi_env env, const Error& error, std::string_view address = {});

/// EINVAL for a value of the wrong kind / of the right kind out of bounds.
napi_value throw_type_error(napi_env env, const std::string& message);
napi_value throw_range_error(napi_env env, const std::string& message);

/// Reports what a callback threw as an uncaught exception, as if it had thrown in a timer.
void report_uncaught(napi_env env);

}  // namespace zerowire::addon
