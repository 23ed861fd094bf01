/**
 * Text for a terminal: every control character but the newline becomes visible, so nothing that an agent wrote can move
 * the cursor, hide text, or set the clipboard. Characters that cannot be seen or that turn the direction are shown too.
 */
export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (char) => {
    if (char === '\n') return char
    if (char === '\t') return '    '
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  })
}
