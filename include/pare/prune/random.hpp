// Random pruning, the baseline that every criterion must beat: the same seed prunes the same
// weights on every machine.
//
// Uniform numbers by SplitMix64, counted instead of carried: Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014.
#ifndef PARE_PRUNE_RANDOM_HPP
#define PARE_PRUNE_RANDOM_HPP

#include <pare/prune/scores.hpp>

namespace pare {
namespace detail {

/// Number `index` of stream `seed`, uniform in [0, 1): 53 random bits.
constexpr PARE_ALWAYS_INLINE double uniform_number(std::uint64_t seed, index_t index) noexcept {
  const auto mixed = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15u;
  const std::uint64_t start = mixed(seed + golden);
  const std::uint64_t bits = mixed(start + (static_cast<std::uint64_t>(index) + 1) * golden);
  return static_cast<double>(bits >> 11) * (1.0 / 9007199254740992.0);
}

}  // namespace detail

inline namespace PARE_ABI {

/// Uniform scores in [0, 1): for `keep_channels` (channels at random), `prune_lowest`, N:M.
///
/// @param scores  float or double, any shape and layout
template <class S, class E, class L>
void random_scores(std::uint64_t seed, tensor_view<S, E, L> scores) noexcept {
  static_assert(std::is_same_v<S, float> || std::is_same_v<S, double>,
                "pare: scores are float or double");
  // 24 bits fit a float below 1.
  for_each_element(scores, [seed](S& s, index_t i) {
    const double u = detail::uniform_number(seed, i);
    s = std::is_same_v<S, float> ? static_cast<S>(static_cast<std::int64_t>(u * 0x1p24)) / S(0x1p24)
                                 : static_cast<S>(u);
  });
}

/// Prunes `pruned` of the weights that `mask` still keeps, at random.
///
/// @param pruned  `amount::count(n)` or `amount::fraction(f)` of what remains
/// @param mask    any shape and layout; in: not 0 for the weights still kept, out: 0 for those that
///                go now
/// @return `empty`, `invalid_argument` or `out_of_range` for the amount; `mask` is then untouched
///
/// Linear time; no allocation.
template <class E, class L>
[[nodiscard]] status prune_random(std::uint64_t seed, amount pruned,
                                  tensor_view<std::uint8_t, E, L> mask) noexcept {
  if (mask.empty()) return {status_code::empty, "there is nothing to prune", "mask"};
  return detail::prune_smallest<std::uint64_t>(
      pruned, [&mask](const auto& f) { f(mask, mask); },
      [seed](std::uint8_t, index_t i) {
        return detail::value_key(detail::uniform_number(seed, i));
      });
}

}  // namespace PARE_ABI
}  // namespace pare

#endif  // PARE_PRUNE_RANDOM_HPP
