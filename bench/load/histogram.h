// A histogram of durations in nanoseconds: 64 steps to each power of two, so that a quantile is at most 1.6 % off.
#pragma once
#include <stdint.h>

#define HISTOGRAM_STEP_BITS 6
#define HISTOGRAM_STEPS (1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_SLOTS (44u * HISTOGRAM_STEPS)

struct histogram {
  uint64_t count;
  uint64_t max_ns;
  uint64_t slots[HISTOGRAM_SLOTS];
};

static inline unsigned histogram_slot(uint64_t ns) {
  if (ns < HISTOGRAM_STEPS) return (unsigned)ns;
  unsigned power = 63u - (unsigned)__builtin_clzll(ns);
  unsigned shift = power - HISTOGRAM_STEP_BITS;
  unsigned slot = (shift + 1) * HISTOGRAM_STEPS + (unsigned)((ns >> shift) - HISTOGRAM_STEPS);
  return slot < HISTOGRAM_SLOTS ? slot : HISTOGRAM_SLOTS - 1;
}

static inline void histogram_record(struct histogram *h, uint64_t ns) {
  h->count++;
  if (ns > h->max_ns) h->max_ns = ns;
  h->slots[histogram_slot(ns)]++;
}

// The upper edge of the step that holds the quantile `q` (0 to 1), in nanoseconds; 0 when nothing was recorded.
static inline uint64_t histogram_quantile(const struct histogram *h, double q) {
  if (!h->count) return 0;
  uint64_t rank = (uint64_t)(q * (double)(h->count - 1));
  uint64_t seen = 0;
  for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
    seen += h->slots[slot];
    if (seen <= rank) continue;
    if (slot < HISTOGRAM_STEPS) return slot;
    unsigned shift = slot / HISTOGRAM_STEPS - 1;
    uint64_t edge = ((uint64_t)(slot % HISTOGRAM_STEPS) + HISTOGRAM_STEPS + 1) << shift;
    return edge < h->max_ns ? edge : h->max_ns;
  }
  return h->max_ns;
}
