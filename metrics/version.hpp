/// \file
/// The version of the program, as CMake's project() states it.
#pragma once

#include <string_view>

namespace sluice {

inline constexpr std::string_view sluice_version = SLUICE_VERSION;

}  // namespace sluice
