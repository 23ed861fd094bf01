// floor: the least that a WebSocket server can do: what the publisher (path /pub) sends goes to everybody else, with no
// parsing, no log and no bound but one: a reader whose unsent bytes pass PENDING_LIMIT is cut off.
//   floor each        one send per client and event
//   floor coalesced   the events of one epoll turn in one send per client
// Prints {"port":…} once it listens; ends when its standard input ends.
#define _GNU_SOURCE
#include "bytes.h"
#include "socket.h"
#include "websocket.h"
#include <stdio.h>
#include <sys/epoll.h>

#define PENDING_LIMIT (4u << 20)

struct peer {
  int fd;
  bool upgraded, publisher, writing, dead;
  size_t place;            // in the list of readers
  struct bytes in, pending;
};

struct floor {
  int epoll, listener;
  bool coalesced;
  struct peer **readers;
  size_t reader_count, reader_cap;
  struct peer **dying;     // freed at the end of the turn, when no event can name them any more
  size_t dying_count, dying_cap;
  struct bytes turn;       // frames that go out with the end of the turn
};

static bool push(struct peer ***list, size_t *count, size_t *cap, struct peer *peer) {
  if (*count == *cap) {
    size_t grown_cap = *cap ? *cap * 2 : 64;
    struct peer **grown = realloc(*list, grown_cap * sizeof *grown);
    if (!grown) return false;
    *list = grown;
    *cap = grown_cap;
  }
  (*list)[(*count)++] = peer;
  return true;
}

static void kill_peer(struct floor *f, struct peer *p) {
  if (p->dead) return;
  p->dead = true;
  close(p->fd);
  if (p->upgraded && !p->publisher) {
    struct peer *last = f->readers[--f->reader_count];
    f->readers[p->place] = last;
    last->place = p->place;
  }
  push(&f->dying, &f->dying_count, &f->dying_cap, p);
}

static void want_writes(struct floor *f, struct peer *p, bool on) {
  if (p->writing == on) return;
  p->writing = on;
  struct epoll_event event = {.events = EPOLLIN | (on ? EPOLLOUT : 0), .data.ptr = p};
  epoll_ctl(f->epoll, EPOLL_CTL_MOD, p->fd, &event);
}

// False when the peer is gone.
static bool write_to(struct floor *f, struct peer *p, const char *data, size_t len) {
  size_t sent = 0;
  if (!p->pending.len) {
    ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return kill_peer(f, p), false;
    sent = n > 0 ? (size_t)n : 0;
  }
  if (sent == len) return true;
  if (p->pending.len + len - sent > PENDING_LIMIT || !bytes_append(&p->pending, data + sent, len - sent))
    return kill_peer(f, p), false;
  want_writes(f, p, true);
  return true;
}

