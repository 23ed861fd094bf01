#include "load.h"
#include "websocket.h"

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

static void frame_append(struct load *load, struct connection *c, uint8_t opcode, size_t len, char **payload) {
  char *at = bytes_reserve(&c->out, len + WS_MAX_HEADER);
  *payload = NULL;
  if (!at) return load_fail(load, "the server takes nothing more", "", 0);
  size_t header = ws_write_header((uint8_t *)at, opcode, len, MASK);
  c->out.len += header + len;
  *payload = at + header;
}

void publish_frame(struct load *load, struct connection *c, uint8_t opcode, const char *data, size_t len) {
  char *payload;
  frame_append(load, c, opcode, len, &payload);
  if (!payload) return;
  if (len) memcpy(payload, data, len);
  ws_apply_mask((uint8_t *)payload, len, MASK);
}

void publish_events(struct load *load, unsigned count, const uint64_t *stamps_ns) {
  struct templates *t = &load->templates;
  struct connection *c = &load->publisher;
  for (unsigned done = 0; done < count;) {
    unsigned batch = count - done < load->options.batch ? count - done : load->options.batch;
    size_t len = t->frame_head.len + t->frame_tail.len + batch * t->event.len + (batch - 1) * t->separator_len;
    char *payload;
    frame_append(load, c, WS_TEXT, len, &payload);
    if (!payload) return;
    char *at = payload + fixed_write(t, &t->frame_head, payload, 0, 0);
    for (unsigned i = 0; i < batch; i++) {
      if (i) {
        memcpy(at, t->separator, t->separator_len);
        at += t->separator_len;
      }
      at += fixed_write(t, &t->event, at, load->published++, stamps_ns[done + i]);
    }
    fixed_write(t, &t->frame_tail, at, 0, 0);
    ws_apply_mask((uint8_t *)payload, len, MASK);
    done += batch;
  }
  connection_flush(load, c);
}
