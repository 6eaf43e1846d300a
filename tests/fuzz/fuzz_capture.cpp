// Any bytes as a capture: read, summed up, replayed from memory and streamed. Nothing may crash,
// read beyond the bytes, or give two different schedules; errors are capture_error or
// traffic_error.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "traffic/capture_info.hpp"
#include "traffic/headers.hpp"
#include "traffic/replay.hpp"

namespace {

using namespace sluice;
using input = std::span<const std::uint8_t>;

void require(bool truth, const char* what) {
  if (!truth) {
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
  }
}

void read(input bytes) {
  try {
    capture_reader reader{bytes, "fuzz"};
    capture_record record;
    std::uint64_t number = 0;
    while (reader.next(record)) {
      require(record.number == ++number, "packets are numbered from 1");
      require(record.offset + record.data.size() <= bytes.size(), "packets lie in the file");
      require(record.data.size() <= record.wire_bytes, "no more is captured than was");
      require(record.interface < reader.interfaces().size(), "each interface is known");
      if (record.link_type == 1)
        require(std::equal(record.data.begin(), record.data.end(),
                           bytes.begin() + static_cast<long>(record.offset)),
                "the offset is that of the bytes");
      // A copy of its own, so that the sanitizer sees its end.
      const std::vector<std::uint8_t> copy{record.data.begin(), record.data.end()};
      const auto headers = parse_headers(record.link_type, copy);
      ethernet_bytes(record.link_type, headers, record.wire_bytes);
    }
  } catch (const capture_error&) {
  }
}

void sum_up(input bytes) {
  try {
    capture_reader reader{bytes, "fuzz"};
    const auto info = read_capture_info(reader);
    require(info.captured_bytes <= bytes.size(), "no more is captured than the file has");
    require(!to_text(info).empty(), "there is a text");
  } catch (const capture_error&) {
  }
}

// The last bytes of the input choose the settings: the first must be a file header.
replay_config settings_of(input bytes, const std::string& path) {
  const auto byte = [&](std::size_t from_end) -> unsigned {
    return bytes.size() > from_end ? bytes[bytes.size() - 1 - from_end] : 0u;
  };
  replay_config config;
  config.file = path;
  config.to = {1};
  config.timing.how = static_cast<replay_timing::mode>(byte(0) % 5);
  config.timing.repeat = 1 + byte(0) / 5 % 3;
  config.timing.speed_num = 1 + byte(1);
  config.timing.speed_den = 1 + byte(2);
  config.timing.rate_bps = 1 + byte(1) * 50'000'000ull;
  config.timing.pps = 1 + byte(1) * 50'000ull;
  config.oversize = byte(3) % 2 == 0 ? oversize_rule::split : oversize_rule::drop;
  if (byte(3) % 4 < 2)
    config.timing.max_gap = byte(4) * microsecond;
  if (byte(3) % 16 == 3)
    config.filter = "tcp or udp or greater 60";
  if (byte(3) % 16 < 8)
    config.map = {{*net_address::parse("10.0.0.1"), 0},
                  {*net_address::parse("10.0.0.2"), 1},
                  {*net_address::parse("fd00::a00:1"), 0},
                  {*net_address::parse("fd00::a00:2"), 1}};
  const auto max_frame = 64 + byte(5) * 8;
  config.max_frame = [max_frame](std::uint32_t) { return max_frame; };
  return config;
}

std::vector<emission> some(traffic_source& source) {
  std::vector<emission> out(300);
  out.resize(source.next(out));
  return out;
}

void play(input bytes) {
  static const int fd = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (::ftruncate(fd, 0) != 0
      || ::pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return;
  try {
    auto config = settings_of(bytes, path);
    const auto kept = replay::open(config);
    config.max_records_in_memory = 0;
    const auto streamed = replay::open(config);
    for (const auto endpoint : kept.producers()) {
      const auto a = some(*kept.source_for(endpoint)), b = some(*streamed.source_for(endpoint));
      require(a.size() == b.size(), "streamed and kept schedules are as long");
      for (std::size_t i = 0; i != a.size(); ++i) {
        require(a[i].due == b[i].due && a[i].bytes == b[i].bytes && a[i].to == b[i].to
                    && a[i].frame.offset() == b[i].frame.offset(),
                "streamed and kept schedules are equal");
        require(i == 0 || a[i - 1].due <= a[i].due, "time does not go back");
      }
    }
  } catch (const traffic_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const input bytes{data, size};
  read(bytes);
  sum_up(bytes);
  play(bytes);
  return 0;
}
