/// \file
/// The parts of the report's page, put into the program by the build (cmake/embed.cmake).
#pragma once

#include <string_view>

namespace sluice::report_assets {

extern const std::string_view page_html, diff_html, report_css, common_js, report_js, sweep_js;
extern const std::string_view uPlot_iife_min_js, uPlot_min_css, LICENSE;

}  // namespace sluice::report_assets
