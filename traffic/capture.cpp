#include "traffic/capture.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>

#include "traffic/capture_formats.hpp"
#include "traffic/units.hpp"

namespace sluice {

namespace {

using bytes = std::span<const std::uint8_t>;

struct known_start {
  std::array<std::uint8_t, 6> bytes;
  std::size_t size;
  const char* format;
  const char* remedy;
};

constexpr known_start compressed_starts[] = {
    {{0x1f, 0x8b}, 2, "gzip", "gunzip"},           {{0x28, 0xb5, 0x2f, 0xfd}, 4, "zstd", "unzstd"},
    {{0x04, 0x22, 0x4d, 0x18}, 4, "lz4", "unlz4"}, {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, "xz", "unxz"},
    {{'B', 'Z', 'h'}, 3, "bzip2", "bunzip2"},      {{'P', 'K', 3, 4}, 4, "zip", "unzip"},
};

[[noreturn]] void refuse(traffic_ec code, const file_window& window, std::string message) {
  throw capture_error{code, window.name(), 0, 0, std::move(message)};
}

bool is_classic_magic(std::uint32_t magic) {
  for (const std::uint32_t known : {0xa1b2c3d4u, 0xa1b23c4du, 0xa1b2cd34u, 0xa12b3c4du})
    if (magic == known || magic == __builtin_bswap32(known))
      return true;
  return false;
}

std::unique_ptr<capture_reader::impl> make_reader(std::unique_ptr<file_window> window) {
  const bytes start = window->at(0, 6);
  if (start.empty())
    refuse(traffic_ec::empty, *window, "is empty: not even a file header");
  for (const auto& known : compressed_starts)
    if (start.size() >= known.size
        && std::equal(known.bytes.begin(), known.bytes.begin() + known.size, start.begin()))
      refuse(traffic_ec::compressed, *window,
             fmt::format("is compressed ({}): {} it first", known.format, known.remedy));
  if (start.size() < 4)
    refuse(traffic_ec::not_a_capture, *window,
           fmt::format("is no capture: it has only {} bytes", start.size()));
  const std::uint32_t magic =
      static_cast<std::uint32_t>(start[0]) << 24 | start[1] << 16 | start[2] << 8 | start[3];
  if (magic == 0x0a0d0d0a)
    return make_pcapng_reader(std::move(window));
  if (is_classic_magic(magic))
    return make_pcap_reader(std::move(window));
  refuse(traffic_ec::not_a_capture, *window,
         fmt::format("is no capture: it begins with {:02x} {:02x} {:02x} {:02x}, neither pcap nor "
                     "pcapng",
                     start[0], start[1], start[2], start[3]));
}

}  // namespace

std::string link_type_name(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  return name != nullptr ? name : fmt::format("DLT_{}", link_type);
}

void capture_reader::impl::fail(traffic_ec code, std::uint64_t offset, std::string message) const {
  throw capture_error{code, window_->name(), packets_ + 1, offset, std::move(message)};
}

void capture_reader::impl::check_lengths(std::uint64_t offset, std::uint32_t captured,
                                         std::uint32_t wire, std::uint64_t remain,
                                         bool file_ends_there) const {
  if (captured > max_frame_bytes || wire > max_frame_bytes)
    fail(traffic_ec::bad_length, offset,
         fmt::format("corrupt: header promises {} bytes of {}, no frame has more than {}", captured,
                     wire, max_frame_bytes));
  if (captured > wire)
    fail(traffic_ec::bad_length, offset,
         fmt::format("corrupt: {} bytes captured of a packet of {}", captured, wire));
  if (captured > remain && file_ends_there)
    fail(traffic_ec::cut_off, offset,
         fmt::format("cut off: header promises {} bytes, {} remain", captured, remain));
  if (captured > remain)
    fail(traffic_ec::bad_length, offset,
         fmt::format("corrupt: header promises {} bytes, its block has {}", captured, remain));
}

capture_reader::capture_reader(const std::string& file)
    : impl_{make_reader(std::make_unique<file_window>(file))} {}

capture_reader::capture_reader(std::span<const std::uint8_t> bytes, const std::string& name)
    : impl_{make_reader(std::make_unique<file_window>(bytes, name))} {}

capture_reader::capture_reader(capture_reader&&) noexcept = default;
capture_reader& capture_reader::operator=(capture_reader&&) noexcept = default;
capture_reader::~capture_reader() = default;

bool capture_reader::next(capture_record& record) {
  return impl_->next(record);
}

capture_reader::format capture_reader::kind() const {
  return impl_->kind_;
}

const std::vector<capture_interface>& capture_reader::interfaces() const {
  return impl_->interfaces_;
}

std::uint64_t capture_reader::file_bytes() const {
  return impl_->window_->size();
}

std::uint64_t capture_reader::file_version() const {
  return impl_->window_->version();
}

const std::string& capture_reader::file() const {
  return impl_->window_->name();
}

}  // namespace sluice
