// The VXLAN decoder over arbitrary bytes: whatever comes, it returns, the inner frame lies within
// the input, and what it accepts without IP options or a checksum of its own comes out of the
// encoder again as it was read.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "traffic/vxlan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = sluice::decapsulate_vxlan({data, size});
  if (!read) {
    if (sluice::to_string(read.code).empty() || !read.inner.empty())
      std::abort();
    return 0;
  }
  if (read.inner.data() < data || read.inner.data() + read.inner.size() > data + size)
    std::abort();
  static std::array<std::uint8_t, 70'000> out;
  const auto written = sluice::encapsulate_vxlan(read.outer, read.inner, out);
  if (!written)
    return 0;  // too long for IPv4 with these headers
  const auto again = sluice::decapsulate_vxlan(written.bytes);
  if (!again || !(again.outer == read.outer) || again.inner.size() != read.inner.size())
    std::abort();
  return 0;
}
