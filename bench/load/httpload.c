// httpload: N connections to an HTTP/1.1 server on loopback, each with one request at a time (a closed loop).
// Counts answers by status, and times each from its first byte written until its last byte read. Answers must carry
// Content-Length. {id} in the body is a fresh UUIDv7. The last line on standard output is the result as JSON.
#define _GNU_SOURCE
#include "bytes.h"
#include "clock.h"
#include "histogram.h"
#include "options.h"
#include "report.h"
#include "socket.h"
#include "templates.h"
#include <getopt.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>

struct request {
  const char *method, *path, *body;
  const char *headers[MAX_HEADERS];
  size_t header_count;
};

struct client {
  int fd;
  bool connected;
  uint64_t sent_ns;
  struct bytes in, out;
};

struct run {
  uint16_t port;
  unsigned clients, warmup_ms, window_ms, deadline_ms;
  struct request request;
  struct templates templates;   // the event is the body
  char head[4096];
  size_t head_len;
  int epoll;
  bool measuring;
  uint64_t answered, answers, refused, bytes;   // answered: before the window, too
  int first_refusal;
  struct histogram latency;
  char failure[128];
};

static void fail(struct run *r, const char *what) {
  if (!r->failure[0]) snprintf(r->failure, sizeof r->failure, "%s", what);
}

