// What a load process says of itself while it runs, and what it has cost.
#pragma once
#include <stdio.h>
#include <sys/resource.h>

// The phase that begins now, as a line of JSON: the bench starts and ends its own measuring with it.
static inline void announce(const char *phase) {
  printf("{\"phase\":\"%s\"}\n", phase);
  fflush(stdout);
}

// Processor time of this process so far.
static inline double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
