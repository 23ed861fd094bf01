/**
 * Passwords of at least 12 characters that everybody tries first. Shorter ones are refused by their length. Compared
 * without regard to case, and with the usual letters in place of digits and signs.
 */
const common = new Set(
  `passwordpassword passwordpassword1 password12345 password123456 password1234567 password12345678 password123456789
  mypassword123 mypassword1234 newpassword123 changemechangeme changeme12345 changeme123456 letmeinletmein letmein123456
  letmeinplease welcomewelcome welcome12345 welcome123456 welcometohell administrator administrator1 admin12345678
  adminadminadmin adminpassword admin123456789 rootrootroot rootpassword superadmin123 superuser1234 systemadmin123
  qwertyuiop12 qwertyuiop123 qwertyuiopas qwertyuiopasdf qwertyqwerty qwerty123456 qwerty1234567 qwerty12345678 qwertyuiop[]
  qwerty123456789 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i zaq12wsxcde3 zaq1zaq1zaq1
  q1w2e3r4t5y6 q1w2e3r4t5y6u7i8 asdfghjkl123 asdfghjklzxc asdfasdfasdf zxcvbnmasdfg zxcvbnm12345 zxcvbnm123456 zxcvbnmzxcvbnm
  iloveyou1234 iloveyou12345 iloveyouforever iloveyousomuch iloveyouiloveyou ilovemyfamily ilovemymother ilovejesus123
  sunshine1234 sunshine12345 princess1234 princess12345 football1234 football12345 baseball1234 basketball123 basketball1
  superman1234 superman12345 spiderman123 batmanbatman starwars1234 starwars12345 michaeljordan mustang12345 dragon123456
  dragondragon monkey123456 monkeymonkey shadow123456 master123456 mastermaster jordan123456 michael12345 jennifer1234
  computer1234 computer12345 internet1234 internet12345 security1234 security12345 secretsecret secretpassword topsecret123
  trustno1trustno1 whatever1234 whatever12345 blink182blink182 liverpool123 liverpool1234 manchester123 chelseafc123
  abcd12345678 abcd123456789 abc123abc123 abc123456789 abcdef123456 abcdefghijkl abcdefghijklm a1b2c3d4e5f6 aaaaaaaaaaaa
  hellohellohello helloworld12 helloworld123 helloworld1234 goodmorning123 godisgood123 jesuschrist1 jesusislord1
  correcthorsebatterystaple correcthorse correct-horse-battery-staple opensesame123 onetwothreefour thisismypassword
  testtesttest testpassword testing12345 test12345678 test123456789 demodemodemo example12345 temporary123 temppassword1
  summer2020summer spring2024spring winter2023winter autumn2022autumn summer2024!! p@ssw0rd1234 p@ssw0rd12345 p@ssword12345
  passw0rd12345 passw0rd1234 pa$$word12345 pa55word12345 minecraft123 minecraft1234 pokemon12345 fortnite1234 nintendo1234
  microsoft123 google123456 facebook1234 facebook12345 linkedin1234 instagram123 youtube12345 samsung12345 iphone123456
  hotlinehotline hotline12345 hotline123456 hotlinepassword agentagentagent claudeclaude openai123456 chatgpt12345
  mynameisbond donttellanyone nopassword123 nopasswordhere ihatepasswords iforgotmypassword passwordispassword`
    .split(/\s+/)
    .map((password) => flat(password)),
)

const rows = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
]

/** A password that contains the name must contain so many letters beside it. */
const lettersLeftMin = 4

/** Why a password is too easy to guess, as a sentence; undefined where nothing speaks against it. */
export function weaknessOf(password: string, name: string): string | undefined {
  const text = flat(password)
  if (common.has(text)) return 'This is one of the passwords that are tried first. Choose several unrelated words.'
  if (isRepeated(text)) return 'This repeats the same few characters. Choose several unrelated words.'
  if (isRow(text)) return 'These characters stand next to each other on a keyboard or in the alphabet.'
  const lower = password.toLowerCase()
  const parts = [name.toLowerCase(), 'hotline', 'password'].filter((part) => part.length > 2 && lower.includes(part))
  const rest = parts.reduce((left, part) => left.replaceAll(part, ''), lower).replaceAll(/[^\p{L}]/gu, '')
  if (parts.length > 0 && rest.length < lettersLeftMin) {
    return 'This is little more than a name with numbers. Choose several unrelated words.'
  }
  return undefined
}

/** Lower case, with the letters that signs and digits usually stand for, where the text has letters at all. */
function flat(text: string): string {
  const lower = text.toLowerCase()
  if (/^[0-9]+$/.test(lower)) return lower
  return lower.replaceAll('@', 'a').replaceAll('$', 's').replaceAll('0', 'o').replaceAll('!', 'i').replaceAll('3', 'e')
}

function isRepeated(text: string): boolean {
  for (let length = 1; length <= Math.min(4, text.length / 3); length += 1) {
    if (
      text ===
      text
        .slice(0, length)
        .repeat(Math.ceil(text.length / length))
        .slice(0, text.length)
    )
      return true
  }
  return new Set(text).size <= 3
}

/** One long walk along a row, forwards or backwards. */
function isRow(text: string): boolean {
  const half = text.slice(0, Math.ceil(text.length * 0.75))
  const back = half.split('').toReversed().join('')
  return rows.some((row) => flat(row + row).includes(half) || flat(row + row).includes(back))
}
