// A growable run of bytes with a bound: whoever fills it past the bound is told so, memory never grows in silence.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_LIMIT (256u << 20)

struct bytes {
  char *data;
  size_t len;
  size_t cap;
};

// Makes room for `extra` more bytes and returns where they go; NULL past the bound.
static inline char *bytes_reserve(struct bytes *b, size_t extra) {
  if (b->len + extra > BYTES_LIMIT) return NULL;
  if (b->len + extra > b->cap) {
    size_t cap = b->cap ? b->cap : 4096;
    while (cap < b->len + extra) cap *= 2;
    char *grown = realloc(b->data, cap);
    if (!grown) return NULL;
    b->data = grown;
    b->cap = cap;
  }
  return b->data + b->len;
}

static inline bool bytes_append(struct bytes *b, const void *data, size_t len) {
  char *at = bytes_reserve(b, len);
  if (!at) return false;
  memcpy(at, data, len);
  b->len += len;
  return true;
}

// Drops the first `len` bytes.
static inline void bytes_consume(struct bytes *b, size_t len) {
  b->len -= len;
  if (b->len) memmove(b->data, b->data + len, b->len);
}

static inline void bytes_free(struct bytes *b) {
  free(b->data);
  *b = (struct bytes){0};
}
