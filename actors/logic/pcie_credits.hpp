/// \file
/// PCI Express flow control between two ends of a link: a sender may send what the receiver has
/// granted room for, counted by headers and by data, for each kind of transaction.
///
///     sender ──packets──▶ receiver        needs 1 header credit, and 1 data credit for 16 bytes
///            ◀─UpdateFC──                 credits granted since init, modulo 2^8 and 2^12
///
/// * Counters are cumulative and wrap: the sender compares modulo their width, so at most half of
///   the width may be outstanding. A receiver therefore never grants more than that.
/// * A pool that was announced with 0 credits is infinite, and is never updated.
/// * Lost updates do no harm: the next one says all.
/// * Packets of one kind do not wait for credits of another.
///
/// Source: PCI Express Base Specification 2.6.1 (rules, cumulative counters, FC_UPDATE).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "traffic/credit_frames.hpp"

namespace sluice {

/// Of one pool.
struct pcie_credits {
  std::uint32_t headers = 0, data = 0;
  friend bool operator==(const pcie_credits&, const pcie_credits&) = default;
};

/// What a transaction with so many bytes of payload needs.
constexpr pcie_credits pcie_need(std::uint32_t payload_bytes) {
  return {1, (payload_bytes + pcie_data_unit_bytes - 1) / pcie_data_unit_bytes};
}

class pcie_credit_sender {
public:
  /// InitFC: what the receiver has from the start. 0: infinite.
  void init(pcie_pool pool, pcie_credits granted) {
    auto& p = at(pool);
    p = {};
    p.infinite_headers = granted.headers == 0;
    p.infinite_data = granted.data == 0;
    p.limit = granted;
  }
  /// UpdateFC.
  void update(pcie_pool pool, pcie_credits limit) { at(pool).limit = limit; }

  bool may_send(pcie_pool pool, pcie_credits need) const {
    const auto& p = of_[static_cast<std::size_t>(pool)];
    return (p.infinite_headers
            || fits(p.limit.headers, p.consumed.headers + need.headers, pcie_header_bits))
           && (p.infinite_data || fits(p.limit.data, p.consumed.data + need.data, pcie_data_bits));
  }
  /// \pre may_send
  void send(pcie_pool pool, pcie_credits need) {
    auto& p = at(pool);
    p.consumed.headers = wrap(p.consumed.headers + need.headers, pcie_header_bits);
    p.consumed.data = wrap(p.consumed.data + need.data, pcie_data_bits);
  }

private:
  struct state {
    pcie_credits limit, consumed;
    bool infinite_headers = false, infinite_data = false;
  };

  static constexpr std::uint32_t wrap(std::uint32_t n, unsigned bits) {
    return n & ((1u << bits) - 1);
  }
  static bool fits(std::uint32_t limit, std::uint32_t required, unsigned bits) {
    return wrap(limit - required, bits) <= 1u << (bits - 1);
  }
  state& at(pcie_pool pool) { return of_[static_cast<std::size_t>(pool)]; }

  std::array<state, pcie_pools> of_{};
};

class pcie_credit_receiver {
public:
  /// \param room of the pool's buffer, in credits; 0: infinite. At most half of what the counters
  /// hold is of use.
  explicit pcie_credit_receiver(std::array<pcie_credits, pcie_pools> room) {
    for (std::size_t i = 0; i < pcie_pools; ++i) {
      auto& p = of_[i];
      p.room = {std::min(room[i].headers, 1u << (pcie_header_bits - 1)),
                std::min(room[i].data, 1u << (pcie_data_bits - 1))};
      p.granted = p.room;
    }
  }

  /// InitFC, before the first packet.
  pcie_credits initial(pcie_pool pool) const { return at(pool).room; }

  /// A packet has come. False: it has no room, a receiver overflow, which is an error of the
  /// sender's.
  bool arrive(pcie_pool pool, pcie_credits need) {
    auto& p = at(pool);
    if ((p.room.headers != 0 && p.held.headers + need.headers > p.room.headers)
        || (p.room.data != 0 && p.held.data + need.data > p.room.data))
      return false;
    p.held.headers += need.headers;
    p.held.data += need.data;
    return true;
  }
  /// A packet has left the buffer: its credits are granted again.
  void leave(pcie_pool pool, pcie_credits need) {
    auto& p = at(pool);
    p.held.headers -= need.headers;
    p.held.data -= need.data;
    p.granted.headers = (p.granted.headers + need.headers) & ((1u << pcie_header_bits) - 1);
    p.granted.data = (p.granted.data + need.data) & ((1u << pcie_data_bits) - 1);
  }
  /// What an UpdateFC says now.
  pcie_credits limit(pcie_pool pool) const { return at(pool).granted; }
  pcie_credits held(pcie_pool pool) const { return at(pool).held; }

private:
  struct state {
    pcie_credits room, held, granted;
  };
  state& at(pcie_pool pool) { return of_[static_cast<std::size_t>(pool)]; }
  const state& at(pcie_pool pool) const { return of_[static_cast<std::size_t>(pool)]; }

  std::array<state, pcie_pools> of_{};
};

}  // namespace sluice
