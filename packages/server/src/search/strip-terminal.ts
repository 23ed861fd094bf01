/**
 * A whole sequence of a terminal: with parameters, with a text that ends in BEL or ST, or a short one. None goes over another
 * escape, so that every sign is looked at a few times, whatever the text.
 */
const sequences =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b(?:[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-OQ-WYZ\\`-~])/gu

/** The text without what moves the cursor or colours it. */
export function stripTerminal(text: string): string {
  return text.replaceAll(sequences, '')
}
