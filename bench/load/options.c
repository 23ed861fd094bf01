#include "options.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum flag {
  F_PORT = 1, F_MODE, F_CLIENTS, F_STALLED, F_STALLED_RCVBUF, F_WAKE, F_WINDOW, F_RATE, F_BATCH, F_REPLAY, F_CONNECTING,
  F_WARMUP, F_WINDOW_MS, F_DRAIN, F_HOLD, F_DEADLINE, F_SUBSCRIBE_PATH, F_PUBLISH_PATH, F_HEADER, F_SUBSCRIBE_SEND,
  F_SUBSCRIBE_EXPECT, F_PUBLISH_SEND, F_PUBLISH_EXPECT, F_REPLY, F_REFUSAL, F_EVENT, F_FRAME, F_SEPARATOR, F_ACK,
  F_ACK_BYTES, F_RANGES,
};

static const struct option FLAGS[] = {
  {"port", 1, 0, F_PORT}, {"mode", 1, 0, F_MODE}, {"clients", 1, 0, F_CLIENTS}, {"stalled", 1, 0, F_STALLED},
  {"stalled-rcvbuf", 1, 0, F_STALLED_RCVBUF}, {"wake", 0, 0, F_WAKE}, {"window", 1, 0, F_WINDOW},
  {"rate", 1, 0, F_RATE}, {"batch", 1, 0, F_BATCH}, {"replay", 1, 0, F_REPLAY}, {"connecting", 1, 0, F_CONNECTING},
  {"warmup-ms", 1, 0, F_WARMUP}, {"window-ms", 1, 0, F_WINDOW_MS}, {"drain-ms", 1, 0, F_DRAIN},
  {"hold-ms", 1, 0, F_HOLD}, {"deadline-ms", 1, 0, F_DEADLINE}, {"subscribe-path", 1, 0, F_SUBSCRIBE_PATH},
  {"publish-path", 1, 0, F_PUBLISH_PATH}, {"header", 1, 0, F_HEADER}, {"subscribe-send", 1, 0, F_SUBSCRIBE_SEND},
  {"subscribe-expect", 1, 0, F_SUBSCRIBE_EXPECT}, {"publish-send", 1, 0, F_PUBLISH_SEND},
  {"publish-expect", 1, 0, F_PUBLISH_EXPECT}, {"reply", 1, 0, F_REPLY}, {"refusal", 1, 0, F_REFUSAL},
  {"event", 1, 0, F_EVENT}, {"frame", 1, 0, F_FRAME}, {"separator", 1, 0, F_SEPARATOR}, {"ack", 1, 0, F_ACK},
  {"ack-bytes", 1, 0, F_ACK_BYTES}, {"ranges", 0, 0, F_RANGES}, {0, 0, 0, 0},
};

static bool wrong(const char *what, const char *value) {
  fprintf(stderr, "wsload: %s: %s\n", what, value ? value : "");
  return false;
}

static bool read_unsigned(const char *text, unsigned *out) {
  char *end = NULL;
  unsigned long value = strtoul(text, &end, 10);
  if (end == text || *end || value > 100000000ul) return wrong("not a count", text);
  *out = (unsigned)value;
  return true;
}

static bool read_mode(const char *text, struct options *o) {
  static const char *const names[] = {"saturate", "paced", "storm", "idle"};
  for (unsigned i = 0; i < 4; i++)
    if (!strcmp(text, names[i])) {
      o->mode = (enum mode)i;
      o->mode_name = names[i];
      return true;
    }
  return wrong("unknown mode", text);
}

static bool add_step(struct steps *steps, int kind, const char *text) {
  if (steps->count == MAX_STEPS) return wrong("too many steps", text);
  steps->at[steps->count].kind = kind;
  steps->at[steps->count++].text = text;
  return true;
}

// "2=3": the text before the first '=' is answered with the text after it.
static bool add_reply(struct options *o, char *text) {
  char *equals = strchr(text, '=');
  if (!equals || o->reply_count == MAX_REPLIES) return wrong("not a reply", text);
  *equals = 0;
  o->replies[o->reply_count++] = (struct reply){text, equals + 1};
  return true;
}

