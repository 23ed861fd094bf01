/** What people and services can put under a message with one press. A fixed list: each can be shown and read aloud everywhere. */
export const signs = ['👍', '👎', '❤️', '🎉', '👀', '✅', '❓', '🚀'] as const

export type Sign = (typeof signs)[number]

/** What each says, for whoever hears it or types it. */
export const signNames: Readonly<Record<Sign, string>> = {
  '👍': 'yes',
  '👎': 'no',
  '❤️': 'heart',
  '🎉': 'hurray',
  '👀': 'looking',
  '✅': 'done',
  '❓': 'question',
  '🚀': 'rocket',
}