static void write_pending(struct floor *f, struct peer *p) {
  ssize_t n = send(p->fd, p->pending.data, p->pending.len, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return kill_peer(f, p);
  if (n > 0) bytes_consume(&p->pending, (size_t)n);
  if (!p->pending.len) want_writes(f, p, false);
}

static void broadcast(struct floor *f, const char *data, size_t len) {
  // Backwards, because a reader that is cut off is replaced by the last one.
  for (size_t i = f->reader_count; i > 0; i--) write_to(f, f->readers[i - 1], data, len);
}

static void publish(struct floor *f, const uint8_t *payload, size_t len) {
  uint8_t header[WS_MAX_HEADER];
  size_t header_len = ws_write_header(header, WS_TEXT, len, NULL);
  if (!bytes_append(&f->turn, header, header_len) || !bytes_append(&f->turn, payload, len)) return;
  if (f->coalesced) return;
  broadcast(f, f->turn.data, f->turn.len);
  f->turn.len = 0;
}

// 1: upgraded, 0: more bytes are needed, -1: refused.
static int upgrade(struct floor *f, struct peer *p) {
  char *end = memmem(p->in.data, p->in.len, "\r\n\r\n", 4);
  if (!end) return p->in.len > 8192 ? -1 : 0;
  static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: " WEBSOCKET_ACCEPT "\r\n\r\n";
  if (!memmem(p->in.data, p->in.len, WEBSOCKET_KEY, strlen(WEBSOCKET_KEY))) return -1;
  p->publisher = p->in.len > 8 && !memcmp(p->in.data, "GET /pub", 8);
  bytes_consume(&p->in, (size_t)(end - p->in.data) + 4);
  p->place = f->reader_count;
  if (!p->publisher && !push(&f->readers, &f->reader_count, &f->reader_cap, p)) return -1;
  p->upgraded = true;
  return write_to(f, p, answer, sizeof answer - 1) ? 1 : -1;
}

static void read_frames(struct floor *f, struct peer *p) {
  size_t at = 0;
  struct ws_frame frame;
  while (ws_parse_header((uint8_t *)p->in.data + at, p->in.len - at, &frame)) {
    if (!frame.masked || frame.payload_len > BYTES_LIMIT / 2) return kill_peer(f, p);
    if (p->in.len - at - frame.header_len < frame.payload_len) break;
    uint8_t *payload = (uint8_t *)p->in.data + at + frame.header_len;
    at += frame.header_len + (size_t)frame.payload_len;
    if (frame.opcode == WS_CLOSE) return kill_peer(f, p);
    if (!p->publisher || frame.opcode != WS_TEXT) continue;
    ws_apply_mask(payload, (size_t)frame.payload_len, frame.mask);
    publish(f, payload, (size_t)frame.payload_len);
  }
  bytes_consume(&p->in, at);
}

static void read_peer(struct floor *f, struct peer *p) {
  char *room = bytes_reserve(&p->in, 65536);
  ssize_t n = room ? recv(p->fd, room, 65536, 0) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return kill_peer(f, p);
  p->in.len += (size_t)n;
  if (!p->upgraded) {
    int done = upgrade(f, p);
    if (done < 0) return kill_peer(f, p);
    if (done == 0) return;
  }
  read_frames(f, p);
  // An idle connection holds no buffer.
  if (!p->dead && !p->publisher && !p->in.len) bytes_free(&p->in);
}

static void accept_all(struct floor *f) {
  for (;;) {
    int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    struct peer *p = calloc(1, sizeof *p);
    if (!p) {
      close(fd);
      return;
    }
    p->fd = fd;
    socket_no_delay(fd);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static void end_turn(struct floor *f) {
  if (f->turn.len) broadcast(f, f->turn.data, f->turn.len);
  f->turn.len = 0;
  while (f->dying_count) {
    struct peer *p = f->dying[--f->dying_count];
    bytes_free(&p->in);
    bytes_free(&p->pending);
    free(p);
  }
}

static bool listen_loopback(struct floor *f) {
  f->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = socket_loopback(0);
  socklen_t len = sizeof address;
  if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&address, sizeof address) < 0) return false;
  if (listen(f->listener, 4096) < 0 || getsockname(f->listener, (struct sockaddr *)&address, &len) < 0) return false;
  printf("{\"port\":%u}\n", ntohs(address.sin_port));
  fflush(stdout);
  return true;
}

int main(int argc, char **argv) {
  static struct floor f;
  static char listener_mark, input_mark;
  if (argc != 2 || (strcmp(argv[1], "each") && strcmp(argv[1], "coalesced"))) {
    fprintf(stderr, "usage: floor each|coalesced\n");
    return 2;
  }
  f.coalesced = !strcmp(argv[1], "coalesced");
  process_prepare(0);
  f.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (f.epoll < 0 || !listen_loopback(&f)) {
    perror("floor");
    return 1;
  }
  struct epoll_event listener = {.events = EPOLLIN, .data.ptr = &listener_mark};
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = &input_mark};
  epoll_ctl(f.epoll, EPOLL_CTL_ADD, f.listener, &listener);
  epoll_ctl(f.epoll, EPOLL_CTL_ADD, 0, &input);
  struct epoll_event events[512];
  for (;;) {
    int count = epoll_wait(f.epoll, events, 512, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &listener_mark) {
        accept_all(&f);
      } else if (events[i].data.ptr == &input_mark) {
        char nothing[256];
        if (read(0, nothing, sizeof nothing) <= 0) return 0;
      } else {
        struct peer *p = events[i].data.ptr;
        if (!p->dead && (events[i].events & EPOLLOUT)) write_pending(&f, p);
        if (!p->dead && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) read_peer(&f, p);
      }
    }
    end_turn(&f);
  }
}
