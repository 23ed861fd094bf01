// What a whole message means: events for a reader, something to answer, a refusal, or the next step of a script.
#define _GNU_SOURCE
#include "clock.h"
#include "load.h"
#include "websocket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool holds(const char *data, size_t len, const char *text) {
  return memmem(data, len, text, strlen(text)) != NULL;
}

static void count_event(struct load *load, struct connection *c, uint64_t seq, uint64_t stamp_ns, uint64_t now) {
  if (seq > c->expected) load->gaps += seq - c->expected;
  if (seq < c->expected) {
    load->dups++;
    return;
  }
  c->expected = seq + 1;
  c->received++;
  if (c->stalled || load->options.mode == MODE_STORM) return;
  bool in_window = load->phase == PHASE_WINDOW;
  if (in_window) load->deliveries++;
  // Paced events belong to the window by the time they were due, however late they come: no coordinated omission.
  bool timed = load->options.mode == MODE_PACED
                 ? stamp_ns >= load->window_start_ns && stamp_ns < load->window_end_ns && load->phase >= PHASE_WINDOW
                 : in_window;
  if (timed) histogram_record(&load->latency, now - stamp_ns);
  if (load->options.mode != MODE_SATURATE) return;
  unsigned readers = load->options.clients - load->options.stalled;
  load->ring[seq % RING_SIZE]++;
  while (load->complete < load->published && load->ring[load->complete % RING_SIZE] >= readers) {
    load->ring[load->complete % RING_SIZE] = 0;
    load->complete++;
  }
}

static uint64_t number_after(const char *data, size_t len, const char *name) {
  const char *at = memmem(data, len, name, strlen(name));
  return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void check_range(struct load *load, struct connection *c, const char *data, size_t len) {
  size_t head = len < 256 ? len : 256;
  uint64_t from = number_after(data, head, "\"from\":");
  uint64_t to = number_after(data, head, "\"to\":");
  if (!from || !to) return;
  if (c->last_to && from != c->last_to + 1) load->range_faults++;
  c->last_to = to;
}

static void acknowledge(struct load *load, struct connection *c) {
  struct templates *t = &load->templates;
  char text[1024];
  if (t->ack_head.len + t->ack_tail.len + 24 > sizeof text) return load_fail(load, "the ack is too long", "", 0);
  size_t len = fixed_write(t, &t->ack_head, text, 0, 0);
  len += (size_t)sprintf(text + len, "%llu", (unsigned long long)c->last_to);
  len += fixed_write(t, &t->ack_tail, text + len, 0, 0);
  publish_frame(load, c, WS_TEXT, text, len);
  c->unacked_bytes = 0;
}

static unsigned scan_events(struct load *load, struct connection *c, const char *data, size_t len) {
  unsigned found = 0;
  const char *end = data + len;
  for (const char *at = data; end - at >= MARK_LEN; at++) {
    at = memchr(at, '~', (size_t)(end - at) - MARK_LEN + 1);
    if (!at) break;
    uint64_t seq, stamp_ns;
    if (!mark_read(at, &seq, &stamp_ns)) continue;
    count_event(load, c, seq, stamp_ns, clock_ns());
    at += MARK_LEN - 1;
    found++;
  }
  return found;
}

void deliver_message(struct load *load, struct connection *c, const char *data, size_t len) {
  unsigned events = c->role == ROLE_SUBSCRIBER ? scan_events(load, c, data, len) : 0;
  if (events) {
    if (load->phase == PHASE_WINDOW && !c->stalled) {
      load->messages++;
      load->delivered_bytes += len;
    }
    if (load->options.ranges) check_range(load, c, data, len);
    c->unacked_bytes += len;
    if (load->options.ack && c->unacked_bytes >= load->options.ack_bytes) acknowledge(load, c);
    return;
  }
  for (size_t i = 0; i < load->options.reply_count; i++) {
    const struct reply *reply = &load->options.replies[i];
    if (strlen(reply->when) != len || memcmp(reply->when, data, len)) continue;
    return publish_frame(load, c, WS_TEXT, reply->then, strlen(reply->then));
  }
  for (size_t i = 0; i < load->options.refusal_count; i++)
    if (holds(data, len, load->options.refusals[i])) return load_fail(load, "the server refused: ", data, len);
  if (c->link != LINK_SCRIPT) return;
  const struct steps *steps = c->role == ROLE_PUBLISHER ? &load->options.publish_steps : &load->options.subscribe_steps;
  const struct step *step = &steps->at[c->step];
  if (step->kind == STEP_EXPECT && holds(data, len, step->text)) c->step++;
}
