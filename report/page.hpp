/// \file
/// Internal to report/: the frame of a page, with its data and the script that draws it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice {

enum class page_script : std::uint8_t { report, sweep };

/// \param title as text.
std::string page_html(std::string_view title, const nlohmann::json& data, page_script script);

}  // namespace sluice
