// Tensors of one shape as runs of elements that lie side by side in all of them, so that what works
// element by element needs a loop over one run only.
#ifndef PARE_KERNELS_ELEMENT_RUNS_HPP
#define PARE_KERNELS_ELEMENT_RUNS_HPP

#include <pare/core/checked.hpp>
#include <pare/core/parallel.hpp>
#include <pare/core/tensor_view.hpp>

namespace pare::detail {
inline namespace PARE_ABI {

/// How `Views` tensors of one shape are walked.
///
/// Axes that follow each other without gaps are one; the innermost is the run. A stride of 0
/// repeats.
template <std::size_t Views, std::size_t Rank>
struct element_runs {
  index_t length = 1;            ///< elements of a run
  index_t count = 1;             ///< runs
  std::size_t axes = 0;          ///< that are stepped through, outermost last
  index_t shape[Rank + 1] = {};  ///< of these axes
  index_t strides[Views][Rank + 1] = {};
};

/// Whether elements along the last axis lie side by side.
template <class View>
constexpr bool has_unit_run(const View& v) noexcept {
  return View::rank() == 0 || v.extent(View::rank() - 1) <= 1 || v.stride(View::rank() - 1) == 1;
}

template <class View>
constexpr status check_unit_run(const View& v, const char* subject) noexcept {
  if (has_unit_run(v)) return {};
  return {status_code::unsupported,
          "elements along the last axis must lie side by side; other axes may have any stride",
          subject, position_kind::axis, static_cast<index_t>(View::rank()) - 1};
}

/// The runs of tensors of the same shape, of which each has unit runs.
///
/// @param shape    [Rank]
/// @param strides  of each tensor
template <std::size_t Views, std::size_t Rank>
constexpr element_runs<Views, Rank> find_runs(const index_t* shape,
                                              const index_t (&strides)[Views][Rank + 1]) noexcept {
  element_runs<Views, Rank> runs;
  for (std::size_t r = Rank; r-- > 0;) {
    const index_t n = shape[r];
    if (n == 1) continue;
    // Whether this axis goes on where the one within it ends, in all tensors.
    bool goes_on = true;
    for (std::size_t v = 0; v < Views; ++v) {
      const index_t end =
          runs.axes == 0 ? runs.length : runs.strides[v][runs.axes - 1] * runs.shape[runs.axes - 1];
      goes_on = goes_on && strides[v][r] == end;
    }
    if (goes_on && runs.axes == 0) {
      runs.length *= n;
    } else if (goes_on) {
      runs.shape[runs.axes - 1] *= n;
    } else {
      runs.shape[runs.axes] = n;
      for (std::size_t v = 0; v < Views; ++v) runs.strides[v][runs.axes] = strides[v][r];
      ++runs.axes;
    }
  }
  for (std::size_t a = 0; a < runs.axes; ++a) runs.count *= runs.shape[a];
  return runs;
}

template <class First, class... Rest>
constexpr auto runs_of(const First& first, const Rest&... rest) noexcept {
  constexpr std::size_t rank = First::rank(), views = 1 + sizeof...(Rest);
  index_t shape[rank + 1] = {}, strides[views][rank + 1] = {};
  for (std::size_t r = 0; r < rank; ++r) {
    shape[r] = static_cast<index_t>(first.extent(r));
    const index_t all[] = {static_cast<index_t>(first.stride(r)),
                           static_cast<index_t>(rest.stride(r))...};
    for (std::size_t v = 0; v < views; ++v) strides[v][r] = all[v];
  }
  return find_runs<views, rank>(shape, strides);
}

/// f(offsets, n) for every run, or for parts of it: `offsets[v]` is where its n elements begin in
/// tensor v. Cut by shape into pieces of about `piece` elements, which may run in parallel.
template <std::size_t Views, std::size_t Rank, class Parallel, class F>
void for_each_run(const element_runs<Views, Rank>& runs, const Parallel& parallel_for, F f) {
  constexpr index_t piece = 16384;
  if (runs.length == 0 || runs.count == 0) return;
  if (runs.count == 1) {
    parallel_for(ceil_div(runs.length, piece), [&](index_t i) {
      index_t offsets[Views] = {};
      for (index_t& offset : offsets) offset = i * piece;
      f(offsets, min(piece, runs.length - i * piece));
    });
    return;
  }
  const index_t at_once = max<index_t>(1, piece / runs.length);
  parallel_for(ceil_div(runs.count, at_once), [&](index_t i) {
    index_t at[Rank + 1] = {}, offsets[Views] = {};
    index_t rest = i * at_once;
    for (std::size_t a = 0; a < runs.axes; rest /= runs.shape[a++]) {
      at[a] = rest % runs.shape[a];
      for (std::size_t v = 0; v < Views; ++v) offsets[v] += at[a] * runs.strides[v][a];
    }
    for (index_t run = i * at_once, last = min(runs.count, run + at_once);;) {
      f(offsets, runs.length);
      if (++run == last) return;
      for (std::size_t a = 0; a < runs.axes; ++a) {
        const bool carries = ++at[a] == runs.shape[a];
        const index_t steps = carries ? 1 - runs.shape[a] : 1;
        for (std::size_t v = 0; v < Views; ++v) offsets[v] += steps * runs.strides[v][a];
        if (!carries) break;
        at[a] = 0;
      }
    }
  });
}

}  // namespace PARE_ABI
}  // namespace pare::detail

#endif  // PARE_KERNELS_ELEMENT_RUNS_HPP
