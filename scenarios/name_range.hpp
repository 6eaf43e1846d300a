/// \file
/// Names of many at once: `vm[1-2000]` stands for `vm1` to `vm2000`, `vm[01-16]` for `vm01` to
/// `vm16`, as in the host lists of cluster tools. At most one range in a name; what stands behind
/// the bracket belongs to each name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// How many names a range may stand for: as many as a host may have VMs.
inline constexpr std::size_t max_range = 32'768;

/// And all ranges of a file together: a small file stays a small scenario.
inline constexpr std::size_t max_ranges = 500'000;

struct name_range {
  std::vector<std::string> names;  ///< in order; one if there is no range; empty: it is wrong
  std::string wrong;               ///< how, and what to write instead
};

/// \param text a name, or several: nothing is said here of its letters.
name_range expand_name(std::string_view text);

}  // namespace sluice
