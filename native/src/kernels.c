#include "kernels.h"

static bool runs(const kernel_set *set) {
#if defined(__x86_64__)
  if (set == &avx2_kernels) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }
#endif
  return set != NULL;
}

const kernel_set *available_kernels(size_t index) {
  static const kernel_set *const sets[] = {
#if defined(__x86_64__)
      &avx2_kernels,
#elif defined(__aarch64__)
      &neon_kernels,
#endif
      &portable_kernels,
  };
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    if (runs(sets[i]) && index-- == 0) return sets[i];
  }
  return NULL;
}
