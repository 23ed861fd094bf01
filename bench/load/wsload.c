// wsload: one publisher and N subscribers of a WebSocket server on loopback, in one process, so that one monotonic
// clock stamps both ends. Latency = publish (saturate) or the moment it was due (paced) until that subscriber has parsed
// the event. Every subscriber checks that sequence numbers come without gap and without repetition.
//
// Phases: connect all, warm up, measure, stop publishing and drain, optionally let stalled readers read again.
// Each is announced by a line of JSON on standard output; the last line is the result.
#define _GNU_SOURCE
#include "clock.h"
#include "load.h"
#include "report.h"
#include "socket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#define MAX_PUBLISH_A_TURN 4096u

struct schedule {
  int timer;
  uint64_t start_ns;
  double interval_ns;
  uint64_t next;           // number of the next event that falls due
  uint64_t phase_end_ns;
  uint64_t connect_start_ns, connected_ns, drained_ns;
  double cpu_at_start_s, cpu_share;
};

void load_fail(struct load *load, const char *what, const char *detail, size_t len) {
  if (load->failure[0]) return;
  int at = snprintf(load->failure, sizeof load->failure, "%s%.*s", what, (int)(len < 180 ? len : 180), detail);
  // It ends up inside a JSON string.
  for (int i = 0; i < at && load->failure[i]; i++) {
    unsigned char c = (unsigned char)load->failure[i];
    if (c == '"') load->failure[i] = '\'';
    else if (c < 32 || c > 126 || c == '\\') load->failure[i] = ' ';
  }
}

static unsigned connecting(const struct load *load) { return load->opened - load->live; }

// Opens subscribers up to `until`, but never more at once than asked: a listen queue that overflows costs a second of
// the kernel's own waiting and would measure that.
static void open_subscribers(struct load *load, unsigned until) {
  while (load->opened < until && connecting(load) < load->options.connecting && !load->failure[0])
    connection_open(load, &load->subscribers[load->opened++]);
}

static void begin_window(struct load *load, struct schedule *s, uint64_t now) {
  load->phase = PHASE_WINDOW;
  s->cpu_at_start_s = cpu_seconds();
  announce("window");
  load->window_start_ns = now;
  load->window_end_ns = s->phase_end_ns = now + load->options.window_ms * NS_PER_MS;
}

static void end_window(struct load *load, struct schedule *s, uint64_t now) {
  double seconds = (double)(now - load->window_start_ns) / 1e9;
  load->window_end_ns = now;
  s->cpu_share = seconds > 0 ? (cpu_seconds() - s->cpu_at_start_s) / seconds : 0;
  announce("stop");
  load->phase = PHASE_DRAIN;
  s->phase_end_ns = now + load->options.drain_ms * NS_PER_MS;
}

static void after_connect(struct load *load, struct schedule *s, uint64_t now) {
  s->connected_ns = now;
  announce("connected");
  switch (load->options.mode) {
    case MODE_STORM:
      load->phase = load->options.replay ? PHASE_FILL : PHASE_WINDOW;
      if (load->phase == PHASE_WINDOW) begin_window(load, s, now);
      break;
    case MODE_IDLE:
      load->phase = PHASE_WINDOW;
      begin_window(load, s, now);
      s->phase_end_ns = now + load->options.hold_ms * NS_PER_MS;
      break;
    case MODE_SATURATE:
    case MODE_PACED:
      for (unsigned i = 0; i < load->options.stalled; i++) connection_set_reading(load, &load->subscribers[i], false);
      load->phase = PHASE_WARMUP;
      s->phase_end_ns = now + load->options.warmup_ms * NS_PER_MS;
      s->start_ns = now;
      s->next = 0;
      s->interval_ns = 1e9 / load->options.rate;
  }
}

static uint64_t due_at(const struct schedule *s, uint64_t n) { return s->start_ns + (uint64_t)((double)n * s->interval_ns); }

