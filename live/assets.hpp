/// \file
/// The parts of the live page, put into the program by the build (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace sluice::live_assets {

extern const std::string_view live_html, live_css, live_js;

}  // namespace sluice::live_assets
