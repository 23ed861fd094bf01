#include "templates.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void write_digits(char *out, uint64_t value, size_t digits) {
  for (size_t i = digits; i > 0; i--) {
    out[i - 1] = (char)('0' + value % 10);
    value /= 10;
  }
}

static void write_mark(char *out, uint64_t seq, uint64_t stamp_ns) {
  out[0] = '~';
  out[1] = 'q';
  write_digits(out + 2, seq, MARK_SEQ_DIGITS);
  out[2 + MARK_SEQ_DIGITS] = 't';
  write_digits(out + 3 + MARK_SEQ_DIGITS, stamp_ns, MARK_STAMP_DIGITS);
  out[MARK_LEN - 1] = '~';
}

static bool read_digits(const char *p, size_t digits, uint64_t *out) {
  uint64_t value = 0;
  for (size_t i = 0; i < digits; i++) {
    unsigned digit = (unsigned)(p[i] - '0');
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  *out = value;
  return true;
}

bool mark_read(const char *p, uint64_t *seq, uint64_t *stamp_ns) {
  if (p[0] != '~' || p[1] != 'q' || p[2 + MARK_SEQ_DIGITS] != 't' || p[MARK_LEN - 1] != '~') return false;
  return read_digits(p + 2, MARK_SEQ_DIGITS, seq) && read_digits(p + 3 + MARK_SEQ_DIGITS, MARK_STAMP_DIGITS, stamp_ns);
}

static uint64_t next_random(struct templates *t) {
  t->random ^= t->random << 13;
  t->random ^= t->random >> 7;
  t->random ^= t->random << 17;
  return t->random;
}

// A UUIDv7: 48 bits of milliseconds, then version, variant and random bits.
static void write_id(struct templates *t, char *out) {
  static const char hex[] = "0123456789abcdef";
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  uint64_t high = (ms << 16) | 0x7000 | (next_random(t) & 0x0fff);
  uint64_t low = (next_random(t) & 0x3fffffffffffffffull) | 0x8000000000000000ull;
  char *at = out;
  for (int i = 0; i < 32; i++) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *at++ = '-';
    uint64_t word = i < 16 ? high : low;
    *at++ = hex[(word >> (60 - 4 * (i & 15))) & 15];
  }
}

static bool build_fixed(struct fixed *fixed, const char *text, size_t len) {
  fixed->text = malloc(len * ID_LEN + 1);
  if (!fixed->text) return false;
  char *out = fixed->text;
  for (size_t i = 0; i < len;) {
    if (len - i >= 6 && !memcmp(text + i, "{mark}", 6)) {
      if (fixed->mark_count == MAX_HOLES) return false;
      fixed->marks[fixed->mark_count++] = (size_t)(out - fixed->text);
      out += MARK_LEN;
      i += 6;
    } else if (len - i >= 4 && !memcmp(text + i, "{id}", 4)) {
      if (fixed->id_count == MAX_HOLES) return false;
      fixed->ids[fixed->id_count++] = (size_t)(out - fixed->text);
      out += ID_LEN;
      i += 4;
    } else {
      *out++ = text[i++];
    }
  }
  fixed->len = (size_t)(out - fixed->text);
  return true;
}

// Splits `text` at its one variable hole.
static bool build_pair(struct fixed *head, struct fixed *tail, const char *text, const char *hole) {
  const char *at = strstr(text, hole);
  if (!at) return false;
  const char *rest = at + strlen(hole);
  return build_fixed(head, text, (size_t)(at - text)) && build_fixed(tail, rest, strlen(rest));
}

bool templates_build(struct templates *t, const struct options *o) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  *t = (struct templates){.separator = o->separator, .separator_len = strlen(o->separator)};
  t->random = ((uint64_t)now.tv_nsec << 20) ^ (uint64_t)now.tv_sec ^ 0x9e3779b97f4a7c15ull;
  if (!build_fixed(&t->event, o->event, strlen(o->event))) return false;
  if (!build_pair(&t->frame_head, &t->frame_tail, o->frame, "{events}")) return false;
  return !o->ack || build_pair(&t->ack_head, &t->ack_tail, o->ack, "{to}");
}

size_t fixed_write(struct templates *t, const struct fixed *fixed, char *out, uint64_t seq, uint64_t stamp_ns) {
  memcpy(out, fixed->text, fixed->len);
  for (size_t i = 0; i < fixed->mark_count; i++) write_mark(out + fixed->marks[i], seq, stamp_ns);
  for (size_t i = 0; i < fixed->id_count; i++) write_id(t, out + fixed->ids[i]);
  return fixed->len;
}