static void flush_client(struct run *r, struct client *c) {
  ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) return fail(r, "write failed");
  if (n > 0) bytes_consume(&c->out, (size_t)n);
  struct epoll_event event = {.events = EPOLLIN | (c->out.len ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void ask(struct run *r, struct client *c) {
  char *body = bytes_append(&c->out, r->head, r->head_len) ? bytes_reserve(&c->out, r->templates.event.len + 1) : NULL;
  if (!body) return fail(r, "out of memory");
  c->out.len += fixed_write(&r->templates, &r->templates.event, body, 0, 0);
  c->sent_ns = clock_ns();
  flush_client(r, c);
}

// The length of a whole answer at the front of the buffer, 0 while it is not whole, -1 when it cannot be read.
static ssize_t answer_length(const struct bytes *in, int *status) {
  const char *end = memmem(in->data, in->len, "\r\n\r\n", 4);
  if (!end) return 0;
  *status = in->len > 12 ? atoi(in->data + 9) : 0;
  const char *line = in->data;
  while ((line = memmem(line, (size_t)(end - line), "\r\n", 2))) {
    line += 2;
    if (end - line <= 15 || strncasecmp(line, "content-length:", 15)) continue;
    size_t whole = (size_t)(end - in->data) + 4 + strtoul(line + 15, NULL, 10);
    return in->len < whole ? 0 : (ssize_t)whole;
  }
  return *status == 204 || *status == 304 ? (ssize_t)(end - in->data) + 4 : -1;
}

static void read_answer(struct run *r, struct client *c) {
  char *room = bytes_reserve(&c->in, 65536);
  ssize_t n = room ? recv(c->fd, room, 65536, 0) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return fail(r, "the server ended a connection");
  c->in.len += (size_t)n;
  int status = 0;
  ssize_t len = answer_length(&c->in, &status);
  if (len < 0) return fail(r, "an answer without Content-Length");
  if (len == 0) return;
  bytes_consume(&c->in, (size_t)len);
  if (status < 200 || status > 299) {
    r->refused++;
    if (!r->first_refusal) r->first_refusal = status;
  } else {
    r->answered++;
    if (r->measuring) {
      r->answers++;
      r->bytes += (uint64_t)len;
      histogram_record(&r->latency, clock_ns() - c->sent_ns);
    }
  }
  ask(r, c);
}

static void handle(struct run *r, struct client *c, uint32_t events) {
  if (!c->connected) {
    if (socket_error(c->fd)) return fail(r, "cannot connect");
    c->connected = true;
    return ask(r, c);
  }
  if ((events & EPOLLOUT) && c->out.len) flush_client(r, c);
  if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_answer(r, c);
}

static void turn_until(struct run *r, uint64_t end_ns) {
  struct epoll_event events[512];
  for (uint64_t now = clock_ns(); now < end_ns && !r->failure[0]; now = clock_ns()) {
    int count = epoll_wait(r->epoll, events, 512, (int)((end_ns - now) / NS_PER_MS) + 1);
    for (int i = 0; i < count; i++) handle(r, events[i].data.ptr, events[i].events);
  }
}

static bool build_head(struct run *r) {
  const struct request *q = &r->request;
  size_t at = (size_t)snprintf(r->head, sizeof r->head, "%s %s HTTP/1.1\r\nHost: localhost:%u\r\n", q->method, q->path,
                               r->port);
  for (size_t i = 0; i < q->header_count && at < sizeof r->head; i++)
    at += (size_t)snprintf(r->head + at, sizeof r->head - at, "%s\r\n", q->headers[i]);
  if (at < sizeof r->head && r->templates.event.len)
    at += (size_t)snprintf(r->head + at, sizeof r->head - at, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                           r->templates.event.len);
  if (at + 2 >= sizeof r->head) return false;
  memcpy(r->head + at, "\r\n", 2);
  r->head_len = at + 2;
  return true;
}

static bool parse(int argc, char **argv, struct run *r) {
  static const struct option flags[] = {{"port", 1, 0, 'p'},      {"path", 1, 0, 'u'},   {"method", 1, 0, 'm'},
                                        {"header", 1, 0, 'h'},    {"body", 1, 0, 'b'},   {"clients", 1, 0, 'c'},
                                        {"warmup-ms", 1, 0, 'w'}, {"window-ms", 1, 0, 't'}, {"deadline-ms", 1, 0, 'd'},
                                        {0, 0, 0, 0}};
  *r = (struct run){.clients = 1, .warmup_ms = 500, .window_ms = 1500, .deadline_ms = 60000};
  r->request = (struct request){.method = "GET", .path = "/", .body = ""};
  for (int flag; (flag = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
    switch (flag) {
      case 'p': r->port = (uint16_t)atoi(optarg); break;
      case 'u': r->request.path = optarg; break;
      case 'm': r->request.method = optarg; break;
      case 'b': r->request.body = optarg; break;
      case 'c': r->clients = (unsigned)atoi(optarg); break;
      case 'w': r->warmup_ms = (unsigned)atoi(optarg); break;
      case 't': r->window_ms = (unsigned)atoi(optarg); break;
      case 'd': r->deadline_ms = (unsigned)atoi(optarg); break;
      case 'h':
        if (r->request.header_count == MAX_HEADERS) return false;
        r->request.headers[r->request.header_count++] = optarg;
        break;
      default: return false;
    }
  }
  struct options texts = {.event = r->request.body, .frame = "{events}", .separator = ""};
  return r->port && r->clients && templates_build(&r->templates, &texts) && build_head(r);
}

int main(int argc, char **argv) {
  static struct run r;
  if (!parse(argc, argv, &r)) {
    fprintf(stderr, "httpload: --port and --clients must be given, and at most %d headers\n", MAX_HEADERS);
    return 2;
  }
  process_prepare(r.deadline_ms / 1000 + 1);
  r.epoll = epoll_create1(EPOLL_CLOEXEC);
  struct client *clients = calloc(r.clients, sizeof *clients);
  if (!clients || r.epoll < 0) return 2;
  for (unsigned i = 0; i < r.clients && !r.failure[0]; i++) {
    clients[i].fd = socket_connect(r.port, 0);
    if (clients[i].fd < 0) fail(&r, "cannot connect");
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &clients[i]};
    epoll_ctl(r.epoll, EPOLL_CTL_ADD, clients[i].fd, &event);
  }
  turn_until(&r, clock_ns() + r.warmup_ms * NS_PER_MS);
  announce("window");
  uint64_t start = clock_ns();
  double cpu = cpu_seconds();
  r.measuring = true;
  turn_until(&r, start + r.window_ms * NS_PER_MS);
  double seconds = (double)(clock_ns() - start) / 1e9;
  cpu = cpu_seconds() - cpu;
  announce("stop");
  if (r.refused) {
    char text[64];
    snprintf(text, sizeof text, "%llu answers of status %d and the like", (unsigned long long)r.refused, r.first_refusal);
    fail(&r, text);
  }
  printf("{\"phase\":\"result\",\"clients\":%u,\"windowMs\":%.3f,\"answered\":%llu,\"answers\":%llu,\"answersPerSecond\":%.1f,"
         "\"bytesPerAnswer\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f,\"cpuShare\":%.3f,\"failure\":\"%s\"}\n",
         r.clients, seconds * 1e3, (unsigned long long)r.answered, (unsigned long long)r.answers, (double)r.answers / seconds,
         r.answers ? (double)r.bytes / (double)r.answers : 0, (double)histogram_quantile(&r.latency, 0.5) / 1e3,
         (double)histogram_quantile(&r.latency, 0.99) / 1e3, (double)r.latency.max_ns / 1e3, cpu / seconds, r.failure);
  return r.failure[0] ? 1 : 0;
}