static bool apply(int flag, char *value, struct options *o) {
  unsigned number = 0;
  switch ((enum flag)flag) {
    case F_PORT:
      if (!read_unsigned(value, &number) || number > 65535) return false;
      o->port = (uint16_t)number;
      return true;
    case F_MODE: return read_mode(value, o);
    case F_CLIENTS: return read_unsigned(value, &o->clients);
    case F_STALLED: return read_unsigned(value, &o->stalled);
    case F_STALLED_RCVBUF:
      if (!read_unsigned(value, &number)) return false;
      o->stalled_rcvbuf = (int)number;
      return true;
    case F_WAKE: o->wake = true; return true;
    case F_WINDOW: return read_unsigned(value, &o->window);
    case F_RATE: o->rate = strtod(value, NULL); return o->rate > 0 || wrong("not a rate", value);
    case F_BATCH: return read_unsigned(value, &o->batch);
    case F_REPLAY: return read_unsigned(value, &o->replay);
    case F_CONNECTING: return read_unsigned(value, &o->connecting);
    case F_WARMUP: return read_unsigned(value, &o->warmup_ms);
    case F_WINDOW_MS: return read_unsigned(value, &o->window_ms);
    case F_DRAIN: return read_unsigned(value, &o->drain_ms);
    case F_HOLD: return read_unsigned(value, &o->hold_ms);
    case F_DEADLINE: return read_unsigned(value, &o->deadline_ms);
    case F_SUBSCRIBE_PATH: o->subscribe_path = value; return true;
    case F_PUBLISH_PATH: o->publish_path = value; return true;
    case F_HEADER:
      if (o->header_count == MAX_HEADERS) return wrong("too many headers", value);
      o->headers[o->header_count++] = value;
      return true;
    case F_SUBSCRIBE_SEND: return add_step(&o->subscribe_steps, STEP_SEND, value);
    case F_SUBSCRIBE_EXPECT: return add_step(&o->subscribe_steps, STEP_EXPECT, value);
    case F_PUBLISH_SEND: return add_step(&o->publish_steps, STEP_SEND, value);
    case F_PUBLISH_EXPECT: return add_step(&o->publish_steps, STEP_EXPECT, value);
    case F_REPLY: return add_reply(o, value);
    case F_REFUSAL:
      if (o->refusal_count == MAX_REFUSALS) return wrong("too many refusals", value);
      o->refusals[o->refusal_count++] = value;
      return true;
    case F_EVENT: o->event = value; return true;
    case F_FRAME: o->frame = value; return true;
    case F_SEPARATOR: o->separator = value; return true;
    case F_ACK: o->ack = value; return true;
    case F_ACK_BYTES:
      if (!read_unsigned(value, &number)) return false;
      o->ack_bytes = number;
      return true;
    case F_RANGES: o->ranges = true; return true;
  }
  return false;
}

bool options_parse(int argc, char **argv, struct options *o) {
  *o = (struct options){
    .mode = MODE_SATURATE, .mode_name = "saturate", .clients = 1, .window = 16, .rate = 100, .batch = 1,
    .connecting = 400, .warmup_ms = 500, .window_ms = 1500, .drain_ms = 3000, .hold_ms = 1000, .deadline_ms = 60000,
    .subscribe_path = "/sub", .publish_path = "/pub", .event = "{\"mark\":\"{mark}\"}", .frame = "{events}",
    .separator = ",", .ack_bytes = 65536,
  };
  int flag;
  while ((flag = getopt_long(argc, argv, "", FLAGS, NULL)) != -1)
    if (flag == '?' || !apply(flag, optarg, o)) return false;
  if (!o->port) return wrong("--port is missing", NULL);
  if (o->stalled >= o->clients && o->mode != MODE_IDLE && o->stalled) return wrong("no reader is left", NULL);
  if (!o->batch) o->batch = 1;
  if (!o->window) o->window = 1;
  if (!o->connecting) o->connecting = 1;
  if (!strstr(o->event, "{mark}")) return wrong("--event has no {mark}", o->event);
  if (!strstr(o->frame, "{events}")) return wrong("--frame has no {events}", o->frame);
  return true;
}
