// One WebSocket connection: connect, upgrade, go through the script, then read whole messages.
#define _GNU_SOURCE
#include "clock.h"
#include "load.h"
#include "socket.h"
#include "websocket.h"
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void watch(struct load *load, struct connection *c, int operation) {
  struct epoll_event event = {.data.ptr = c};
  event.events = (c->reading ? EPOLLIN : 0) | (c->want_write ? EPOLLOUT : 0);
  epoll_ctl(load->epoll, operation, c->fd, &event);
}

void connection_set_reading(struct load *load, struct connection *c, bool reading) {
  if (c->link == LINK_CLOSED || c->reading == reading) return;
  c->reading = reading;
  // A socket that nobody reads must not wake the loop with its errors either.
  epoll_ctl(load->epoll, EPOLL_CTL_DEL, c->fd, NULL);
  if (reading) watch(load, c, EPOLL_CTL_ADD);
}

static void connection_close(struct load *load, struct connection *c, const char *why, const char *detail, size_t len) {
  if (c->link == LINK_CLOSED) return;
  c->link = LINK_CLOSED;
  close(c->fd);
  if (c->stalled) load->stalled_closed++;
  else load_fail(load, why, detail, len);
}

void connection_open(struct load *load, struct connection *c) {
  c->started_ns = clock_ns();
  c->fd = socket_connect(load->options.port, c->stalled ? load->options.stalled_rcvbuf : 0);
  if (c->fd < 0) return load_fail(load, "cannot connect: ", strerror(errno), strlen(strerror(errno)));
  c->link = LINK_CONNECTING;
  c->reading = true;
  c->want_write = true;
  watch(load, c, EPOLL_CTL_ADD);
}

void connection_flush(struct load *load, struct connection *c) {
  if (c->link == LINK_CLOSED || c->link == LINK_CONNECTING) return;
  size_t sent = 0;
  while (sent < c->out.len) {
    ssize_t n = send(c->fd, c->out.data + sent, c->out.len - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) return connection_close(load, c, "write failed: ", strerror(errno), strlen(strerror(errno)));
    sent += (size_t)n;
  }
  bytes_consume(&c->out, sent);
  bool want = c->out.len > 0;
  if (want == c->want_write) return;
  c->want_write = want;
  if (c->reading) watch(load, c, EPOLL_CTL_MOD);
}

static void send_upgrade(struct load *load, struct connection *c) {
  char text[4096];
  const struct options *o = &load->options;
  const char *path = c->role == ROLE_PUBLISHER ? o->publish_path : o->subscribe_path;
  int len = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " WEBSOCKET_KEY "\r\n",
                     path, o->port);
  for (size_t i = 0; i < o->header_count && len > 0 && (size_t)len < sizeof text; i++)
    len += snprintf(text + len, sizeof text - (size_t)len, "%s\r\n", o->headers[i]);
  if (len < 0 || (size_t)len + 2 >= sizeof text) return load_fail(load, "the upgrade is too long", "", 0);
  memcpy(text + len, "\r\n", 2);
  c->link = LINK_UPGRADING;
  bytes_append(&c->out, text, (size_t)len + 2);
  connection_flush(load, c);
}

// Sends as many steps as may be sent now; live once the script is through.
static void advance(struct load *load, struct connection *c) {
  const struct steps *steps = c->role == ROLE_PUBLISHER ? &load->options.publish_steps : &load->options.subscribe_steps;
  while (c->link == LINK_SCRIPT && c->step < steps->count && steps->at[c->step].kind == STEP_SEND) {
    publish_frame(load, c, WS_TEXT, steps->at[c->step].text, strlen(steps->at[c->step].text));
    c->step++;
  }
  if (c->link == LINK_SCRIPT && c->step == steps->count) {
    c->link = LINK_LIVE;
    if (c->role == ROLE_SUBSCRIBER) load->live++;
  }
}