static void publish_due(struct load *load, struct schedule *s, uint64_t now) {
  uint64_t stamps[MAX_PUBLISH_A_TURN];
  unsigned count = 0;
  while (count < MAX_PUBLISH_A_TURN && due_at(s, s->next) <= now) stamps[count++] = due_at(s, s->next++);
  if (count) publish_events(load, count, stamps);
  struct itimerspec when = {0};
  uint64_t next = due_at(s, s->next);
  when.it_value.tv_sec = (time_t)(next / NS_PER_S);
  when.it_value.tv_nsec = (long)(next % NS_PER_S);
  timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void publish_window(struct load *load, uint64_t now, unsigned window) {
  uint64_t in_flight = load->published - load->complete;
  unsigned count = in_flight < window ? window - (unsigned)in_flight : 0;
  if (!count) return;
  if (count > MAX_PUBLISH_A_TURN) count = MAX_PUBLISH_A_TURN;
  uint64_t stamps[MAX_PUBLISH_A_TURN];
  for (unsigned i = 0; i < count; i++) stamps[i] = now;
  publish_events(load, count, stamps);
}

// Storm: the first subscriber watches that the events which the newcomers must get are really there.
static void fill(struct load *load, struct schedule *s, uint64_t now) {
  load->complete = load->subscribers[0].received;
  if (load->published < load->options.replay) {
    unsigned left = load->options.replay - (unsigned)load->published;
    publish_window(load, now, left < 64 ? left + (unsigned)(load->published - load->complete) : 64);
  }
  if (load->complete >= load->options.replay) begin_window(load, s, now);
}

static void storm(struct load *load, struct schedule *s, uint64_t now) {
  open_subscribers(load, load->options.clients + 1);
  if (load->finished == load->options.clients) end_window(load, s, now);
}

// Called for a subscriber of a storm after it was handled.
static void storm_check(struct load *load, struct connection *c) {
  // The publisher hears things too, and is no newcomer.
  if (c->role != ROLE_SUBSCRIBER || c->counted || c == &load->subscribers[0]) return;
  if (c->link != LINK_LIVE || c->received < load->options.replay) return;
  c->counted = true;
  load->finished++;
  histogram_record(&load->latency, clock_ns() - c->started_ns);
}

static bool all_received(const struct load *load, bool stalled) {
  for (unsigned i = 0; i < load->options.clients; i++) {
    const struct connection *c = &load->subscribers[i];
    if (c->stalled == stalled && c->link != LINK_CLOSED && c->received < load->published) return false;
  }
  return true;
}

static void drained(struct load *load, struct schedule *s, uint64_t now) {
  bool wake = load->phase == PHASE_DRAIN && load->options.wake && load->options.stalled;
  if (load->phase == PHASE_DRAIN) s->drained_ns = now;
  load->phase = wake ? PHASE_WAKE : PHASE_DONE;
  if (!wake) return;
  s->phase_end_ns = now + load->options.drain_ms * NS_PER_MS;
  for (unsigned i = 0; i < load->options.stalled; i++) connection_set_reading(load, &load->subscribers[i], true);
}

static void advance_phase(struct load *load, struct schedule *s, uint64_t now) {
  const struct options *o = &load->options;
  unsigned wanted = o->mode == MODE_STORM ? 1 : o->clients;
  switch (load->phase) {
    case PHASE_CONNECT:
      open_subscribers(load, wanted);
      if (load->live == wanted && load->publisher.link == LINK_LIVE) after_connect(load, s, now);
      break;
    case PHASE_FILL: fill(load, s, now); break;
    case PHASE_WARMUP:
      if (now >= s->phase_end_ns) begin_window(load, s, now);
      break;
    case PHASE_WINDOW:
      if (o->mode == MODE_STORM) storm(load, s, now);
      else if (now >= s->phase_end_ns) end_window(load, s, now);
      break;
    case PHASE_DRAIN:
      if (o->mode == MODE_STORM || o->mode == MODE_IDLE || all_received(load, false) || now >= s->phase_end_ns)
        drained(load, s, now);
      break;
    case PHASE_WAKE:
      if (all_received(load, true) || now >= s->phase_end_ns) drained(load, s, now);
      break;
    case PHASE_DONE: break;
  }
}

static void publish_turn(struct load *load, struct schedule *s, uint64_t now) {
  if (load->phase != PHASE_WARMUP && load->phase != PHASE_WINDOW) return;
  if (load->options.mode == MODE_SATURATE) publish_window(load, now, load->options.window);
  else if (load->options.mode == MODE_PACED) publish_due(load, s, now);
}

static void run(struct load *load, struct schedule *s) {
  struct epoll_event events[512];
  while (load->phase != PHASE_DONE && !load->failure[0]) {
    uint64_t now = clock_ns();
    enum phase before = load->phase;
    advance_phase(load, s, now);
    publish_turn(load, s, now);
    bool bounded = load->phase >= PHASE_WARMUP && !(load->options.mode == MODE_STORM && load->phase == PHASE_WINDOW);
    int wait_ms = 50;
    if (bounded) wait_ms = s->phase_end_ns > now ? (int)((s->phase_end_ns - now) / NS_PER_MS) + 1 : 0;
    if (wait_ms > 50) wait_ms = 50;
    if (load->phase != before) wait_ms = 0;
    int count = epoll_wait(load->epoll, events, 512, wait_ms);
    for (int i = 0; i < count; i++) {
      if (!events[i].data.ptr) {
        uint64_t fired;
        if (read(s->timer, &fired, sizeof fired) < 0 && errno != EAGAIN) load_fail(load, "the timer broke", "", 0);
        continue;
      }
      connection_handle(load, events[i].data.ptr, events[i].events);
      if (load->options.mode == MODE_STORM && load->phase == PHASE_WINDOW) storm_check(load, events[i].data.ptr);
    }
  }
  if (load->phase == PHASE_WINDOW) end_window(load, s, clock_ns());
}

static void print_result(const struct load *load, const struct schedule *s) {
  const struct options *o = &load->options;
  uint64_t missing = 0, stalled_received = 0;
  for (unsigned i = 0; i < o->clients && o->mode != MODE_IDLE; i++) {
    const struct connection *c = &load->subscribers[i];
    if (c->stalled) stalled_received += c->received;
    else if (c->received < load->published) missing += load->published - c->received;
  }
  double seconds = (double)(load->window_end_ns - load->window_start_ns) / 1e9;
  double messages = load->messages ? (double)load->messages : 1;
  printf("{\"phase\":\"result\",\"mode\":\"%s\",\"clients\":%u,\"stalled\":%u,\"windowMs\":%.3f,\"connectMs\":%.3f,"
         "\"drainMs\":%.3f,\"published\":%llu,\"deliveries\":%llu,\"deliveriesPerSecond\":%.1f,\"eventsPerMessage\":%.2f,"
         "\"bytesPerDelivery\":%.1f,\"latencyCount\":%llu,\"p50Us\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f,\"gaps\":%llu,"
         "\"dups\":%llu,\"rangeFaults\":%llu,\"missing\":%llu,\"stalledReceived\":%llu,\"stalledClosed\":%u,"
         "\"finished\":%u,\"cpuShare\":%.3f,\"failure\":\"%s\"}\n",
         o->mode_name, o->clients, o->stalled, seconds * 1e3,
         s->connected_ns ? (double)(s->connected_ns - s->connect_start_ns) / 1e6 : 0,
         s->drained_ns ? (double)(s->drained_ns - load->window_end_ns) / 1e6 : 0, (unsigned long long)load->published,
         (unsigned long long)load->deliveries, seconds > 0 ? (double)load->deliveries / seconds : 0,
         (double)load->deliveries / messages,
         load->deliveries ? (double)load->delivered_bytes / (double)load->deliveries : 0,
         (unsigned long long)load->latency.count, (double)histogram_quantile(&load->latency, 0.5) / 1e3,
         (double)histogram_quantile(&load->latency, 0.99) / 1e3, (double)load->latency.max_ns / 1e3,
         (unsigned long long)load->gaps, (unsigned long long)load->dups, (unsigned long long)load->range_faults,
         (unsigned long long)missing, (unsigned long long)stalled_received, load->stalled_closed, load->finished,
         s->cpu_share, load->failure);
  fflush(stdout);
}

int main(int argc, char **argv) {
  static struct load load;
  struct schedule schedule = {0};
  if (!options_parse(argc, argv, &load.options)) return 2;
  if (!templates_build(&load.templates, &load.options)) return 2;
  process_prepare(load.options.deadline_ms / 1000 + 1);
  // A storm has one more subscriber: it sees that what is to be replayed is there.
  unsigned slots = load.options.clients + (load.options.mode == MODE_STORM ? 1 : 0);
  load.subscribers = calloc(slots, sizeof *load.subscribers);
  load.ring = calloc(RING_SIZE, sizeof *load.ring);
  load.scratch_size = 1u << 20;
  load.scratch = malloc(load.scratch_size);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  schedule.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (!load.subscribers || !load.ring || !load.scratch || load.epoll < 0 || schedule.timer < 0) return 2;
  for (unsigned i = 0; i < slots; i++) {
    load.subscribers[i].role = ROLE_SUBSCRIBER;
    load.subscribers[i].stalled = i < load.options.stalled;
  }
  struct epoll_event timer_event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(load.epoll, EPOLL_CTL_ADD, schedule.timer, &timer_event);
  load.publisher.role = ROLE_PUBLISHER;
  schedule.connect_start_ns = clock_ns();
  if (load.options.mode == MODE_IDLE) load.publisher.link = LINK_LIVE;
  else connection_open(&load, &load.publisher);
  run(&load, &schedule);
  print_result(&load, &schedule);
  return load.failure[0] ? 1 : 0;
}
