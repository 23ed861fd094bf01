/** The version of the wire. It grows by additions only; a breaking change is a new sub-protocol name. */
export const protocolVersion = 1

/** The WebSocket sub-protocol with JSON text frames. */
export const subprotocol = 'hotline.v1'

/** The same frames in MessagePack, each a binary message. */
export const messagePackSubprotocol = 'hotline.v1.msgpack'
