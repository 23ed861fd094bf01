// What the load process is asked to do. Nothing here knows a server: a dialect is a script of steps and templates,
// handed in by flags (bench/src/dialects.ts holds them as data).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_STEPS 8
#define MAX_REPLIES 4
#define MAX_HEADERS 8
#define MAX_REFUSALS 8

enum mode { MODE_SATURATE, MODE_PACED, MODE_STORM, MODE_IDLE };

// One step of the conversation between the upgrade and being live.
struct step {
  enum { STEP_SEND, STEP_EXPECT } kind;
  const char *text;
};

struct steps {
  size_t count;
  struct step at[MAX_STEPS];
};

// `when` arrives as a whole message: `then` is sent.
struct reply {
  const char *when;
  const char *then;
};

struct options {
  enum mode mode;
  const char *mode_name;
  uint16_t port;
  unsigned clients;
  unsigned stalled;        // the first so many subscribers stop reading once they are live
  int stalled_rcvbuf;      // bytes, 0: the kernel's
  bool wake;               // let the stalled ones read again at the end, and check what they get
  unsigned window;         // saturate: broadcasts in flight
  double rate;             // paced: events published a second
  unsigned batch;          // events in one published frame, at most
  unsigned replay;         // storm: events that each newcomer must get before it counts as live
  unsigned connecting;     // connections between connect() and live at once, at most
  unsigned warmup_ms;
  unsigned window_ms;
  unsigned drain_ms;
  unsigned hold_ms;        // idle: how long the connections are held
  unsigned deadline_ms;    // the process ends itself
  const char *subscribe_path;
  const char *publish_path;
  size_t header_count;
  const char *headers[MAX_HEADERS];
  struct steps subscribe_steps;
  struct steps publish_steps;
  size_t reply_count;
  struct reply replies[MAX_REPLIES];
  size_t refusal_count;    // a message that holds one of these ends the run as failed
  const char *refusals[MAX_REFUSALS];
  const char *event;       // template with {mark}, maybe {id}
  const char *frame;       // template with {events}, maybe {id}
  const char *separator;   // between the events of one frame
  const char *ack;         // template with {to}: sent by a subscriber after each `ack_bytes` received
  size_t ack_bytes;
  bool ranges;             // frames carry "from": and "to": which must be contiguous
};

// Fills `options` from the flags; on a mistake prints what is wrong and returns false.
bool options_parse(int argc, char **argv, struct options *options);
