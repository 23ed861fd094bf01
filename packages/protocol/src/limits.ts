/** Bounds of the wire and of a session, with the unit in each name. The server may lower or raise those marked as settings. */
export const limits = {
  /** Setting. Characters (UTF-16 code units) in a person's message. */
  personMessageChars: 2_000,
  /** Setting. Characters in one message of an agent. */
  agentMessageChars: 50_000,
  /** Characters of a message that stand over a reply to it. */
  quoteChars: 300,
  /** Messages that may wait for one busy agent. */
  queuedMessages: 100,
  /** Questions that may be open in one session; further ones are refused as "queue full". */
  openQuestions: 100,
  /** Setting. Approvals of one session that people are asked at once; further ones wait for their turn. */
  openApprovals: 5,
  /** Setting. Approvals of one session that may wait for their turn; further ones are refused as "queue full". */
  waitingApprovals: 1_000,
  /** Steps of one session whose end is waited for; the oldest is closed for another one. */
  openSteps: 200,
  /** Messages and thoughts of one session that are being written at once; the oldest is closed for another one. */
  openTexts: 20,
  /** Bytes of one inbound WebSocket frame; a larger command goes over HTTP. */
  inboundFrameBytes: 64 * 1024,
  /** Bytes of one event as it is stored and sent. */
  eventBytes: 256 * 1024,
  /** Bytes of the exact input of an approval that travels inside its event. */
  approvalInputBytes: 64 * 1024,
  /** Bytes of one piece of content that lies beside its event: a longer input of an approval. */
  contentBytes: 2 * 1024 * 1024,
  /** Bytes of one file that belongs to a message. */
  attachmentBytes: 25 * 1024 * 1024,
  /** Files of one message. */
  messageAttachments: 10,
  /** Files that one sender has uploaded to a session and not sent yet. */
  unsentAttachments: 50,
  /** Asks that one person may have put aside at once. */
  snoozes: 500,
  /** Sessions that one asks about at once how much of them is unread. */
  unreadSessions: 100,
  /** Sessions of which is kept how far one person has read them; of more the oldest are forgotten. */
  readMarks: 500,
  /** Milliseconds for which an ask may be put aside. */
  snoozeMs: 30 * 24 * 60 * 60 * 1_000,
  /** Sessions of one task whose conversations are read as one. */
  taskSessions: 200,
  /** Rules of one project. */
  policyRules: 500,
  /** Events in one batch that a runner reports. */
  reportEvents: 500,
  /** Sessions that one runner holds at once, also such as are over and have something left to do. */
  sessionsPerRunner: 1_000,
  /** Sessions of which a runner tells at once how their agents stand. */
  evidencePerReport: 50,
  /** Nesting depth of any JSON from outside. */
  jsonDepth: 64,
  /** Events in one `events` frame or one page. */
  pageEvents: 1_000,
  /** Bytes of one `events` frame or one page, unless a single event is larger. */
  pageBytes: 256 * 1024,
  /** Bytes that the server lets wait in one socket before that follower stops being pumped. */
  socketQueueBytes: 256 * 1024,
  /** Bytes sent and not acknowledged by `ack` before that follower stops being pumped. */
  unacknowledgedBytes: 1024 * 1024,
  /** Streams that one socket may follow. */
  followsPerSocket: 200,
  /** Seconds that a request may wait for news. */
  waitSeconds: 25,
  /** Milliseconds for the first frame (`hello`) of a socket that carried no credential. */
  helloTimeoutMs: 5_000,
  /** Milliseconds between two heartbeats of the server; a client that hears nothing for twice as long is cut off. */
  heartbeatMs: 15_000,
  /** Milliseconds an approval waits for a person before its default answer, deny. */
  approvalTimeoutMs: 24 * 60 * 60 * 1_000,
} as const
