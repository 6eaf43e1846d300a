// Classic pcap over libpcap. The lengths in each packet's header are looked at before libpcap sees
// it: so nothing is allocated for a length that lies, an error can name its place, and the offset
// of the packet's bytes is known even where libpcap cuts a packet to the file's snap length.
#include <fmt/format.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "traffic/capture_formats.hpp"

namespace sluice {

namespace {

constexpr std::size_t file_header_bytes = 24;
constexpr std::size_t stream_buffer_bytes = 4096;

class pcap_reader final : public capture_reader::impl {
public:
  explicit pcap_reader(std::unique_ptr<file_window> window)
      : impl{capture_reader::format::pcap, std::move(window)} {
    read_file_header();
    open_pcap();
    interfaces_.push_back(
        {pcap_datalink(pcap_), static_cast<std::uint32_t>(std::max(pcap_snapshot(pcap_), 0)), 0});
  }

  ~pcap_reader() override {
    if (pcap_ != nullptr)
      pcap_close(pcap_);
  }

  bool next(capture_record& record) override {
    if (at_ == window_->size())
      return false;
    const auto lengths = read_lengths();
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    if (pcap_next_ex(pcap_, &header, &data) != 1)
      fail(traffic_ec::cannot_read, at_, fmt::format("libpcap: {}", pcap_geterr(pcap_)));
    record.number = ++packets_;
    // The field is unsigned in the file: libpcap's own type would end in 2038.
    record.timestamp_ns =
        std::int64_t{static_cast<std::uint32_t>(header->ts.tv_sec)} * 1'000'000'000
        + header->ts.tv_usec;
    record.stamped = true;
    record.wire_bytes = lengths.wire;
    record.interface = 0;
    record.link_type = interfaces_[0].link_type;
    record.offset = at_ + packet_header_bytes_;
    record.data = {data, std::min(header->caplen, lengths.captured)};
    ++interfaces_[0].packets;
    at_ = record.offset + lengths.captured;
    return true;
  }

private:
  struct packet_lengths {
    std::uint32_t captured, wire;
  };

  void read_file_header() {
    const auto header = window_->at(0, file_header_bytes);
    if (header.size() < file_header_bytes)
      throw capture_error{traffic_ec::cut_off, window_->name(), 0, 0,
                          fmt::format("cut off: a pcap file header has {} bytes, the file {}",
                                      file_header_bytes, header.size())};
    std::uint32_t magic = 0;
    std::memcpy(&magic, header.data(), 4);
    swapped_ = magic >> 16 != 0xa1b2 && magic >> 16 != 0xa12b;
    if (swapped_)
      magic = __builtin_bswap32(magic);
    if (magic == 0xa1b2cd34)  // Kuznetsov's variant: interface, protocol and direction follow
      packet_header_bytes_ = 24;
    // As libpcap has it: up to 2.2 the two lengths stood in the other order, in 2.3 in either.
    const auto major = field16(header, 4), minor = field16(header, 6);
    lengths_swapped_ = (major == 2 && minor < 3) || major == 543;
    lengths_uncertain_ = major == 2 && minor == 3;
  }

  void open_pcap() {
    cookie_io_functions_t functions{};
    functions.read = &pcap_reader::read_for_libpcap;
    std::FILE* stream = fopencookie(this, "rb", functions);
    if (stream == nullptr)
      throw std::bad_alloc{};
    // Not unbuffered, though the window is buffer enough: glibc would then call for each byte.
    std::setvbuf(stream, nullptr, _IOFBF, stream_buffer_bytes);
    char error[PCAP_ERRBUF_SIZE] = {};
    pcap_ = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, error);
    if (pcap_ == nullptr) {
      std::fclose(stream);
      throw capture_error{traffic_ec::unsupported, window_->name(), 0, 0,
                          fmt::format("libpcap: {}", error)};
    }
  }

  packet_lengths read_lengths() const {
    const auto header = window_->at(at_, packet_header_bytes_);
    if (header.size() < packet_header_bytes_)
      fail(traffic_ec::cut_off, at_,
           fmt::format("cut off: a packet header has {} bytes, {} remain", packet_header_bytes_,
                       header.size()));
    packet_lengths found{field32(header, 8), field32(header, 12)};
    if (lengths_swapped_ || (lengths_uncertain_ && found.captured > found.wire))
      std::swap(found.captured, found.wire);
    check_lengths(at_, found.captured, found.wire, window_->size() - at_ - packet_header_bytes_,
                  true);
    return found;
  }

  std::uint16_t field16(std::span<const std::uint8_t> data, std::size_t at) const {
    std::uint16_t value = 0;
    std::memcpy(&value, data.data() + at, 2);
    return swapped_ ? __builtin_bswap16(value) : value;
  }

  std::uint32_t field32(std::span<const std::uint8_t> data, std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, data.data() + at, 4);
    return swapped_ ? __builtin_bswap32(value) : value;
  }

  // libpcap is C: an exception must not pass through it.
  static ssize_t read_for_libpcap(void* self, char* to, std::size_t bytes) noexcept {
    auto& reader = *static_cast<pcap_reader*>(self);
    try {
      // From the current packet on, so that the window is not moved past the header that is looked
      // at next. libpcap is at most a buffer and a packet ahead.
      const auto ahead =
          static_cast<std::size_t>(reader.libpcap_at_ - std::min(reader.at_, reader.libpcap_at_));
      const auto from =
          reader.window_->at(reader.libpcap_at_ - ahead, ahead + bytes).subspan(ahead);
      std::copy(from.begin(), from.end(), to);
      reader.libpcap_at_ += from.size();
      return static_cast<ssize_t>(from.size());
    } catch (...) {
      return -1;
    }
  }

  pcap_t* pcap_ = nullptr;
  bool swapped_ = false;
  bool lengths_swapped_ = false;
  bool lengths_uncertain_ = false;
  std::size_t packet_header_bytes_ = 16;
  std::uint64_t at_ = file_header_bytes;  // the next packet's header
  std::uint64_t libpcap_at_ = 0;          // how far libpcap has read
};

}  // namespace

std::unique_ptr<capture_reader::impl> make_pcap_reader(std::unique_ptr<file_window> window) {
  return std::make_unique<pcap_reader>(std::move(window));
}

}  // namespace sluice
