#ifndef TOKENDB_BENCH_PEERS_ZIPF_H_
#define TOKENDB_BENCH_PEERS_ZIPF_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "bench/synthetic.h"

namespace tokendb::bench {

// Draws positions below `count`, the r-th most frequent of them in proportion
// to 1 / r^0.99 (Gray et al., "Quickly generating billion-record synthetic
// databases", 1994). Which positions are frequent is scattered.
class Zipf {
 public:
  Zipf(size_t count, uint64_t seed) : count_(count), random_(seed) {
    for (size_t i = 1; i <= count; ++i) {
      zeta_ += 1 / std::pow(static_cast<double>(i), kTheta);
    }
    const double zeta2 = 1 + 1 / std::pow(2.0, kTheta);
    eta_ = (1 - std::pow(2.0 / static_cast<double>(count), 1 - kTheta)) /
           (1 - zeta2 / zeta_);
  }

  size_t Next() {
    const double u = static_cast<double>(random_.Next() >> 11) * 0x1p-53;
    const double uz = u * zeta_;
    if (uz < 1) return Scatter(0);
    if (uz < 1 + std::pow(0.5, kTheta)) return Scatter(1);
    const auto rank =
        static_cast<size_t>(static_cast<double>(count_) *
                            std::pow(eta_ * u - eta_ + 1, 1 / (1 - kTheta)));
    return Scatter(rank < count_ ? rank : count_ - 1);
  }

 private:
  static constexpr double kTheta = 0.99;

  size_t Scatter(size_t rank) const { return Random(rank).Below(count_); }

  size_t count_;
  Random random_;
  double zeta_ = 0;
  double eta_ = 0;
};

}  // namespace tokendb::bench

#endif  // TOKENDB_BENCH_PEERS_ZIPF_H_
