/// \file
/// What a sender over PCI Express may have outstanding at its receiver: frames cut into
/// transactions of at most the payload size, each a header credit and one data credit for 16 bytes,
/// of one kind of transaction (posted writes of a NIC into its host, completions of what it reads
/// there).
///
/// The counters are those of the link, cumulative and modulo their width; see pcie_credits.hpp. A
/// frame that needs more credits than the receiver has at all goes when it has them all: its
/// transactions would go one after the other.
///
/// Source: PCI Express Base Specification 2.6.1; 2.2.2 (maximum payload size).
#pragma once

#include <algorithm>

#include "actors/logic/pcie_credits.hpp"

namespace sluice {

class pcie_window {
public:
  struct config {
    pcie_pool pool = pcie_pool::posted;
    pcie_credits granted;             ///< from the start on; 0: infinite
    std::uint32_t max_payload = 256;  ///< bytes of a transaction
    std::uint32_t apart = 0;  ///< bytes at the begin of a frame that lie in a buffer of their own
  };

  pcie_window() = default;
  explicit pcie_window(const config& c) : config_{c}, limit_{c.granted} {
    // More than half of what the counters hold could not be told from less than nothing.
    config_.granted.headers = std::min(c.granted.headers, 1u << (pcie_header_bits - 1));
    config_.granted.data = std::min(c.granted.data, 1u << (pcie_data_bits - 1));
    limit_ = config_.granted;
    sender_.init(config_.pool, config_.granted);
  }

  bool fits(std::uint32_t bytes) const { return sender_.may_send(config_.pool, need(bytes)); }
  /// \pre fits
  void send(std::uint32_t bytes) { sender_.send(config_.pool, need(bytes)); }
  /// The frame has left the receiver's buffer, and an UpdateFC has said so.
  void returned(std::uint32_t bytes) {
    const auto n = need(bytes);
    limit_.headers = (limit_.headers + n.headers) & ((1u << pcie_header_bits) - 1);
    limit_.data = (limit_.data + n.data) & ((1u << pcie_data_bits) - 1);
    sender_.update(config_.pool, limit_);
  }

  pcie_credits need(std::uint32_t bytes) const {
    const auto front = std::min(bytes, config_.apart);
    auto n = transactions(bytes - front);
    if (front != 0) {
      const auto m = transactions(front);
      n.headers += m.headers;
      n.data += m.data;
    }
    if (config_.granted.headers != 0)
      n.headers = std::min(n.headers, config_.granted.headers);
    if (config_.granted.data != 0)
      n.data = std::min(n.data, config_.granted.data);
    return n;
  }

private:
  // Of a buffer.
  pcie_credits transactions(std::uint32_t bytes) const {
    const auto whole = bytes / config_.max_payload, rest = bytes % config_.max_payload;
    auto n = pcie_need(rest);
    n.headers = whole + (rest != 0 ? 1 : 0);
    n.data += whole * pcie_need(config_.max_payload).data;
    return n;
  }

  config config_;
  pcie_credits limit_;
  pcie_credit_sender sender_;
};

}  // namespace sluice
