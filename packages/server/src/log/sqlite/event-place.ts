/**
 * Where an event lies: its stream's number above, its position below, in one 64-bit rowid. Events of a stream lie together
 * and in order. It is made and read by SQL alone, since a JavaScript number does not hold it.
 */
export const seqBits = 34
/** 17 thousand million events of one stream. */
export const seqMax = 2 ** seqBits - 1
/** 500 million streams. */
export const streamsMax = 2 ** (63 - seqBits) - 1

/** The place of a stream's number and a position: two parameters, in this order. */
export const place = placeOf('?')

/** The place of a stream's number, which is a parameter, and a position by an SQL expression. */
export function placeOf(seq: string): string {
  return `(? << ${seqBits} | ${seq})`
}
