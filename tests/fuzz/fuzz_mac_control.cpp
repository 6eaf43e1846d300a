// The reader of MAC control frames over arbitrary bytes: it returns, and what it accepts comes out
// of the writer again as it was read.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "traffic/mac_control.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = sluice::read_mac_control({data, size});
  if (!read)
    return 0;
  std::array<std::uint8_t, sluice::mac_control_bytes> out;
  if (!sluice::write_mac_control(*read, out))
    std::abort();
  const auto again = sluice::read_mac_control(out);
  if (!again || again->what != read->what || !(again->source == read->source)
      || again->classes != read->classes || again->quanta != read->quanta)
    std::abort();
  return 0;
}
