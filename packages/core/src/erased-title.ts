/** In lists, in place of what a session or a card was called. */
export const erasedTitle = '(erased)'
