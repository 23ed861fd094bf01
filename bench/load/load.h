// The state of one run: the connections, what was published and what arrived.
#pragma once
#include "bytes.h"
#include "histogram.h"
#include "options.h"
#include "templates.h"
#include <stdbool.h>
#include <stdint.h>

enum role { ROLE_PUBLISHER, ROLE_SUBSCRIBER };
enum link { LINK_NONE, LINK_CONNECTING, LINK_UPGRADING, LINK_SCRIPT, LINK_LIVE, LINK_CLOSED };

struct connection {
  int fd;
  enum role role;
  enum link link;
  bool stalled;
  bool reading;          // its socket is watched for input
  bool want_write;
  bool counted;          // storm: it has reached its end
  size_t step;
  uint64_t started_ns;
  uint64_t expected;     // next sequence number
  uint64_t received;
  uint64_t last_to;      // end of the last range, with --ranges
  size_t unacked_bytes;
  struct bytes in;       // the beginning of a message whose end has not come
  struct bytes out;      // what the socket did not take
};

// The phases of a run, in their order. DRAIN waits for what is on its way, WAKE reads what stalled readers left.
enum phase { PHASE_CONNECT, PHASE_FILL, PHASE_WARMUP, PHASE_WINDOW, PHASE_DRAIN, PHASE_WAKE, PHASE_DONE };

#define RING_SIZE 65536u

struct load {
  struct options options;
  struct templates templates;
  int epoll;
  enum phase phase;
  struct connection publisher;
  struct connection *subscribers;
  unsigned live;             // subscribers that finished their script
  unsigned opened;           // subscribers that were started
  unsigned finished;         // storm: newcomers that have their replay
  char *scratch;
  size_t scratch_size;

  uint64_t window_start_ns;
  uint64_t window_end_ns;
  uint64_t published;
  uint64_t complete;         // saturate: broadcasts that every reader has
  uint32_t *ring;            // saturate: readers that have broadcast (n mod RING_SIZE)

  uint64_t deliveries;       // in the window
  uint64_t delivered_bytes;  // in the window, everything that readers read
  uint64_t messages;         // in the window, WebSocket messages that held events
  uint64_t gaps;             // events that were skipped
  uint64_t dups;             // events that came again or late
  uint64_t range_faults;     // frames whose "from" was not the last "to" plus one
  unsigned stalled_closed;   // stalled readers that the server cut off
  struct histogram latency;
  char failure[256];         // empty while all is well
};

// Ends the run as failed; the first reason is kept.
void load_fail(struct load *load, const char *what, const char *detail, size_t detail_len);

// connection.c
void connection_open(struct load *load, struct connection *connection);
void connection_handle(struct load *load, struct connection *connection, uint32_t events);
// Sends what was put into `out` as far as the socket takes it.
void connection_flush(struct load *load, struct connection *connection);
// Starts or stops watching the socket for input.
void connection_set_reading(struct load *load, struct connection *connection, bool reading);

// deliver.c: a whole message arrived.
void deliver_message(struct load *load, struct connection *connection, const char *data, size_t len);

// publish.c: puts `count` events with the given stamp into the publisher's buffer and sends them.
void publish_events(struct load *load, unsigned count, const uint64_t *stamps_ns);
// Appends one masked frame to the connection's buffer.
void publish_frame(struct load *load, struct connection *connection, uint8_t opcode, const char *data, size_t len);
