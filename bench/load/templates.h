// Messages with holes. {mark} and {id} have a fixed width, so that an event is a copy with digits patched in.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// "~q" sequence number "t" publish time in ns "~": found in any message by its tildes, whatever wraps it.
#define MARK_SEQ_DIGITS 10
#define MARK_STAMP_DIGITS 19
#define MARK_LEN (2 + MARK_SEQ_DIGITS + 1 + MARK_STAMP_DIGITS + 1)
#define ID_LEN 36
#define MAX_HOLES 4

struct fixed {
  char *text;
  size_t len;
  size_t mark_count, id_count;
  size_t marks[MAX_HOLES], ids[MAX_HOLES];
};

struct templates {
  struct fixed event;
  struct fixed frame_head, frame_tail;
  struct fixed ack_head, ack_tail;
  const char *separator;
  size_t separator_len;
  uint64_t random;
};

struct options;

// Cuts the templates of the options into their parts; false when memory is out or a template has too many holes.
bool templates_build(struct templates *templates, const struct options *options);

// Writes `fixed` at `out` with its holes filled; returns its length.
size_t fixed_write(struct templates *templates, const struct fixed *fixed, char *out, uint64_t seq, uint64_t stamp_ns);

// Reads a mark that starts at `p`, which has at least MARK_LEN bytes; false when it is none.
bool mark_read(const char *p, uint64_t *seq, uint64_t *stamp_ns);