// Returns how many bytes of the answer to the upgrade were used, 0 while it is not whole.
static size_t read_upgrade(struct load *load, struct connection *c, const char *data, size_t len) {
  const char *end = memmem(data, len, "\r\n\r\n", 4);
  if (!end) return 0;
  const char *line = memchr(data, '\r', len);
  if (len < 12 || memcmp(data + 9, "101", 3)) {
    connection_close(load, c, "the upgrade was refused: ", data, line ? (size_t)(line - data) : 0);
    return 0;
  }
  c->link = LINK_SCRIPT;
  return (size_t)(end - data) + 4;
}

static void closed_by_server(struct load *load, struct connection *c, const uint8_t *payload, size_t len) {
  char text[160];
  int code = len >= 2 ? (payload[0] << 8) | payload[1] : 1005;
  int reason = len > 2 ? (int)(len - 2 < 100 ? len - 2 : 100) : 0;
  int written = snprintf(text, sizeof text, "%d %.*s", code, reason, (const char *)payload + 2);
  connection_close(load, c, "the server closed the connection: ", text, written > 0 ? (size_t)written : 0);
}

static void handle_frame(struct load *load, struct connection *c, const struct ws_frame *f, const uint8_t *payload) {
  size_t len = (size_t)f->payload_len;
  if (!f->fin || f->rsv || f->masked)
    return connection_close(load, c, "a fragmented, compressed or masked frame", "", 0);
  if (f->opcode == WS_TEXT || f->opcode == WS_BINARY) deliver_message(load, c, (const char *)payload, len);
  else if (f->opcode == WS_PING) publish_frame(load, c, WS_PONG, (const char *)payload, len);
  else if (f->opcode == WS_CLOSE) closed_by_server(load, c, payload, len);
}

// Takes whole messages from the front of `data`; returns how many bytes were used.
static size_t parse(struct load *load, struct connection *c, const char *data, size_t len) {
  size_t at = 0;
  if (c->link == LINK_UPGRADING) {
    at = read_upgrade(load, c, data, len);
    if (!at) return 0;
    advance(load, c);
  }
  struct ws_frame frame;
  while (c->link != LINK_CLOSED && ws_parse_header((const uint8_t *)data + at, len - at, &frame)) {
    if (frame.payload_len > BYTES_LIMIT / 2) {
      connection_close(load, c, "a frame without a sensible length", "", 0);
      break;
    }
    if (len - at - frame.header_len < frame.payload_len) break;
    handle_frame(load, c, &frame, (const uint8_t *)data + at + frame.header_len);
    at += frame.header_len + (size_t)frame.payload_len;
    if (c->link == LINK_SCRIPT) advance(load, c);
  }
  return at;
}

// One read a turn, into memory that all connections share; only an unfinished message stays with the connection.
static void read_some(struct load *load, struct connection *c) {
  size_t kept = c->in.len;
  while (load->scratch_size < kept + 65536) {
    char *grown = realloc(load->scratch, load->scratch_size * 2);
    if (!grown) return load_fail(load, "out of memory", "", 0);
    load->scratch = grown;
    load->scratch_size *= 2;
  }
  if (kept) memcpy(load->scratch, c->in.data, kept);
  ssize_t n = recv(c->fd, load->scratch + kept, load->scratch_size - kept, 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n < 0) return connection_close(load, c, "read failed: ", strerror(errno), strlen(strerror(errno)));
  if (n == 0) return connection_close(load, c, "the server ended the connection", "", 0);
  size_t len = kept + (size_t)n;
  size_t used = parse(load, c, load->scratch, len);
  c->in.len = 0;
  if (c->link == LINK_CLOSED) return;
  if (used < len && !bytes_append(&c->in, load->scratch + used, len - used))
    return connection_close(load, c, "a message that is too long", "", 0);
  if (c->out.len) connection_flush(load, c);
}

void connection_handle(struct load *load, struct connection *c, uint32_t events) {
  if (c->link == LINK_CLOSED) return;
  if (c->link == LINK_CONNECTING) {
    int error = socket_error(c->fd);
    if (error) return connection_close(load, c, "cannot connect: ", strerror(error), strlen(strerror(error)));
    if (events & EPOLLOUT) send_upgrade(load, c);
    return;
  }
  if (events & EPOLLOUT) connection_flush(load, c);
  if (c->link != LINK_CLOSED && (events & (EPOLLIN | EPOLLERR | EPOLLHUP))) read_some(load, c);
}
