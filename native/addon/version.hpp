// The version of the package; the same as in package.json.
#pragma once

#include <string_view>

namespace zerowire::addon {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace zerowire::addon
