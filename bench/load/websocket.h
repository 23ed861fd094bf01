// The part of RFC 6455 that both ends of a measurement need: whole frames, no fragments, no extensions.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Every client sends the RFC's sample key, so that the bare C server needs no SHA-1 to answer it.
#define WEBSOCKET_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WEBSOCKET_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_MAX_HEADER 14

struct ws_frame {
  bool fin;
  bool rsv;
  uint8_t opcode;
  bool masked;
  uint8_t mask[4];
  size_t header_len;
  uint64_t payload_len;
};

// Reads a frame's header. 1: read, 0: more bytes are needed.
static inline int ws_parse_header(const uint8_t *p, size_t len, struct ws_frame *frame) {
  if (len < 2) return 0;
  frame->fin = p[0] & 0x80;
  frame->rsv = p[0] & 0x70;
  frame->opcode = p[0] & 0x0f;
  frame->masked = p[1] & 0x80;
  uint64_t payload = p[1] & 0x7f;
  size_t at = 2;
  if (payload == 126) {
    if (len < 4) return 0;
    payload = ((uint64_t)p[2] << 8) | p[3];
    at = 4;
  } else if (payload == 127) {
    if (len < 10) return 0;
    payload = 0;
    for (int i = 2; i < 10; i++) payload = (payload << 8) | p[i];
    at = 10;
  }
  if (frame->masked) {
    if (len < at + 4) return 0;
    memcpy(frame->mask, p + at, 4);
    at += 4;
  }
  frame->header_len = at;
  frame->payload_len = payload;
  return 1;
}

// Writes a header and returns its length. `mask` NULL: unmasked, as servers send.
static inline size_t ws_write_header(uint8_t *out, uint8_t opcode, uint64_t payload_len, const uint8_t *mask) {
  size_t at = 2;
  uint8_t masked = mask ? 0x80 : 0;
  out[0] = 0x80 | opcode;
  if (payload_len < 126) {
    out[1] = masked | (uint8_t)payload_len;
  } else if (payload_len < 65536) {
    out[1] = masked | 126;
    out[2] = (uint8_t)(payload_len >> 8);
    out[3] = (uint8_t)payload_len;
    at = 4;
  } else {
    out[1] = masked | 127;
    for (int i = 0; i < 8; i++) out[2 + i] = (uint8_t)(payload_len >> (56 - 8 * i));
    at = 10;
  }
  if (mask) {
    memcpy(out + at, mask, 4);
    at += 4;
  }
  return at;
}

static inline void ws_apply_mask(uint8_t *data, size_t len, const uint8_t *mask) {
  for (size_t i = 0; i < len; i++) data[i] ^= mask[i & 3];
}
