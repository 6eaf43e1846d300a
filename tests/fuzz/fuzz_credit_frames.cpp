// The readers of credit packets over arbitrary bytes: what they accept is written again as it was.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "traffic/credit_frames.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto read = sluice::read_pcie_flow({data, size})) {
    const auto again = sluice::write_pcie_flow(*read);
    if (!std::equal(again.begin(), again.end(), data, data + size))
      std::abort();
  }
  if (const auto read = sluice::read_ib_flow({data, size})) {
    const auto again = sluice::write_ib_flow(*read);
    if (!std::equal(again.begin(), again.end(), data, data + size))
      std::abort();
  }
  return 0;
}
