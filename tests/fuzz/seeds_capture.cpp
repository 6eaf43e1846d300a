// Writes small captures of every kind into a folder: first inputs for fuzz_capture.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/traffic/capture_bytes.hpp"

using namespace sluice::test;

namespace {

std::filesystem::path folder;

void write(const std::string& name, const byte_string& bytes) {
  std::ofstream{folder / name, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                       static_cast<std::streamsize>(bytes.size()));
}

void write_pcaps() {
  const std::vector<packet_spec> packets{
      {1'000, make_frame({.bytes = 66}), 0},
      {3'000, make_frame({.protocol = 17, .bytes = 90, .tags = 1}), 4000},
      {2'000, make_frame({.bytes = 80, .ip6 = true}), 9000},
  };
  for (const bool big : {false, true})
    for (const bool ns : {false, true})
      write("pcap-" + std::to_string(big) + std::to_string(ns),
            make_pcap(packets, {.big_endian = big, .nanoseconds = ns}));
  for (const unsigned type : {0u, 101u, 108u, 113u, 147u, 228u, 229u, 276u})
    write("pcap-link-" + std::to_string(type), make_pcap(packets, {.link_type = type}));
}

void write_pcapng(bool big) {
  const auto frame = make_frame({.bytes = 66});
  pcapng_writer w{big};
  auto options = w.option(9, {9});
  const auto offset = w.option(14, w.number().u64(5).bytes);
  options.insert(options.end(), offset.begin(), offset.end());
  w.section().interface(1, 96).interface(101, 0, options).interface(1, 0, w.option(9, {0x8a}));
  w.enhanced(0, 9, frame).enhanced(1, 5, {frame.begin() + 14, frame.end()}, 3000);
  w.enhanced(2, 1, frame).obsolete(0, 3, frame).simple(66, frame).block(5, byte_string(8, 0));
  w.section().interface(113, 0).enhanced(0, 1, frame);
  write("pcapng-" + std::to_string(big), w.bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  folder = argv[1];
  std::filesystem::create_directories(folder);
  write_pcaps();
  write_pcapng(false);
  write_pcapng(true);
}
